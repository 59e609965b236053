"""A map by UUID that is never changed: adding one value to thousands copies only the bucket that it falls into.

A record of 10,000 entries would otherwise copy 50 million references while it is folded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from operator import itemgetter
from typing import Generic, TypeVar
from uuid import UUID

V = TypeVar("V")
_BUCKETS = 64


class BucketMap(Mapping[UUID, V], Generic[V]):
    """Values by UUID, iterated in the order in which their keys were added."""

    __slots__ = ("_buckets", "_size")

    def __init__(self) -> None:
        # Shared between maps and never changed: key -> (number of the key by order, value).
        self._buckets: tuple[dict[UUID, tuple[int, V]], ...] = ({},) * _BUCKETS
        self._size = 0

    def having(self, key: UUID, value: V) -> BucketMap[V]:
        """This map with a value added or replaced."""
        index = key.int % _BUCKETS
        bucket = self._buckets[index]
        number, _ = bucket.get(key, (self._size, value))
        made: BucketMap[V] = BucketMap()
        made._buckets = (*self._buckets[:index], {**bucket, key: (number, value)}, *self._buckets[index + 1 :])
        made._size = self._size + (key not in bucket)
        return made

    def __getitem__(self, key: UUID) -> V:
        return self._buckets[key.int % _BUCKETS][key][1]

    def __iter__(self) -> Iterator[UUID]:
        numbered = [(number, key) for bucket in self._buckets for key, (number, _) in bucket.items()]
        return (key for _, key in sorted(numbered, key=itemgetter(0)))

    def __len__(self) -> int:
        return self._size

    def __repr__(self) -> str:
        return f"BucketMap({dict(self)!r})"
