"""The published stream read from the PostgreSQL log itself: the default of one machine, without a broker."""
