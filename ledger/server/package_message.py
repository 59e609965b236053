"""A received package's state as the contract's message."""
