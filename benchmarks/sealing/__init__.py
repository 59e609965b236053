"""What sealing costs: the whole command path with and without it."""
