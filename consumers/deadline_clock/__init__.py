"""The deadline clock: reports what was missed, and what becomes of a record when time alone has passed."""
