"""Repair 1: what a backup lacks is refilled from the log, byte for byte, to the very root that was signed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner, Result

from ledger.cli.refilling import Refilling
from ledger.cli.repair import repair
from ledger.log.log_files import LogFiles
from ledger.log.seen_files import note_seen
from ledger.store.refill import NotRefilled, open_refill
from ledger.store.whole_ledger import verify_stored
from ledger.stream.contract import PublishedEvent
from ledger.trust.checkpoint import parse_checkpoint
from ledger.trust.envelope import decode, encode
from ledger.trust.note import Note
from ledger.trust.note_key import KeyKind, SigningKey
from ledger.trust.sealing import Opener
from ledger.trust.verify import Summary
from tests.contract.stream.loaded_ledger import LoadedLedger
from tests.integration.log.conftest import Integrating
from tests.integration.log.waiting import until_published
from tests.services.sealed import FIXED_KEY


@dataclass
class Repair:
    """`ledger repair` on the settings of this test."""

    environment: dict[str, str]
    hospital: str

    def run(self, command: str) -> Result:
        return CliRunner().invoke(repair, [command, self.hospital], env=self.environment)


@pytest.fixture
def repairing(ledger: LoadedLedger, tmp_path: Path) -> Repair:
    url = ledger.database.role_url("ledger_append")
    return Repair({"LEDGER_POSTGRES_APPEND_URL": url, "LEDGER_DATA_DIR": str(tmp_path)}, ledger.hospital)


@pytest.mark.parametrize("kept", [0, 256, 290, 511])
async def test_missing_positions_are_refilled(
    ledger: LoadedLedger, files: LogFiles, integrating: Integrating, repairing: Repair, kept: int
) -> None:
    """Cut anywhere, the ledger is the same again, chains, heads and all; commands wait until a person accepts."""
    ledger.append(600)
    stored = ledger.stored()
    async with integrating():
        await until_published(files, 600)
    ledger.cut(kept)
    ledger.forget_heads_above(kept)
    done = await _in_thread(repairing, "refill")
    assert done.exit_code == 0, done.output
    assert ledger.stored() == stored
    assert isinstance(await verify_stored(ledger.database.role_url("ledger_append"), ledger.hospital), Summary)
    assert f"positions {kept + 1} to 600" in files.halted()
    again = await _in_thread(repairing, "refill")
    assert (again.exit_code, "nothing is missing" in again.output) == (0, True)
    assert (await _in_thread(repairing, "accept")).exit_code == 0
    assert files.halted() == ""


async def test_a_forged_head_is_not_refilled_from(
    ledger: LoadedLedger, files: LogFiles, integrating: Integrating, repairing: Repair
) -> None:
    """Whoever writes the log's files may put events and a head there; without the log's key nothing goes back."""
    ledger.append(20)
    async with integrating():
        await until_published(files, 20)
    ledger.cut(10)
    note = files.signed()
    assert note is not None
    origin = parse_checkpoint(note.text).origin
    files.keep_signed(Note(note.text, (SigningKey(origin, KeyKind.ED25519, bytes(32)).sign(note.text),)))
    refused = await _in_thread(repairing, "refill")
    assert (refused.exit_code, "no trusted key has signed" in refused.output) == (1, True), refused.output


async def test_another_history_is_not_refilled(
    ledger: LoadedLedger, files: LogFiles, integrating: Integrating, repairing: Repair
) -> None:
    """A ledger that has grown otherwise since is left as it is."""
    ledger.append(300)
    async with integrating():
        await until_published(files, 300)
    ledger.cut(200)
    ledger.append(20)
    stored = ledger.stored()
    refused = await _in_thread(repairing, "refill")
    assert (refused.exit_code, "220" in refused.output) == (1, True)
    assert ledger.stored() == stored


async def test_bundles_that_were_changed_are_not_refilled(
    ledger: LoadedLedger, files: LogFiles, integrating: Integrating, repairing: Repair, tmp_path: Path
) -> None:
    """A changed body or entry is found before anything of its bundle is stored."""
    ledger.append(300)
    async with integrating():
        await until_published(files, 300)
    ledger.cut(256)
    ledger.forget_heads_above(256)
    for name in ("bodies/001.p/44", "tile/entries/001.p/44"):
        path = tmp_path / "log" / ledger.hospital / name
        whole = path.read_bytes()
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        assert (await _in_thread(repairing, "refill")).exit_code == 1
        assert len(ledger.stored()) == 256
        path.write_bytes(whole)
    assert (await _in_thread(repairing, "refill")).exit_code == 0


@dataclass
class Topic:
    """What a topic holds: envelope and body of every position."""

    events: dict[int, tuple[bytes, bytes]]
    hospital: str

    def __call__(self, position: int) -> list[PublishedEvent]:
        return [self._event(at) for at in range(position + 1, max(self.events) + 1)]

    def _event(self, position: int) -> PublishedEvent:
        (envelope, body), place = self.events[position], decode(self.events[position][0])
        return PublishedEvent(
            hospital=self.hospital,
            origin=place.origin,
            position=position,
            stream_id=UUID(bytes=place.stream_id),
            version=place.stream_version,
            type=place.type,
            recorded_at=place.recorded_at,
            envelope=envelope,
            body=body,
            partition=0,
            prev_position=position - 1,
            next_offset=position,
        )


@pytest.mark.parametrize("opener", [FIXED_KEY, None], ids=["with keys", "without"])
async def test_what_no_log_has_signed_comes_back_only_where_it_opens(
    ledger: LoadedLedger, files: LogFiles, integrating: Integrating, opener: Opener | None
) -> None:
    """Beyond the signed head the topic alone says what was there, and whoever writes it can go on with any record: an
    event that opens under no key of the ledger is refused by its position, and so is everything without keys. What
    comes before it is back."""
    ledger.append(300)
    async with integrating():
        await until_published(files, 300)
    ledger.append(5)
    whole = ledger.stored()
    note = files.signed()
    assert note is not None
    signed = parse_checkpoint(note.text)
    body = b"\x01" + bytes(300)
    forged = encode(replace(decode(whole[303][0]), body_sha256=sha256(body).digest()))
    ledger.cut(290)
    ledger.forget_heads_above(290)
    async with open_refill(ledger.database.role_url("ledger_append"), ledger.hospital) as rows:
        for events in (whole | {303: (forged, body)}, whole):
            refilling = Refilling(rows, files, signed, Topic(events, ledger.hospital), opener)
            if events == whole and opener:
                assert (await refilling.run()).last == 305
            else:
                with pytest.raises(NotRefilled, match="303" if opener else "301"):
                    await refilling.run()
                assert max(ledger.stored()) == (302 if opener else 300)
    assert ledger.stored() == (whole if opener else {at: whole[at] for at in range(1, 301)})


async def test_no_topic_leads_past_a_head_that_was_seen_another_way(
    ledger: LoadedLedger, files: LogFiles, integrating: Integrating
) -> None:
    """What opens under the records' keys need not be what was published: a head that somebody kept says what was."""
    ledger.append(300)
    async with integrating():
        await until_published(files, 300)
    ledger.append(5)
    whole, signed = ledger.stored(), files.signed()
    assert signed is not None
    head = parse_checkpoint(signed.text)
    note_seen(files, replace(head, size=303, root=bytes(32)))
    ledger.cut(290)
    ledger.forget_heads_above(290)
    async with open_refill(ledger.database.role_url("ledger_append"), ledger.hospital) as rows:
        with pytest.raises(NotRefilled, match="the head at 303 that was seen"):
            await Refilling(rows, files, head, Topic(whole, ledger.hospital), FIXED_KEY).run()
    assert max(ledger.stored()) == 300


async def _in_thread(repairing: Repair, command: str) -> Result:
    """The command has an event loop of its own."""
    return await asyncio.to_thread(repairing.run, command)
