"""A witness for other logs (tlog-witness): it cosigns a tree that has only grown, and remembers what it saw."""
