"""What `repair refill` does not take from a topic `repair succeed` gives up: neither sends to the other for ever."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from ledger.cli.believed_topic import BelievedTopic
from ledger.cli.giving_up import Claim, Loss, NotSucceeded, measured_loss
from ledger.cli.refilling import Refilling
from ledger.log.log_files import LogFiles
from ledger.store.refill import LedgerRefill, NotRefilled, open_refill
from ledger.trust.checkpoint import Checkpoint, parse_checkpoint
from ledger.trust.envelope import decode, encode
from ledger.trust.sealing import Opener, Opening, SealFault, SealFaultKind
from tests.contract.stream.loaded_ledger import LoadedLedger
from tests.integration.log.conftest import Integrating
from tests.integration.log.test_repair import Topic
from tests.integration.log.waiting import until_published
from tests.services.sealed import FIXED_KEY

SIGNED, END = 300, 305


class OlderKeys:
    """Keys from before the records of these events had theirs."""

    async def open(self, events: Sequence[tuple[bytes, bytes]]) -> list[Opening]:
        return [SealFault(SealFaultKind.KEY_MISSING) for _ in events]


def forged(event: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    """Another body in the place of an event's own."""
    body = b"\x01" + bytes(300)
    return encode(replace(decode(event[0]), body_sha256=sha256(body).digest())), body


@pytest.fixture
async def signed(ledger: LoadedLedger, files: LogFiles, integrating: Integrating) -> Checkpoint:
    """Of the last events the topic alone has five; the ledger was put back to 290."""
    ledger.append(SIGNED)
    async with integrating():
        await until_published(files, SIGNED)
    ledger.append(END - SIGNED)
    note = files.signed()
    assert note is not None
    return parse_checkpoint(note.text)


def put_back(ledger: LoadedLedger) -> dict[int, tuple[bytes, bytes]]:
    """All that there was; the ledger ends at 290 again."""
    whole = ledger.stored()
    ledger.cut(290)
    ledger.forget_heads_above(290)
    return whole


@pytest.mark.parametrize("what", ["no key", "forged", "replayed", "not what was signed"])
async def test_refill_and_succeed_agree_on_what_can_come_back(
    ledger: LoadedLedger, files: LogFiles, signed: Checkpoint, tmp_path: Path, what: str
) -> None:
    """An event of a record whose key is younger than KEYS, one forged message, an old one sent again, or another one
    than was signed: `refill` brings back what comes before it and names it; `succeed` does not send back to `refill`,
    names the same, and gives the rest up by number."""
    whole = put_back(ledger)
    changed = {"forged": {303: forged(whole[303])}, "replayed": {303: whole[250]}}
    changed["not what was signed"] = {295: forged(whole[295])}
    first = {"no key": 301, "not what was signed": 295}.get(what, 303)
    if first < SIGNED:
        (tmp_path / "log" / ledger.hospital / "tile/entries/001.p/44").unlink()
    opener: Opener = OlderKeys() if what == "no key" else FIXED_KEY
    topic = Topic(whole | changed.get(what, {}), ledger.hospital)
    async with open_refill(ledger.database.role_url("ledger_append"), ledger.hospital) as rows:
        with pytest.raises(NotSucceeded, match="`ledger repair refill` brings them back"):
            await loss_of(files, signed, rows, topic, opener)
        with pytest.raises(NotRefilled, match=f"Position {first}"):
            await Refilling(rows, files, signed, topic, opener).run()
        assert ledger.stored() == {at: whole[at] for at in range(1, first)}
        with pytest.raises(NotSucceeded, match=f"Position {first}.*--lost-to {END}"):
            await loss_of(files, signed, rows, topic, opener)
        loss = await loss_of(files, signed, rows, topic, opener, Claim(lost_to=END))
    assert (loss.lost, f"Position {first}" in loss.missing) == (range(first, END + 1), True)
    assert ledger.stored() == {at: whole[at] for at in range(1, first)}


async def loss_of(
    files: LogFiles, signed: Checkpoint, rows: LedgerRefill, topic: Topic, opener: Opener, claim: Claim | None = None
) -> Loss:
    """As `repair succeed` measures it."""
    return await measured_loss(files, signed, rows, BelievedTopic(topic, files, signed, opener), claim or Claim())
