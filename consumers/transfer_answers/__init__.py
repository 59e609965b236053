"""Acknowledgements: the sender writes the answers on its own transfer topic into its records."""
