"""A log's own check: it finds every change of every file, and names the file."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from ledger.blobs.directory import DirectoryBlobs
from ledger.cli.verify import verify
from ledger.integrator.signed_log import SignedLog
from ledger.log.fsck import LogWalking, check_log
from ledger.log.log_fault import LogFault, Read
from ledger.log.log_growth import StoredLeaf
from ledger.trust.checkpoint import Checkpoint
from ledger.trust.envelope import decode, encode
from ledger.trust.note import Note
from tests.fault.test_integration_step import EVENTS, files_in, step
from tests.unit.trust.tlog_samples import LOG, WITNESSES

SIZE = 300
FILES = (
    "checkpoint", "tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/44",
    "bodies/000", "bodies/001.p/44",
)  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of 300 leaves."""
    folder = tmp_path_factory.mktemp("log")
    step(folder, SIZE)
    return folder / "north"


@pytest.fixture
def log(whole: Path, tmp_path: Path) -> Path:
    """A copy to be changed."""
    return Path(shutil.copytree(whole, tmp_path / "north"))


@dataclass(frozen=True)
class Opened:
    """How another process opens a folder's log."""

    folder: Path

    @contextmanager
    def __call__(self) -> Generator[Read]:
        yield DirectoryBlobs(self.folder).get


def check(folder: Path, *, bodies: bool = True) -> int:
    return check_log(DirectoryBlobs(folder).get, LOG.verifier(), walking=LogWalking(bodies=bodies)).checkpoint.size


def test_a_whole_log_holds(whole: Path) -> None:
    """With its bodies, and without them."""
    assert check(whole) == SIZE
    assert check(whole, bodies=False) == SIZE
    assert {str(each.relative_to(whole)) for each in whole.rglob("*") if each.is_file()} == {
        *FILES,
        "signed",
        "heads/000",
        "heads/300",
    }


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("change", ["flip first", "flip last", "truncate", "empty", "longer", "delete"])
def test_every_change_of_every_file_is_found(log: Path, file: str, change: str) -> None:
    """A bit flipped, bytes cut or added, the file gone: one fault."""
    path = log / file
    data = bytearray(path.read_bytes())
    match change:
        case "flip first":
            data[0] ^= 1
        case "flip last":
            data[-2] ^= 1
        case "truncate":
            del data[-1]
        case "longer":
            data += b"\n"
        case _:
            data.clear()
    path.write_bytes(data)
    if change == "delete":
        path.unlink()
    with pytest.raises(LogFault):
        check(log)


@pytest.mark.parametrize(("one", "other"), [("tile/0/000", "tile/1/000.p/1"), ("tile/entries/000", "bodies/000")])
def test_files_that_changed_places_are_found(log: Path, one: str, other: str) -> None:
    """Each file is checked as what its path says."""
    first, second = (log / one).read_bytes(), (log / other).read_bytes()
    (log / one).write_bytes(second)
    (log / other).write_bytes(first)
    with pytest.raises(LogFault):
        check(log)


@pytest.mark.parametrize(
    ("file", "at", "kind", "position"),
    [
        ("bodies/000", 5, "BODY", 1),
        ("tile/entries/001.p/44", 2, "ENVELOPE", 257),
        ("tile/entries/000", 1, "BUNDLE at positions 1 to 256", 1),
        ("tile/0/000", 32 * 41 + 3, "TILE", 42),
        ("tile/1/000.p/1", 3, "TILE over positions 1 to 256", 1),
    ],
)
def test_the_first_fault_is_named_with_position_record_and_kind(
    log: Path, file: str, at: int, kind: str, position: int
) -> None:
    """As `ledger verify` names one of a ledger: from a file that is wrong to the event that it is about."""
    data = bytearray((log / file).read_bytes())
    data[at] ^= 1
    (log / file).write_bytes(data)
    with pytest.raises(LogFault) as found:
        check(log)
    fault = found.value
    assert (fault.path, fault.position) == (file, position)
    assert fault.what.startswith(kind)
    if kind in ("BODY", "TILE"):
        assert fault.stream_id == decode(EVENTS[position - 1].envelope).stream_id
        assert f"{kind} at position {position}, record {fault.stream_id.hex()}" in fault.what


def test_a_chain_that_breaks_is_found_though_tree_and_signature_hold(tmp_path: Path) -> None:
    """A log may sign a tree whose leaves do not follow each other: every chain is walked."""
    second = replace(decode(EVENTS[1].envelope), stream_id=decode(EVENTS[0].envelope).stream_id)
    signed = SignedLog(files_in(tmp_path), LOG.name, LOG)
    signed.take([EVENTS[0], StoredLeaf(2, encode(second), EVENTS[1].body)])
    signed.publish(signed.sign(), signed.signed)
    with pytest.raises(LogFault, match="VERSION at position 2") as fault:
        check(tmp_path / "north")
    assert fault.value.path == "tile/entries/000.p/2"
    assert check(tmp_path / "north", bodies=False) == 2


def test_another_key_is_refused(whole: Path) -> None:
    """A log counts under the key it is asked for alone."""
    with pytest.raises(LogFault) as fault:
        check_log(DirectoryBlobs(whole).get, WITNESSES[0].verifier())
    assert fault.value.path == "checkpoint"


def test_a_remembered_head_finds_a_log_that_was_put_back(whole: Path, log: Path, tmp_path: Path) -> None:
    """With it another root or a larger head is named; without it the command says that it cannot be said."""
    key, kept = str(LOG.verifier()), tmp_path / "kept.checkpoint"
    command = ["log", str(log), "--key", key]
    kept.write_bytes((whole / "checkpoint").read_bytes())
    assert "1 remembered" in CliRunner().invoke(verify, [*command, "--checkpoint", str(kept)]).output
    assert "cannot be said" in CliRunner().invoke(verify, command).output
    for size, root in ((SIZE + 1, bytes(32)), (SIZE - 1, bytes(32))):
        text = Checkpoint(LOG.name, size, root).text()
        kept.write_bytes(Note(text, (LOG.sign(text),)).encode())
        found = CliRunner().invoke(verify, [*command, "--checkpoint", str(kept)])
        assert (found.exit_code, "remembered head" in found.output) == (1, True), found.output


RANGES = (
    LogWalking(range_leaves=256),
    LogWalking(range_leaves=256, since=256),
    LogWalking(bodies=False, range_leaves=256),
)


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("walking", RANGES, ids=["ranges", "since", "entries"])
def test_range_by_range_is_found_what_is_found_at_once(log: Path, file: str, walking: LogWalking) -> None:
    """The same file, position, record and words; a body below what was verified before alone is not looked at."""
    data = bytearray((log / file).read_bytes())
    data[37 % len(data)] ^= 1
    (log / file).write_bytes(data)
    found: list[tuple[str, int, bytes, str] | None] = []
    for each in (replace(walking, range_leaves=512, since=0), walking):
        try:
            check_log(DirectoryBlobs(log).get, LOG.verifier(), walking=each)
            found.append(None)
        except LogFault as fault:
            found.append((fault.path, fault.position, fault.stream_id, fault.what))
    unseen = file.startswith("bodies") if not walking.bodies else (walking.since and file == "bodies/000")
    assert (found[1] is None) == bool(unseen)
    assert unseen or found[0] == found[1]


def test_a_chain_that_breaks_between_two_ranges_is_found(tmp_path: Path) -> None:
    """Also where the first of them was verified before: the envelopes say where each record stood."""
    broken = [*EVENTS[:SIZE]]
    stream_id = decode(broken[9].envelope).stream_id
    third = replace(decode(broken[280].envelope), stream_id=stream_id, stream_version=3, prev_leaf=bytes(32))
    broken[280] = StoredLeaf(281, encode(third), broken[280].body)
    signed = SignedLog(files_in(tmp_path / "broken"), LOG.name, LOG)
    signed.take(broken)
    signed.publish(signed.sign(), signed.signed)
    for walking in (RANGES[0], RANGES[1], LogWalking()):
        with pytest.raises(LogFault, match="VERSION at position 281") as fault:
            check_log(DirectoryBlobs(tmp_path / "broken" / "north").get, LOG.verifier(), walking=walking)
        assert fault.value.path == "tile/entries/001.p/44"


def test_the_command_reads_bodies_from_a_checkpoint_on(log: Path, tmp_path: Path) -> None:
    """Up to it bodies are not read, and it says so; a checkpoint of another log or root covers nothing."""
    key, kept = str(LOG.verifier()), tmp_path / "kept.checkpoint"
    command = ["log", str(log), "--key", key, "--jobs", "1", "--since", str(kept)]
    (log / "bodies" / "000").unlink()
    kept.write_bytes((log / "checkpoint").read_bytes())
    found = CliRunner().invoke(verify, command)
    assert (found.exit_code, "44 bodies" in found.output, "not read again" in found.output) == (0, True, True)
    for origin, root in (("ledger.example/other/1", bytes(32)), (LOG.name, bytes(32))):
        text = Checkpoint(origin, SIZE - 1, root).text()
        kept.write_bytes(Note(text, (LOG.sign(text),)).encode())
        assert CliRunner().invoke(verify, command).exit_code == 1


def test_several_processes_find_what_one_finds(log: Path) -> None:
    """The fault comes back from the process that met it."""
    file = log / "tile/0/001.p/44"
    file.write_bytes(file.read_bytes()[:-1] + b"\x00")
    found: list[str] = []
    for processes in (1, 2):
        walking = LogWalking(source=Opened(log), processes=processes, range_leaves=256)
        with pytest.raises(LogFault) as fault:
            check_log(DirectoryBlobs(log).get, LOG.verifier(), walking=walking)
        found.append(str(fault.value))
    assert found[0] == found[1]


def test_the_command_says_what_it_found(log: Path) -> None:
    """Status 0 and one line where it holds, status 1 and the file where it does not; a bad key is named."""
    key = str(LOG.verifier())
    held = CliRunner().invoke(verify, ["log", str(log), "--key", key])
    assert (held.exit_code, "300 leaves" in held.output, "300 bodies" in held.output) == (0, True, True)
    (log / "bodies" / "000").unlink()
    assert CliRunner().invoke(verify, ["log", str(log), "--key", key, "--no-bodies"]).exit_code == 0
    found = CliRunner().invoke(verify, ["log", str(log), "--key", key])
    assert (found.exit_code, "FAULT" in found.output, "bodies/000" in found.output) == (1, True, True)
    assert CliRunner().invoke(verify, ["log", str(log), "--key", "no key"]).exit_code == 2
