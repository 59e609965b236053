"""How fast a ledger is verified, and how large a proof is."""
