"""Events in PostgreSQL: appended once by group commit, read by position and by stream, refused to be changed.

The life of an append is told in `docs/formats.md` and, statement by statement, in the `.sql` files beside the modules.
"""
