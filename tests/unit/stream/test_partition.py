"""Partition of a stream id: Kafka's own function, to the bit."""

from uuid import UUID, uuid5

import pytest
from kafka.partitioner.default import murmur2 as librarys_murmur2  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

from ledger.stream.partition import murmur2, partition_of

NAMESPACE = UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")


@pytest.mark.parametrize(
    ("data", "hashed"),
    # From Apache Kafka's UtilsTest.testMurmur2, as unsigned numbers.
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_hash_is_kafkas(data: bytes, hashed: int) -> None:
    assert murmur2(data) == hashed & 0xFFFFFFFF


def test_hash_is_the_librarys_for_a_thousand_ids() -> None:
    for number in range(1000):
        data = uuid5(NAMESPACE, str(number)).bytes
        assert murmur2(data) == librarys_murmur2(data) & 0xFFFFFFFF


@pytest.mark.parametrize(
    ("stream_id", "of_1", "of_6", "of_256"),
    [
        ("00000000-0000-4000-8000-000000000000", 0, 2, 96),
        ("7d444840-9dc0-11d1-b245-5ffdce74fad2", 0, 5, 21),
        ("ffffffff-ffff-4fff-bfff-ffffffffffff", 0, 4, 118),
    ],
)
def test_partitions_never_change(stream_id: str, of_1: int, of_6: int, of_256: int) -> None:
    """A stream that moved to another partition would lose its order."""
    data = UUID(stream_id).bytes
    assert (partition_of(data, 1), partition_of(data, 6), partition_of(data, 256)) == (of_1, of_6, of_256)
