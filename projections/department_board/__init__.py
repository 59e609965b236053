"""Who is in which department, what is open, the latest entry."""
