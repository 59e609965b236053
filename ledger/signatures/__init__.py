"""Signatures by certificate: what is signed, and the check of CMS, chain, revocation and time token. Offline."""
