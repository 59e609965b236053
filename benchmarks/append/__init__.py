"""One durable append per command at the store, against pgbench with one row per transaction in the same run."""
