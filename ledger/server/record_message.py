"""A record's state as the contract's messages."""
