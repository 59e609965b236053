"""The published stream: what an outsider may rely on, and the two things that carry it."""
