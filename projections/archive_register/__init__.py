"""Every record with its phase, its dates and its head: running records and archived cases."""
