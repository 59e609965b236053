"""Reading beside a bare SELECT of the same rows: a record, a few events of one, everything."""
