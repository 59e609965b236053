"""A pack of the map that a monitor audited, though newer ones are published meanwhile and the audited one is gone."""

from __future__ import annotations

import asyncio
from pathlib import Path

import grpc.aio
import pytest

from ledger.api.v1 import proofs_pb2 as messages
from ledger.cli.errors_shown import reason
from ledger.cli.map_records import publish_map
from ledger.log.log_files import LogFiles
from ledger.log.record_maps import PublishedAt, RecordMaps
from ledger.trust.map_audit import MapAudit
from ledger.trust.map_published import MapStatement
from ledger.trust.map_tree import MapTree
from ledger.trust.note import Note
from ledger.trust.proof_pack import parse_proof_pack
from ledger.trust.record_map import heads_of
from ledger.trust.tile import BundleId
from tests.contract.edge.requests import record_entry
from tests.contract.edge.test_proofs import ARCHIVE, Ground, ground
from tests.unit.trust.sample_ledger import MONITOR

__all__ = ["ground"]


async def mapped(ground: Ground, record_id: str) -> PublishedAt:
    """An entry more, and a map that covers it."""
    last = await ground.client.call("RecordService/RecordEntry", record_entry(record_id, "Once more."))
    await ground.published(last.receipt.position)
    made = await publish_map(ground.channel, ground.logs, "north", ground.origin)
    assert made is not None
    await ground.published(made.position)
    return made


def audited(ground: Ground, made: PublishedAt, folder: Path) -> Path:
    """The monitor's note on a map, under the name that `ledger monitor` gives it; the map is rebuilt for it."""
    files, entries = LogFiles(ground.blobs, "north"), list[bytes]()
    for at in range(-(-made.size // 256)):
        entries += files.entries(BundleId(at, min(256, made.size - 256 * at)))
    tree = MapTree()
    tree.put(heads_of(entries).values())
    said = MapStatement(made.size, tree.rows, tree.root())
    text = MapAudit(ground.origin, made.position - 1, said, tree.rows, tree.root()).text()
    path = folder / f"map-{made.size}-at-{made.position}.audit"
    path.write_bytes(Note(text, (MONITOR.sign(text),)).encode())
    return path


async def test_a_pack_is_had_of_the_last_audited_map(ground: Ground, tmp_path: Path) -> None:
    """Audited last night, and three maps came since: from the note and from the monitor's folder the same pack.

    It holds up to the audited map, the events after it are in it one by one, and evidence names the monitor.
    """
    record_id, _ = await ground.record(1)
    notes = tmp_path / "notes"
    notes.mkdir()
    older = audited(ground, await mapped(ground, record_id), notes)
    audit = audited(ground, last := await mapped(ground, record_id), notes)
    for _ in range(3):
        await mapped(ground, record_id)
    assert last not in RecordMaps(ground.blobs, "north").published(), "its files are gone"
    trust = ("--key", ground.key, "--monitor", str(MONITOR.verifier()))
    for given, version in ((audit, 5), (notes, 5), (older, 4)):
        pack = tmp_path / "a.pack"
        exported = await ground.cli("export", "proof", record_id, *ground.at, "--out", str(pack), "--audit", str(given))
        assert exported.exit_code == 0, exported.output
        checked = await ground.cli("verify", "pack", str(pack), *trust)
        assert checked.exit_code == 0, checked.output
        assert f"Nothing is missing up to version {version}" in checked.output
        assert f"found right by {MONITOR.name}" in checked.output
        assert len(parse_proof_pack(pack.read_bytes()).events) == 8
    evidence = ("export", "evidence", record_id, *ground.at, "--out", str(tmp_path / "court"), *trust)
    made = await ground.cli(*evidence, "--audit", str(notes))
    assert made.exit_code == 0, made.output
    assert MONITOR.name in (tmp_path / "court" / "evidence.html").read_text()


async def test_a_map_is_asked_for_by_the_position_of_its_event(ground: Ground) -> None:
    """Kept or made again it is the same pack; a position that is no map's, or not published yet, is named."""
    record_id, _ = await ground.record(1)
    first = await mapped(ground, record_id)
    asked = messages.GetProofPackRequest(hospital="north", record_id=record_id, map_position=first.position)
    kept = parse_proof_pack((await ground.proofs.GetProofPack(asked, metadata=ARCHIVE)).pack)
    for _ in range(2):
        await mapped(ground, record_id)
    again = parse_proof_pack((await ground.proofs.GetProofPack(asked, metadata=ARCHIVE)).pack)
    assert (again.bucket, again.bucket_hashes, again.map_event) == (kept.bucket, kept.bucket_hashes, kept.map_event)
    assert (len(kept.later), len(again.later)) == (0, 2)
    for position, expected in ((1, "NO_SUCH_MAP"), (10_000, "NOT_IN_LOG_YET")):
        asked.map_position = position
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await ground.proofs.GetProofPack(asked, metadata=ARCHIVE)
        assert reason(refused.value) == expected


async def test_a_map_too_far_back_is_named(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """Making one again takes time by the events since: there is a limit, and past it nothing is read."""
    record_id, _ = await ground.record(1)
    first = await mapped(ground, record_id)
    await mapped(ground, record_id)
    newest = await mapped(ground, record_id)
    monkeypatch.setattr("ledger.log.record_maps.TAKEN_BACK_MAX", 1)
    maps, head = RecordMaps(ground.blobs, "north"), await ground.head_of(newest.position)
    assert await asyncio.to_thread(maps.earlier, first.size, head) is None
    assert await asyncio.to_thread(maps.earlier, newest.size, head) is not None
    asked = messages.GetProofPackRequest(hospital="north", record_id=record_id, map_position=first.position)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await ground.proofs.GetProofPack(asked, metadata=ARCHIVE)
    assert reason(refused.value) == "NO_SUCH_MAP"


async def test_a_note_that_is_none_or_finds_no_map_right_makes_no_pack(ground: Ground, tmp_path: Path) -> None:
    """Named before anything is written: bytes that are no note, an empty folder."""
    record_id, _ = await ground.record(1)
    await mapped(ground, record_id)
    (torn := tmp_path / "torn.audit").write_bytes(b"torn")
    (empty := tmp_path / "empty").mkdir()
    for given, words in ((torn, "torn.audit"), (empty, "no monitor's note")):
        out = tmp_path / "a.pack"
        made = await ground.cli("export", "proof", record_id, *ground.at, "--out", str(out), "--audit", str(given))
        assert (made.exit_code, words in made.output, out.exists()) == (1, True, False), made.output
