"""Which partition a stream goes to: the one function that publisher, readers and queries share."""

from __future__ import annotations

from functools import lru_cache

STREAMS_REMEMBERED = 16_384
"""Records that are written to are written to again; about 3 MB."""
_SEED = 0x9747B28C
_M = 0x5BD1E995
_R = 24
_MASK = 0xFFFFFFFF


@lru_cache(maxsize=STREAMS_REMEMBERED)
def partition_of(stream_id: bytes, partitions: int) -> int:
    """Partition of a stream, from 0: Kafka's murmur2 over the 16 raw bytes of its id, sign bit off, mod the count."""
    return (murmur2(stream_id) & 0x7FFFFFFF) % partitions


def murmur2(data: bytes) -> int:
    """MurmurHash2 with Kafka's seed, as an unsigned 32-bit number."""
    length = len(data)
    hashed = (_SEED ^ length) & _MASK
    whole = length - length % 4
    for start in range(0, whole, 4):
        k = int.from_bytes(data[start : start + 4], "little") * _M & _MASK
        k = (k ^ (k >> _R)) * _M & _MASK
        hashed = (hashed * _M & _MASK) ^ k
    tail = data[whole:]
    if tail:
        hashed = (hashed ^ int.from_bytes(tail, "little")) * _M & _MASK
    hashed = (hashed ^ (hashed >> 13)) * _M & _MASK
    return hashed ^ (hashed >> 15)
