"""What makes history provable: envelopes, leaf hashes and the chain of a stream. Pure, standard library only.

`docs/formats.md` defines every byte.
"""
