"""Archive files say everything that the ledger holds, can be checked alone, and survive a kill at any moment."""

import json
from base64 import b64decode
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import pytest

from consumers.archive_office.archive_line import BadArchiveLine, archive_line, read_line
from consumers.archive_office.archived_tree import ArchiveDiffers, ArchivedTree
from consumers.archive_office.manifest import BadManifest, read_manifest
from consumers.archive_office.record_file import ArchiveFileChanged
from consumers.archive_office.shelf import Shelf
from consumers.archive_office.verification import verify_archive
from ledger.api.v1.keeping_events_pb2 import RecordDestroyed
from ledger.api.v1.stream_pb2 import StoredEvent
from ledger.trust.checkpoint import Checkpoint
from ledger.trust.leaf import leaf_hash
from ledger.trust.merkle import Frontier
from ledger.trust.policy import Witnessed
from ledger.trust.root_watch import RootWatch
from ledger.trust.sealing import Destroyed, Opening, SealFault, SealFaultKind
from ledger.trust.verify import Fault, LedgerWalk, Row, RowFault, Summary
from tests.services.sealed import opened_body
from tests.unit.consumers.histories import RECORD, History, short_history
from tests.unit.trust.tlog_samples import LOG

OTHER = UUID("44444444-4444-4444-8444-444444444444")


def _ledger() -> list[StoredEvent]:
    one, other = short_history(), History(OTHER)
    events = list(one.events)
    events.append(other.add(b"", "ledger.v1.CareStarted", 4))
    events.append(one.add(b"", "ledger.v1.CareStarted", 5))
    return events


def _line(event: StoredEvent) -> bytes:
    return archive_line(event, opened_body(event.envelope, event.body))


EVENTS = _ledger()


def _archive(folder: Path, events: list[StoredEvent], checkpoint: Checkpoint | None = None) -> Shelf:
    """What the archive office does, without the network."""
    shelf = Shelf(folder, "north")
    manifest = shelf.manifest
    walk = LedgerWalk(
        position=manifest.head_position,
        origin=manifest.origin,
        digest=bytes.fromhex(manifest.digest),
        chain_of=lambda seen: shelf.chain_of(seen.stream_id),
    )
    tree = ArchivedTree(folder, manifest, checkpoint)
    for event in events:
        tree.take(leaf_hash(event.envelope))
        assert walk.take(Row(event.position, event.envelope, event.body)) is None
    shelf.put((event, opened_body(event.envelope, event.body)) for event in events)
    tree.require_compared()
    summary = walk.summary()
    shelf.commit(summary.origin, summary.last_position, summary.digest, tree.peaks)
    return shelf


def test_a_line_holds_the_bytes_and_says_them_for_people() -> None:
    """The bytes come back unchanged; the body is readable beside them."""
    row = json.loads(_line(EVENTS[0]))
    assert b64decode(row["envelope"]) == EVENTS[0].envelope
    assert b64decode(row["body"]) == EVENTS[0].body
    assert row["body_json"]["case_number"] == "C-1"
    assert (row["position"], row["version"], row["type"]) == (1, 1, "ledger.v1.RecordRegistered")
    assert row["iso_code"] == "originate"
    found = read_line(_line(EVENTS[0]))
    assert (found.position, found.envelope, found.body) == (1, EVENTS[0].envelope, EVENTS[0].body)


def test_an_event_of_a_type_that_this_release_does_not_know_is_kept_all_the_same() -> None:
    """An archive keeps bytes; reading them is for later."""
    event = History().add(b"\xff\xff", "ledger.v9.Unheard")
    row = json.loads(_line(event))
    assert (row["iso_code"], row["body_json"]) == (None, None)
    assert read_line(_line(event)).body == event.body


@pytest.mark.parametrize("opening", [Destroyed(), SealFault(SealFaultKind.KEY_MISSING)])
def test_a_body_that_does_not_open_is_kept_sealed(opening: Opening) -> None:
    """An archive of a destroyed record keeps its place in the chain; there is nothing for people in it."""
    row = json.loads(archive_line(EVENTS[0], opening))
    assert (row["body_json"], b64decode(row["body"])) == (None, EVENTS[0].body)


@pytest.mark.parametrize("line", [b"", b"{}", b"not json", b'{"position":1}', _line(EVENTS[0])[:-9]])
def test_what_is_no_line_is_refused(line: bytes) -> None:
    """Cut short, empty, or something else."""
    with pytest.raises(BadArchiveLine):
        read_line(line)


def test_an_archive_written_in_parts_is_the_one_written_at_once(tmp_path: Path) -> None:
    """To the byte, manifest included."""
    _archive(tmp_path / "once", EVENTS)
    for count in range(len(EVENTS)):
        _archive(tmp_path / "parts", EVENTS[count : count + 1])
    once, parts = (_contents(tmp_path / name) for name in ("once", "parts"))
    assert once == parts
    assert isinstance(verify_archive(tmp_path / "parts"), Summary)


@pytest.mark.parametrize("rest", [b"", b'{"half', _line(EVENTS[4]), _line(EVENTS[4])[:20]])
def test_what_a_killed_run_left_behind_the_manifest_does_not_count(tmp_path: Path, rest: bytes) -> None:
    """The next run cuts it off and writes it again."""
    _archive(tmp_path / "once", EVENTS)
    _archive(tmp_path / "killed", EVENTS[:4])
    with _file(tmp_path / "killed", RECORD).open("ab") as file:
        file.write(rest)
    assert isinstance(verify_archive(tmp_path / "killed"), Summary)
    _archive(tmp_path / "killed", EVENTS[4:])
    assert _contents(tmp_path / "killed") == _contents(tmp_path / "once")


def test_files_of_a_run_that_never_came_to_a_manifest_are_written_anew(tmp_path: Path) -> None:
    """They count as nothing."""
    _archive(tmp_path / "once", EVENTS)
    shelf = Shelf(tmp_path / "killed", "north")
    shelf.put((event, opened_body(event.envelope, event.body)) for event in EVENTS[:3])
    _archive(tmp_path / "killed", EVENTS)
    assert _contents(tmp_path / "killed") == _contents(tmp_path / "once")


def test_any_byte_changed_in_a_file_is_found(tmp_path: Path) -> None:
    """By the digest in the manifest, before anything else is looked at."""
    _archive(tmp_path, EVENTS)
    path = _file(tmp_path, RECORD)
    data = path.read_bytes()
    for at in (0, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :])
        with pytest.raises(ArchiveFileChanged):
            verify_archive(tmp_path)
    path.write_bytes(data)
    assert isinstance(verify_archive(tmp_path), Summary)


def test_a_file_changed_together_with_its_digest_is_found_by_the_chain(tmp_path: Path) -> None:
    """Whoever rewrites file and manifest still cannot make a chain."""
    _archive(tmp_path, EVENTS)
    path = _file(tmp_path, RECORD)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:1] + lines[2:]))
    _set_entry(tmp_path, RECORD, path.read_bytes())
    assert verify_archive(tmp_path) == Fault(RowFault.POSITION, 2, b"", 0)


def test_a_line_that_tells_people_something_else_than_its_bytes_is_found(tmp_path: Path) -> None:
    """What stands beside the envelope must say what the envelope says."""
    _archive(tmp_path, EVENTS)
    path = _file(tmp_path, RECORD)
    path.write_bytes(path.read_bytes().replace(b'"version":2', b'"version":7'))
    _set_entry(tmp_path, RECORD, path.read_bytes())
    assert verify_archive(tmp_path) == Fault(RowFault.COLUMN, 2, RECORD.bytes, 2)


def test_a_missing_file_is_found(tmp_path: Path) -> None:
    """By name."""
    _archive(tmp_path, EVENTS)
    _file(tmp_path, OTHER).unlink()
    with pytest.raises(ArchiveFileChanged, match=str(OTHER)):
        verify_archive(tmp_path)


def test_a_changed_file_is_not_written_on(tmp_path: Path) -> None:
    """The office checks a file before it adds to it."""
    _archive(tmp_path, EVENTS[:4])
    path = _file(tmp_path, RECORD)
    path.write_bytes(path.read_bytes().replace(b"C-1", b"C-2"))
    before = _contents(tmp_path)
    with pytest.raises(ArchiveFileChanged):
        _archive(tmp_path, EVENTS[4:])
    assert _contents(tmp_path) == before


def test_the_folder_of_another_hospital_is_refused(tmp_path: Path) -> None:
    """Two ledgers never mix."""
    _archive(tmp_path, EVENTS)
    with pytest.raises(BadManifest, match="north"):
        Shelf(tmp_path, "south")


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"format": 2}', '{"format": 1, "records": []}'])
def test_a_manifest_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    """By name, never taken for an empty archive."""
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(BadManifest):
        read_manifest(tmp_path)


def test_a_manifest_that_names_a_file_elsewhere_is_refused(tmp_path: Path) -> None:
    """An archive reads nothing outside its own folder."""
    _archive(tmp_path, EVENTS)
    manifest = tmp_path / "manifest.json"
    manifest.write_text(manifest.read_text().replace("records/", "records/../../"))
    with pytest.raises(BadManifest):
        verify_archive(tmp_path)


def _file(folder: Path, record: UUID) -> Path:
    return folder / "records" / f"{record}.jsonl"


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _set_entry(folder: Path, record: UUID, data: bytes) -> None:
    """Rewrites the manifest to fit the forged file."""
    path = folder / "manifest.json"
    row = json.loads(path.read_bytes())
    entry = row["records"][str(record)]
    entry.update(size=len(data), sha256=sha256(data).hexdigest(), events=data.count(b"\n"))
    path.write_text(json.dumps(row))


def _head(size: int) -> Checkpoint:
    tree = Frontier()
    tree.extend(leaf_hash(event.envelope) for event in EVENTS[:size])
    return Checkpoint("ledger.example/north/1", size, tree.root())


@pytest.mark.parametrize("size", range(1, len(EVENTS) + 1))
def test_an_archive_is_compared_with_what_the_log_has_signed(tmp_path: Path, size: int) -> None:
    """A head of the very history passes, wherever the archive stood; one of another history names its position."""
    _archive(tmp_path, EVENTS[:3])
    _archive(tmp_path, EVENTS[3:], _head(size))
    _archive(tmp_path, [], _head(size))
    other = replace(_head(size), root=bytes(32))
    with pytest.raises(ArchiveDiffers) as differs:
        _archive(tmp_path, [], other)
    assert differs.value.position == size


def _cut_line(folder: Path, record: UUID, said: str) -> None:
    """What the first line of a record says of one thing is altered; the manifest fits."""
    path = folder / "records" / f"{record}.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    row = json.loads(lines[0])
    row[said] = row[said][:-4] + "AAA=" if said == "body" else "00" * 32
    data = json.dumps(row, separators=(",", ":")).encode() + b"\n" + b"".join(lines[1:])
    path.write_bytes(data)
    _set_entry(folder, record, data)


@pytest.mark.parametrize("size", range(1, len(EVENTS) + 1))
def test_an_archive_is_read_from_a_checkpoint_on(tmp_path: Path, size: int) -> None:
    """Ranges of any length say what the whole says; leaf hashes below lead to its root, nothing else is looked at."""
    _archive(tmp_path, EVENTS)
    whole = verify_archive(tmp_path)
    assert isinstance(whole, Summary)
    for events in (1, 2, 5):
        assert verify_archive(tmp_path, range_events=events) == whole
        watch = RootWatch([Witnessed(_head(size), LOG.verifier(), {}, None)])
        found = verify_archive(tmp_path, watch, since=size, range_events=events)
        assert isinstance(found, Summary)
        assert (found.events, found.last_position, found.digest) == (len(EVENTS) - size, len(EVENTS), whole.digest)
    _cut_line(tmp_path, RECORD, "body")
    assert isinstance(verify_archive(tmp_path), Fault)
    watch = RootWatch([Witnessed(_head(size), LOG.verifier(), {}, None)])
    assert isinstance(verify_archive(tmp_path, watch, since=size), Summary)
    _cut_line(tmp_path, RECORD, "leaf_hash")
    watch = RootWatch([Witnessed(_head(size), LOG.verifier(), {}, None)])
    assert verify_archive(tmp_path, watch, since=size) == Fault(RowFault.SIGNED_ROOT, size, b"", 0)


def test_several_processes_check_an_archive(tmp_path: Path) -> None:
    """A line that is no event is named by the process that met it, as by one alone."""
    _archive(tmp_path, EVENTS)
    whole = verify_archive(tmp_path)
    assert verify_archive(tmp_path, processes=2, range_events=3) == whole
    path = tmp_path / "records" / f"{RECORD}.jsonl"
    data = path.read_bytes().replace(b'"envelope":', b'"envelope ":', 1)
    path.write_bytes(data)
    _set_entry(tmp_path, RECORD, data)
    with pytest.raises(ArchiveFileChanged, match="a line that is no event"):
        verify_archive(tmp_path, processes=2, range_events=3)


def test_an_archive_that_was_served_less_than_was_signed_does_not_count(tmp_path: Path) -> None:
    """A service that leaves out the newest events is found by the head that its log has signed."""
    with pytest.raises(ArchiveDiffers):
        _archive(tmp_path, EVENTS[:3], _head(5))
    assert read_manifest(tmp_path) is None


def test_an_archive_of_an_earlier_release_is_compared_too(tmp_path: Path) -> None:
    """A manifest without a tree: it is built anew from the files."""
    _archive(tmp_path, EVENTS[:4])
    row = json.loads((tmp_path / "manifest.json").read_bytes())
    del row["tree_peaks"]
    (tmp_path / "manifest.json").write_text(json.dumps(row))
    _archive(tmp_path, EVENTS[4:], _head(5))


def test_a_destroyed_record_leaves_no_readable_file(tmp_path: Path) -> None:
    """What its bodies said is in no file any more, also after a kill before the removal; the archive still verifies."""
    history = short_history()
    _archive(tmp_path, list(history.events))
    readable = tmp_path / "records" / f"{RECORD}.jsonl"
    before = readable.read_bytes()
    assert b'"case_number"' in before, "the search would find it"
    said = RecordDestroyed(list_id=str(OTHER)).SerializeToString()
    _archive(tmp_path, [history.add(said, "ledger.v1.RecordDestroyed")])
    assert not readable.exists()
    readable.write_bytes(before)  # as if it had been killed before the removal
    shelf = Shelf(tmp_path, "north")
    assert not readable.exists()
    kept = (tmp_path / shelf.manifest.records[str(RECORD)].file).read_bytes()
    assert b'"case_number"' not in kept
    assert str(OTHER).encode() in kept, "by which list it went stays"
    assert isinstance(verify_archive(tmp_path), Summary)
