"""The receiving hospital: takes offers from its own topic, fetches, checks, keeps, and answers in its own ledger."""
