"""The table of open deadlines in a hospital's views schema: the deadline clock writes it, the worklist reads it."""

TABLE = "deadline_clock_work"
"""Read by others: `record_id`, `act` (`deadline`), `rule` of the pack, `subject_id`, `due_at`, `since`."""
