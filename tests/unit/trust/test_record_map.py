"""The record map: rows, buckets, tree."""

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.trust.format_fault import BucketFull, MapFault, ProofFault
from ledger.trust.leaf import leaf_hash
from ledger.trust.log_tiles import FileMissing
from ledger.trust.map_published import MapStatement, read_map_published
from ledger.trust.map_tree import MapTree, buckets_in, check_bucket
from ledger.trust.merkle import Frontier
from ledger.trust.record_map import (
    BUCKETS,
    ROW_BYTES,
    ROWS_MAX,
    MapRow,
    bucket_of,
    decode_bucket,
    encode_bucket,
    heads_before,
    heads_of,
    with_rows,
)
from ledger.trust.tile import BundleId, TileId
from tests.unit.trust.sample_ledger import MAP_STREAM, filled, map_body, record_id

ROWS = [MapRow(record_id(number), number + 1, sha256(b"%d" % number).digest()) for number in range(40)]


def ids_of_one_bucket(count: int) -> list[bytes]:
    """Different ids that fall into bucket 7, found by trying."""
    found: list[bytes] = []
    at = 0
    while len(found) < count:
        candidate = at.to_bytes(16, "big")
        if bucket_of(candidate) == 7:
            found.append(candidate)
        at += 1
    return found


IN_ONE = ids_of_one_bucket(3)


def test_rows_and_buckets_have_one_spelling() -> None:
    """A row is 56 bytes, a bucket its rows in order of id, whatever the order they came in."""
    rows = [MapRow(each, 5, bytes(32)) for each in IN_ONE]
    data = encode_bucket(reversed(rows))
    assert data == b"".join(each + (5).to_bytes(8, "big") + bytes(32) for each in sorted(IN_ONE))
    assert decode_bucket(7, data) == sorted(rows, key=lambda row: row.record_id)
    assert decode_bucket(7, b"") == []


@pytest.mark.parametrize(
    ("number", "data"),
    [
        (7, MapRow(IN_ONE[0], 1, bytes(32)).encode()[:-1]),
        (7, MapRow(IN_ONE[0], 1, bytes(32)).encode() * 2),
        (7, MapRow(IN_ONE[1], 1, bytes(32)).encode() + MapRow(IN_ONE[0], 1, bytes(32)).encode()),
        (8, MapRow(IN_ONE[0], 1, bytes(32)).encode()),
        (7, MapRow(IN_ONE[0], 0, bytes(32)).encode()),
        (7, bytes(ROW_BYTES * (ROWS_MAX + 1))),
    ],
)
def test_torn_doubled_unordered_or_misplaced_rows_are_no_bucket(number: int, data: bytes) -> None:
    """A bucket whose reader could be told two things about one record is refused."""
    with pytest.raises(MapFault):
        decode_bucket(number, data)


def test_a_full_bucket_names_the_next_map_version() -> None:
    """Above 1,000 rows the error says which map version comes next, and nothing is put in."""
    rows = [MapRow(number.to_bytes(16, "big"), 1, bytes(32)) for number in range(ROWS_MAX + 1)]
    assert len(encode_bucket(rows[:-1])) == ROWS_MAX * ROW_BYTES
    with pytest.raises(BucketFull, match="version 2 has buckets of 24 bits"):
        encode_bucket(rows)


def test_with_rows_replaces_and_adds() -> None:
    """A record's new row takes the place of its old one."""
    data = encode_bucket([MapRow(IN_ONE[0], 1, bytes(32)), MapRow(IN_ONE[1], 1, bytes(32))])
    after = with_rows(7, data, [MapRow(IN_ONE[1], 2, bytes(32)), MapRow(IN_ONE[2], 1, bytes(32))])
    assert {row.record_id: row.version for row in decode_bucket(7, after)} == {
        IN_ONE[0]: 1, IN_ONE[1]: 2, IN_ONE[2]: 1
    }  # fmt: skip


def test_the_tree_is_rfc_6962_s_over_every_bucket() -> None:
    """The root is that of 65,536 leaves put into a frontier one by one; each bucket's proof leads to it."""
    tree = MapTree()
    tree.put(ROWS)
    frontier = Frontier()
    frontier.extend(leaf_hash(tree.bucket(number)) for number in range(BUCKETS))
    assert (tree.root(), tree.rows) == (frontier.root(), len(ROWS))
    held = bucket_of(ROWS[0].record_id)
    for number in (0, held, BUCKETS - 1):
        check_bucket(number, tree.bucket(number), tree.proof(number), tree.root())
    with pytest.raises(ProofFault):
        check_bucket(held ^ 1, tree.bucket(held), tree.proof(held), tree.root())
    with pytest.raises(ProofFault):
        check_bucket(held, tree.bucket(held), tree.proof(held)[:-1], tree.root())


@settings(deadline=None, max_examples=15)
@given(st.lists(st.tuples(st.integers(0, 39), st.integers(1, 9)), max_size=30), st.integers(0, 30))
def test_growing_and_building_anew_agree(changes: list[tuple[int, int]], cut: int) -> None:
    """A map grown from an earlier one, only the changed tiles rewritten, equals the one built from nothing."""
    rows = [MapRow(record_id(number), version, sha256(b"%d" % version).digest()) for number, version in changes]
    before, whole = MapTree(), MapTree()
    before.put(rows[:cut])
    tiles = {index: before.tile(index) for index in range(256)}
    bundles = {index: before.bundle(index) for index in range(256)}
    grown = MapTree({n: each for at, data in bundles.items() for n, each in buckets_in(BundleId(at), data).items()})
    for index in grown.put(rows[cut:]):
        tiles[index], bundles[index] = grown.tile(index), grown.bundle(index)
    whole.put(rows)
    assert (grown.root(), grown.rows) == (whole.root(), whole.rows)
    assert [tiles[index] for index in range(256)] == [whole.tile(index) for index in range(256)]
    assert [bundles[index] for index in range(256)] == [whole.bundle(index) for index in range(256)]


def test_heads_leave_out_the_map_s_own_events() -> None:
    """Each record stands at its last event; events that publish maps stand in none."""
    ledger = filled(3, 8)
    ledger.publish_map()
    ledger.append(record_id(0))
    heads = heads_of(each.event.envelope for each in ledger.events)
    assert {row.record_id: row.version for row in heads.values()} == {record_id(0): 4, record_id(1): 3, record_id(2): 2}
    assert MAP_STREAM not in heads
    assert heads[record_id(0)].head_leaf == leaf_hash(ledger.events[-1].event.envelope)


STATEMENT = MapStatement(300, 17, bytes(range(32)))


def test_published_map_is_read_strictly() -> None:
    """Exactly the fields in order, each once; a cut or longer body, or another map version, is refused."""
    body = map_body(STATEMENT)
    assert read_map_published(body) == STATEMENT
    assert read_map_published(map_body(MapStatement(1, 0, bytes(32)))).rows == 0
    broken = [body[:end] for end in range(len(body))] + [
        body + b"\x00",
        body[:-1] + b"\x02",
        body[5:],
        body + body[-2:],
    ]
    for each in broken:
        with pytest.raises(MapFault):
            read_map_published(each)


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 12), st.integers(1, 60), st.integers(0, 60))
def test_a_map_is_taken_back_to_an_earlier_size(records: int, events: int, earlier: int) -> None:
    """What the entries after a size have changed, taken back, leaves the map of that size, file by file."""
    earlier = min(earlier, events)
    ledger = filled(records, events)
    ledger.publish_map()
    ledger.append(record_id(0))
    tree, before = ledger.map_tree(len(ledger.events)), ledger.map_tree(earlier)
    tree.take_back(heads_before(each.event.envelope for each in ledger.events[earlier:]))
    assert (tree.rows, tree.root()) == (before.rows, before.root())
    for at in range(256):
        for path in (BundleId(at).entries_path, TileId(0, at).path):
            assert tree.read(path) == before.read(path)
    assert tree.read(BundleId(7).entries_path) == before.bundle(7)
    assert tree.read(TileId(0, 7).path) == before.tile(7).data
    for tile in before.top():
        assert tree.read(tile.id.path) == tile.data
    with pytest.raises(FileMissing):
        tree.read("checkpoint")
