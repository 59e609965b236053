"""What makes history provable: envelopes, leaf hashes and the chain of a stream. Pure, nothing beside the standard library and `cryptography`.

`docs/formats.md` defines every byte.
"""
