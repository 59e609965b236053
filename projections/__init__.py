"""Views: pictures of a hospital's ledger, built from the published stream and thrown away at will."""
