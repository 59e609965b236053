"""What was offered to whom and what came from whom, with versions and digests, and where it stands."""
