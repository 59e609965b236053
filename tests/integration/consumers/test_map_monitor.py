"""The archive office judges the maps that a ledger has published, as a person runs it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import uuid4

from click.testing import CliRunner, Result

from ledger.api.v1.common_pb2 import Actor, CommandContext
from ledger.api.v1.proofs_pb2 import PublishMapRequest
from ledger.api.v1.proofs_pb2_grpc import ProofServiceStub
from ledger.api.v1.stream_pb2 import ReadHospitalRequest
from ledger.api.v1.stream_pb2_grpc import StreamServiceStub
from ledger.cli.main import main
from ledger.keys.key_folder import KeyFolder
from ledger.trust.map_audit import parse_map_audit
from ledger.trust.map_tree import MapTree
from ledger.trust.note import parse_note
from ledger.trust.note_key import KeyKind
from ledger.trust.record_map import heads_of
from ledger.trust.signed_note import check_signed
from tests.integration.consumers.hospitals import Hospitals
from tests.services.key_service import token_file

PROGRAM = Actor(id="7c9a1f52-0f6e-4d2b-8a3e-5b1c2d3e4f50", name="record-maps", role="system")


async def _run(*arguments: str, token: Path) -> Result:
    environment = {"COLUMNS": "200", "LEDGER_UNSEAL_TOKEN_FILE": str(token)}
    return await asyncio.to_thread(CliRunner(env=environment).invoke, main, arguments)


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


async def test_right_and_wrong_maps_are_told_apart_in_signed_notes(hospitals: Hospitals, tmp_path: Path) -> None:
    """A map that holds, then one that does not: status 1, the place, and a note of the monitor's key about each."""
    passphrase = tmp_path / "passphrase"
    passphrase.touch(0o600)
    passphrase.write_text("a passphrase of the tests\n")
    keys = KeyFolder(tmp_path / "keys")
    monitor = keys.make("archive.example/monitor", KeyKind.ED25519, b"a passphrase of the tests")
    key_file = keys.path_of(monitor.name, KeyKind.ED25519)
    archive, notes, token = tmp_path / "archive", tmp_path / "notes", token_file(tmp_path)
    judged = ("monitor", "--archive", str(archive), "--key", str(key_file), "--out", str(notes))
    judged += ("--passphrase-file", str(passphrase), "--address", hospitals.address)
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
