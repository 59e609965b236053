"""Proof packs: what holds, and what is found by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ledger.trust.format_fault import PackFormFault
from ledger.trust.log_tiles import LogTiles
from ledger.trust.map_published import MapStatement, read_map_published
from ledger.trust.map_tree import MapTree
from ledger.trust.note import Note
from ledger.trust.pack_check import PackTrust, check_pack, check_pack_file
from ledger.trust.pack_fault import PackFault, PackRefused
from ledger.trust.pack_making import PublishedMap, RecordNotMapped
from ledger.trust.policy import Peer, Policy
from ledger.trust.policy_file import parse_policy
from ledger.trust.proof_pack import LeafPlace, ProofPack, parse_proof_pack
from ledger.trust.record_map import MapRow, bucket_of, heads_of
from tests.unit.trust.sample_ledger import MONITOR, TIMES, SampleLedger, audit_note, filled, policy, record_id
from tests.unit.trust.tlog_samples import LOG, key

TRUST = PackTrust(policy(), (MONITOR.verifier(),), 3600)
RECORD = record_id(1)


def sample() -> tuple[ProofPack, PublishedMap]:
    """A record with events before and after the map."""
    ledger = filled(5, 33)
    published = ledger.publish_map()
    for number in (1, 2, 1):
        ledger.append(record_id(number))
    return ledger.pack(RECORD, published), published


PACK, PUBLISHED = sample()
PUBLISHED_ROOT = read_map_published(PACK.map_event.plaintext).root


def fault_of(pack: ProofPack, trust: PackTrust = TRUST) -> tuple[PackFault, int]:
    """The name of the first fault and the version where it is."""
    with pytest.raises(PackRefused) as refused:
        check_pack(pack, trust)
    return refused.value.fault, refused.value.version


@pytest.mark.parametrize("sealed", [True, False])
def test_a_pack_comes_back_and_holds(sealed: bool) -> None:
    """The file comes back as written and says how far nothing is missing, what is opened, who audited, since when."""
    ledger = filled(5, 33, sealed=sealed)
    published = ledger.publish_map()
    ledger.append(RECORD)
    data = ledger.pack(RECORD, published).encode()
    assert parse_proof_pack(data).encode() == data
    statement = check_pack_file(data, TRUST)
    assert (statement.record_id, len(statement.envelopes), statement.mapped_version) == (RECORD, 8, 7)
    assert (statement.map_size, statement.witnessed.checkpoint.size) == (33, 35)
    assert (statement.bodies, statement.opened) == (8, 8 if sealed else 0)
    assert statement.audited_by == (MONITOR.name,)
    assert statement.witnessed.proven_time == TIMES[1]


def test_bodies_may_be_left_out() -> None:
    """The same is proven without bodies, but for the map's own event."""
    bare = replace(PACK, events=tuple(replace(each, body=b"", salt=b"", plaintext=b"") for each in PACK.events))
    assert check_pack_file(bare.encode(), TRUST).bodies == 0
    assert fault_of(replace(PACK, map_event=replace(PACK.map_event, plaintext=b""))) == (PackFault.MAP_EVENT, 0)


def test_without_a_trusted_monitor_the_map_is_unaudited() -> None:
    """No note, and a note of a key that one does not trust, are the same: nobody has audited the map."""
    assert check_pack(replace(PACK, audit=None), TRUST).audited_by == ()
    assert check_pack(PACK, replace(TRUST, monitors=())).audited_by == ()


def test_a_key_alone_proves_no_time() -> None:
    """Without witnesses the log's own signature is enough, and the statement has no proven time."""
    trust = PackTrust(Policy((Peer(LOG.verifier()),), {}, {}, "none"))
    assert check_pack(PACK, trust).witnessed.proven_time is None


def _without(version: int) -> ProofPack:
    return replace(PACK, events=PACK.events[: version - 1] + PACK.events[version:])


def _with(version: int, **fields: bytes) -> ProofPack:
    events = list(PACK.events)
    events[version - 1] = replace(events[version - 1], **fields)
    return replace(PACK, events=tuple(events))


OTHER = filled(5, 33).events_of(record_id(2))[3].event
CHANGES: list[tuple[str, Callable[[], ProofPack], PackFault, int]] = [
    ("one event left out", lambda: _without(3), PackFault.VERSION, 3),
    ("the first left out", lambda: _without(1), PackFault.VERSION, 1),
    ("an event twice", lambda: replace(PACK, events=PACK.events[:2] + PACK.events[1:]), PackFault.VERSION, 3),
    ("two swapped", lambda: replace(PACK, events=PACK.events[1::-1] + PACK.events[2:]), PackFault.VERSION, 1),
    ("another record's event", lambda: _with(4, envelope=OTHER.envelope), PackFault.RECORD, 4),
    ("another record's pack", lambda: replace(PACK, record_id=record_id(2)), PackFault.RECORD, 1),
    ("no envelope", lambda: _with(2, envelope=b"\x08\x01"), PackFault.ENVELOPE, 2),
    ("another body", lambda: _with(2, body=b"other"), PackFault.BODY, 2),
    ("another plaintext", lambda: _with(2, plaintext=b"other"), PackFault.BODY, 2),
    ("a salt with a zero more", lambda: _with(2, salt=PACK.events[1].salt + b"\0"), PackFault.BODY, 2),
    ("a hidden tail", lambda: replace(PACK, events=PACK.events[:5], later=()), PackFault.HIDDEN_TAIL, 6),
    ("a later one hidden", lambda: replace(PACK, events=PACK.events[:-1]), PackFault.LATER_INCLUSION, 8),
    ("a later one elsewhere", lambda: replace(PACK, later=PACK.later[::-1]), PackFault.LATER_INCLUSION, 8),
    ("the head elsewhere", lambda: replace(PACK, head=replace(PACK.head, index=3)), PackFault.HEAD_INCLUSION, 7),
    ("the head after the map", lambda: replace(PACK, head=PACK.later[0]), PackFault.HEAD_INCLUSION, 7),
    ("the map elsewhere", lambda: replace(PACK, map_place=PACK.head), PackFault.MAP_INCLUSION, 0),
    ("no map", lambda: replace(PACK, map_event=PACK.events[0]), PackFault.MAP_EVENT, 0),
    ("another bucket", lambda: replace(PACK, bucket=MapRow(RECORD, 6, bytes(32)).encode()), PackFault.BUCKET, 0),
    ("a hash of the map less", lambda: replace(PACK, bucket_hashes=PACK.bucket_hashes[1:]), PackFault.BUCKET, 0),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "fault", "version"), [each[1:] for each in CHANGES], ids=[each[0] for each in CHANGES]
)
def test_each_change_is_found_by_name(change: Callable[[], ProofPack], fault: PackFault, version: int) -> None:
    """Whatever is left out, slipped in, doubled or exchanged in a pack is named, with the version where it is."""
    assert fault_of(change()) == (fault, version)


def false_map(rows: list[MapRow], *, size: int = 33) -> ProofPack:
    """A pack out of a ledger whose log published a map with these rows put over the right ones."""
    ledger = filled(5, 33)
    tree = MapTree()
    right = heads_of(each.event.envelope for each in ledger.events[:33])
    tree.put([*right.values(), *rows])
    published = ledger.publish_map(tree, size)
    for number in (1, 2, 1):
        ledger.append(record_id(number))
    return ledger.pack(RECORD, published)


def test_false_maps_are_found() -> None:
    """A map that names another head, leaves later events out, or speaks of what was not there yet."""
    wrong_head = false_map([MapRow(RECORD, 7, bytes(32))])
    assert fault_of(wrong_head) == (PackFault.WRONG_HEAD, 7)
    fifth = filled(5, 33).events_of(RECORD)[4].event.envelope
    hides = false_map(list(heads_of([fifth]).values()))
    assert fault_of(hides) == (PackFault.WRONG_MAP, 6)
    assert fault_of(false_map([], size=34)) == (PackFault.MAP_ORDER, 0)


def test_a_second_row_is_found() -> None:
    """A bucket in the published map that holds the record twice."""
    number, row = bucket_of(RECORD), MapRow(RECORD, 7, bytes(32)).encode()
    ledger = filled(5, 33)
    tree = MapTree({number: row + row})
    published = ledger.publish_map(tree)
    ledger.integrate()
    tiles = LogTiles(ledger.reader(), 34)
    events = ledger.events_of(RECORD)
    pack = ProofPack(
        record_id=RECORD,
        events=tuple(each.event for each in events),
        head=LeafPlace(events[-1].index, tiles.inclusion(events[-1].index)),
        later=(),
        map_event=published.published.event,
        map_place=LeafPlace(33, tiles.inclusion(33)),
        bucket=tree.bucket(number),
        bucket_hashes=tree.proof(number),
        audit=None,
        checkpoint=ledger.checkpoint(),
    )
    assert fault_of(pack) == (PackFault.SECOND_ROW, 0)


def test_a_record_that_the_map_does_not_know() -> None:
    """No pack is made of a record that came after the map; a bucket of others does not prove that it is complete."""
    ledger = filled(5, 33)
    published = ledger.publish_map()
    ledger.append(record_id(77))
    with pytest.raises(RecordNotMapped):
        ledger.pack(record_id(77), published)
    left_out = filled(5, 33)
    right = heads_of(each.event.envelope for each in left_out.events)
    other = next(each for each in range(1_000_000) if bucket_of(record_id(each)) == bucket_of(RECORD) and each != 1)
    tree = MapTree()
    tree.put([*(row for row in right.values() if row.record_id != RECORD), MapRow(record_id(other), 1, bytes(32))])
    published = left_out.publish_map(tree)
    left_out.integrate()
    tiles = LogTiles(left_out.reader(), 34)
    pack = replace(
        PACK,
        events=tuple(each.event for each in left_out.events_of(RECORD)),
        map_event=published.published.event,
        map_place=LeafPlace(33, tiles.inclusion(33)),
        bucket=tree.bucket(bucket_of(RECORD)),
        bucket_hashes=tree.proof(bucket_of(RECORD)),
        checkpoint=left_out.checkpoint(),
    )
    assert fault_of(pack) == (PackFault.NOT_IN_MAP, 0)


def test_a_map_s_age_needs_a_proven_time() -> None:
    """Without witnesses no age can be told; a map recorded well after it was seen is a clock's fault or a lie."""
    alone = parse_policy(f"log {LOG.verifier()}\nquorum none\n".encode())
    assert fault_of(PACK, PackTrust(alone, map_age_seconds_max=10**9)) == (PackFault.STALE_MAP, 0)
    ledger = filled(5, 600)
    ahead = ledger.pack(RECORD, ledger.publish_map())
    assert fault_of(ahead) == (PackFault.STALE_MAP, 0)


def test_a_stale_map_is_found() -> None:
    """A map older than the policy allows, by the proven time of the checkpoint; an old bucket under a new map too."""
    assert fault_of(PACK, replace(TRUST, map_age_seconds_max=10)) == (PackFault.STALE_MAP, 0)
    ledger = filled(5, 33)
    old = ledger.publish_map()
    ledger.append(RECORD)
    new = ledger.publish_map()
    mixed = replace(
        ledger.pack(RECORD, old),
        map_event=new.published.event,
        map_place=ledger.pack(RECORD, new).map_place,
    )
    assert fault_of(mixed) == (PackFault.BUCKET, 0)


def test_other_logs_and_keys_are_refused() -> None:
    """A checkpoint of another key, of another origin under a trusted key, and one without its quorum."""
    stranger = key(LOG.name, LOG.kind)
    other_key = replace(LOG, seed=bytes(32)).verifier()
    assert stranger.verifier() == LOG.verifier()
    assert fault_of(PACK, PackTrust(Policy((Peer(other_key),), {}, {}, "none")))[0] is PackFault.CHECKPOINT
    ledger = filled(5, 33)
    published = ledger.publish_map()
    pack = ledger.pack(RECORD, published)
    assert fault_of(replace(pack, checkpoint=ledger.checkpoint(TIMES[:1])))[0] is PackFault.QUORUM
    south = replace(LOG, name="ledger.example/south/1")
    foreign = SampleLedger(origin=south.name, log=south)
    for at in range(33):
        foreign.append(record_id(at % 5))
    moved = foreign.pack(RECORD, foreign.publish_map())
    assert fault_of(moved)[0] is PackFault.CHECKPOINT
    both = Policy((Peer(LOG.verifier()), Peer(south.verifier())), {}, {}, "none")
    assert fault_of(replace(pack, checkpoint=moved.checkpoint), PackTrust(both)) == (PackFault.ORIGIN, 1)


def test_what_the_monitor_says_counts() -> None:
    """A trusted monitor that found another root, or a note about another map, is named; a broken signature too."""
    said = MapStatement(33, 5, PUBLISHED_ROOT)
    for note in (
        audit_note(33, said, replace(said, root=bytes(32))),
        audit_note(33, said, replace(said, rows=6)),
        audit_note(32, said, said),
        audit_note(33, said, said, origin="ledger.example/south/1"),
        replace(audit_note(33, said, said), text="nothing\n"),
        Note("nothing\n", (MONITOR.sign("nothing\n"),)),
    ):
        assert fault_of(replace(PACK, audit=note)) == (PackFault.AUDIT, 0)
    assert check_pack(replace(PACK, audit=audit_note(33, said, said)), TRUST).audited_by == (MONITOR.name,)


NO_PACKS: list[Callable[[bytes], bytes]] = [
    lambda data: b"",
    lambda data: data.replace(b"@v1", b"@v2"),
    lambda data: data.replace(b"record ", b"record  "),
    lambda data: data.replace(b"record ", b"record zz"),
    lambda data: data.replace(b"record ", b"record 00"),
    lambda data: data.replace(b"\nhead ", b"\nhead 0"),
    lambda data: data.replace(b"\nhead ", b"\nhead x"),
    lambda data: data.replace(b"\nbucket ", b"\nbasket "),
    lambda data: data.replace(b"\nbucket ", b"\nbucket A"),
    lambda data: data.replace(b"\n\n", b"\nmore 1\n\n", 1),
    lambda data: data.replace(b"\n\n", b"\n", 1),
    lambda data: data.replace(b"\nevent ", b"\nevent\xc3\xa9 ", 1),
    lambda data: data.replace(b"\nbody ", b"\nbody \nbody ", 1),
    lambda data: data.replace(b"\n", b"\r\n"),
    lambda data: data.replace(b"\naudit ", b"\naudit QUFB\naudit "),
]  # fmt: skip


@pytest.mark.parametrize("change", NO_PACKS)
def test_no_pack(change: Callable[[bytes], bytes]) -> None:
    """Other headers, words, numbers, spellings and further lines are refused with the place."""
    data = PACK.encode()
    with pytest.raises(PackFormFault):
        parse_proof_pack(change(data))
    with pytest.raises(PackRefused) as refused:
        check_pack_file(change(data), TRUST)
    assert refused.value.fault is PackFault.FORM
