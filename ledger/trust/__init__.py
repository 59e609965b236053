"""What makes history provable: envelopes, leaf hashes, chains; the tree, its tiles, proofs, signed notes, policies.

Pure, and nothing beside the standard library and `cryptography` (Ed25519, key files).
`docs/formats.md` defines every byte.
"""
