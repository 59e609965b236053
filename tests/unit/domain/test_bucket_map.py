"""The map that a record's entries are kept in."""

from collections.abc import Mapping
from uuid import UUID

from ledger.domain.bucket_map import BucketMap


def test_it_is_a_map_in_the_order_of_addition() -> None:
    """Values are found by key, listed in the order in which the keys came, and replaced in place."""
    made: BucketMap[str] = BucketMap()
    plain: dict[UUID, str] = {}
    for number in (70, 3, 67, 3, 131):
        key = UUID(int=number)
        made, plain = made.having(key, str(len(plain))), {**plain, key: str(len(plain))}
    assert isinstance(made, Mapping)
    assert list(made.items()) == list(plain.items())
    assert made == plain
    assert UUID(int=4) not in made


def test_an_older_map_stays_as_it_was() -> None:
    """A state of the past does not change when the record goes on."""
    first = BucketMap[str]().having(UUID(int=1), "a")
    second = first.having(UUID(int=1), "b").having(UUID(int=65), "c")
    assert dict(first) == {UUID(int=1): "a"}
    assert (len(first), len(second)) == (1, 2)
