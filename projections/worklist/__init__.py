"""What waits for a department, a person, or the records office, by which rule, and since when."""
