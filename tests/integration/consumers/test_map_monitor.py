"""The archive office judges the maps that a ledger has published, as a person runs it."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from uuid import uuid4

from click.testing import CliRunner, Result

from ledger.api.v1.common_pb2 import Actor, CommandContext
from ledger.api.v1.proofs_pb2 import PublishMapRequest
from ledger.api.v1.proofs_pb2_grpc import ProofServiceStub
from ledger.api.v1.stream_pb2 import GetStatusRequest, ReadHospitalRequest
from ledger.api.v1.stream_pb2_grpc import OperationsServiceStub, StreamServiceStub
from ledger.cli.main import main
from ledger.keys.key_folder import KeyFolder, read_sealed_key
from ledger.trust.map_audit import parse_map_audit
from ledger.trust.map_tree import MapTree
from ledger.trust.note import parse_note
from ledger.trust.note_key import KeyKind
from ledger.trust.record_map import heads_of
from ledger.trust.signed_note import check_signed
from tests.integration.consumers.hospitals import Hospitals
from tests.integration.consumers.norths_log import NorthsLog
from tests.services.key_service import token_file
from tests.unit.consumers.test_end_before_successor import other_events, served

_MONITOR = "archive.example/monitor"
PROGRAM = Actor(id="7c9a1f52-0f6e-4d2b-8a3e-5b1c2d3e4f50", name="record-maps", role="system")


async def _run(*arguments: str, token: Path) -> Result:
    environment = {"COLUMNS": "200", "LEDGER_UNSEAL_TOKEN_FILE": str(token)}
    return await asyncio.to_thread(CliRunner(env=environment).invoke, main, arguments)


def _monitoring(hospitals: Hospitals, folder: Path) -> tuple[tuple[str, ...], Path, Path]:
    """The command with a key of its own; where the archive and the notes lie."""
    passphrase = folder / "passphrase"
    passphrase.touch(0o600)
    passphrase.write_text("a passphrase of the tests\n")
    keys = KeyFolder(folder / "keys")
    monitor = keys.make(_MONITOR, KeyKind.ED25519, b"a passphrase of the tests")
    archive, notes = folder / "archive", folder / "notes"
    judged = ("monitor", "--archive", str(archive), "--key", str(keys.path_of(monitor.name, KeyKind.ED25519)))
    judged += ("--out", str(notes), "--passphrase-file", str(passphrase), "--address", hospitals.address)
    return judged, archive, notes


async def _publish(hospitals: Hospitals, *, wrong: bool) -> int:
    """Publishes the map of everything there is, or one with another root; its size."""
    envelopes: list[bytes] = []
    async for batch in StreamServiceStub(hospitals.channel).ReadHospital(ReadHospitalRequest(hospital="north")):
        envelopes += [event.envelope for event in batch.events]
    tree = MapTree()
    tree.put(heads_of(envelopes).values())
    await ProofServiceStub(hospitals.channel).PublishMap(
        PublishMapRequest(
            context=CommandContext(hospital="north", command_id=str(uuid4()), actor=PROGRAM),
            tree_size=len(envelopes),
            rows=tree.rows,
            root=bytes(32) if wrong else tree.root(),
            map_version=1,
        )
    )
    return len(envelopes)


async def test_a_monitor_signs_nothing_over_an_archive_that_the_log_does_not_hold(
    hospitals: Hospitals, tmp_path: Path
) -> None:
    """It asks for the log's newest head, whichever of both has more; after a fork it says so, tells the service and
    judges no map, and what the archive holds since is named until a person has decided."""
    judged, archive, notes = _monitoring(hospitals, tmp_path)
    token = token_file(tmp_path)
    await hospitals.record()
    await _publish(hospitals, wrong=False)
    (tmp_path / "logs").mkdir()
    with served(tmp_path / "logs") as url:
        log = NorthsLog(hospitals, tmp_path / "logs", url)
        events = await log.stored()
        log.trust()
        log.show(events)
        compared = ("--log", log.url, "--policy", str(log.policy))
        office = ("consume", "archive-office", "north", str(archive), "--address", hospitals.address, *compared)
        assert (await _run(*office, token=token)).exit_code == 0
        await hospitals.record()
        grown = await log.stored()
        for shown in (events, grown):
            log.show(shown)
            done = await _run(*judged, *compared, token=token)
            assert (done.exit_code, f"signed at {len(shown)} events, are of one tree" in done.output) == (0, True), done
        (note,) = notes.iterdir()
        note.unlink()
        log.show([*grown[:-1], *other_events(len(grown), len(grown))])
        done = await _run(*judged, *compared, token=token)
        assert (done.exit_code, "Both notes are kept" in done.output) == (1, True), done.output
        assert list(notes.iterdir()) == []
        found = await _run("verify", "--archive", str(archive), token=token)
        assert f"the same up to size {len(events):,}" in found.output
        assert (await _run(*office, token=token)).exit_code == 1
        status = await OperationsServiceStub(hospitals.channel).GetStatus(GetStatusRequest())
        states = {reader.reader: reader.state for each in status.hospitals for reader in each.readers}
        assert states == {"archive-office": "forked", "monitor": "forked"}
        person = ("--by", "7c9a1f52-0f6e-4d2b-8a3e-5b1c2d3e4f77,Ann Archer,archivist", "--reason", "compared")
        decided = await _run("forks", "decide", str(archive), log.origin, *person, "--right", "seen", token=token)
        assert decided.exit_code == 0, decided.output
        log.show(grown)
        assert (await _run(*judged, *compared, token=token)).exit_code == 0


async def test_an_archive_of_another_tree_than_the_logs_is_found(hospitals: Hospitals, tmp_path: Path) -> None:
    """The log may have fewer events than the archive, or more: neither is the other's beginning, nothing is signed, and
    the service is told. A log without a policy, or the other way round, is no question."""
    judged, archive, notes = _monitoring(hospitals, tmp_path)
    token = token_file(tmp_path)
    await hospitals.record()
    await _publish(hospitals, wrong=False)
    office = ("consume", "archive-office", "north", str(archive), "--address", hospitals.address)
    assert (await _run(*office, token=token)).exit_code == 0
    (tmp_path / "logs").mkdir()
    for size in (-2, 3):
        with served(tmp_path / "logs") as url:
            log = NorthsLog(hospitals, tmp_path / "logs", url)
            held = len(await log.stored())
            log.trust()
            shutil.rmtree(archive / "checkpoints", ignore_errors=True)
            shutil.rmtree(tmp_path / "logs" / "tree-1", ignore_errors=True)
            log.show(other_events(1, held + size))
            done = await _run(*judged, "--log", log.url, "--policy", str(log.policy), token=token)
            assert (done.exit_code, "not the ones that the log has signed" in done.output) == (1, True), done.output
            status = await OperationsServiceStub(hospitals.channel).GetStatus(GetStatusRequest())
            states = {reader.reader: reader.state for each in status.hospitals for reader in each.readers}
            assert states["monitor"] == "unproven"
    assert not notes.exists()
    assert (await _run(*judged, "--log", "http://127.0.0.1:1", token=token)).exit_code == 2


async def test_right_and_wrong_maps_are_told_apart_in_signed_notes(hospitals: Hospitals, tmp_path: Path) -> None:
    """A map that holds, then one that does not: status 1, the place, and a note of the monitor's key about each."""
    judged, archive, notes = _monitoring(hospitals, tmp_path)
    monitor = read_sealed_key(KeyFolder(tmp_path / "keys").path_of(_MONITOR, KeyKind.ED25519)).verifier
    token = token_file(tmp_path)
    expected: dict[int, bool] = {}
    for wrong in (False, True):
        await hospitals.record()
        expected[await _publish(hospitals, wrong=wrong)] = not wrong
        asked = ("consume", "archive-office", "north", str(archive), "--address", hospitals.address)
        written = await _run(*asked, token=token)
        assert written.exit_code == 0, written.output
        result = await _run(*judged, token=token)
        assert result.exit_code == int(wrong), result.output
        assert ("WRONG" in result.output) == wrong
    for size, holds in expected.items():
        (file,) = notes.glob(f"map-{size}-at-*.audit")
        note = parse_note(file.read_bytes())
        check_signed(note, [monitor])
        audit = parse_map_audit(note.text)
        assert (audit.published.size, audit.holds) == (size, holds)
