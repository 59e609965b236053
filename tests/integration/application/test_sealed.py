"""Another adapter behind the sealing ports seals everything, and nothing else has to know."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

import pytest

from ledger.api.v1 import common_pb2
from ledger.api.v1 import records_pb2 as records
from ledger.application.errors import BodyUnreadable, RecordDestroyed
from ledger.application.ledger import Ledger
from ledger.cli.opened_feed import OpenedFeed
from ledger.config import Settings
from ledger.server.error_status import status_of
from ledger.trust.envelope import Envelope, associated_data, decode
from ledger.trust.sealing import Destroyed, Draft, Opened, Opening, Sealed, SealFault, seal_in_order
from ledger.trust.verify import Row, Summary, copies_of, verify_rows
from ledger.views.event import view_event
from projections.checkpoint import Delivered
from tests.contract.edge import requests
from tests.integration.application.written import HOSPITAL, execute, record_under_care

SECRET = b"Stable overnight."


@dataclass
class Safe:
    """Seals with a keystream and a tag over body and associated data: no cipher, but bound to its place like one."""

    keys: dict[bytes, bytes] = field(default_factory=dict[bytes, bytes])
    destroyed: set[bytes] = field(default_factory=set[bytes])

    async def seal(self, drafts: Sequence[Draft]) -> list[Sealed]:
        """Sealer."""
        return seal_in_order(drafts, self._seal_one)

    async def open(self, events: Sequence[tuple[bytes, bytes]]) -> list[Opening]:
        """Opener."""
        return [self._open_one(decode(envelope), body) for envelope, body in events]

    def _seal_one(self, envelope: Envelope, plaintext: bytes) -> tuple[Envelope, bytes]:
        key = self.keys.setdefault(envelope.stream_id, hmac.digest(b"key", envelope.stream_id, "sha256"))
        known = replace(envelope, key_id=key[:16], commitment=hmac.digest(key, plaintext, "sha256"))
        masked = bytes(byte ^ key[place % 32] for place, byte in enumerate(plaintext))
        return known, masked + hmac.digest(key, associated_data(known) + masked, "sha256")

    def _open_one(self, envelope: Envelope, body: bytes) -> Opening:
        if envelope.stream_id in self.destroyed:
            return Destroyed()
        key = self.keys.get(envelope.stream_id, b"")
        masked, tag = body[:-32], body[-32:]
        if not key or hmac.digest(key, associated_data(envelope) + masked, "sha256") != tag:
            return SealFault("tag")
        return Opened(bytes(byte ^ key[place % 32] for place, byte in enumerate(masked)))


@dataclass
class ReadOnce:
    """A feed of what a ledger holds."""

    events: list[Delivered]
    at_rest: bool = False

    async def poll(self, timeout_s: float, events_max: int) -> Sequence[Delivered]:
        """Everything at once."""
        del timeout_s, events_max
        return self.events

    async def close(self) -> None:
        """Nothing is held."""


async def test_a_sealed_ledger_works_like_a_clear_one(settings: Settings, ledger: Ledger) -> None:
    """Commands of one and of two events, reads, an amendment on what was read, views; nothing lies in the clear."""
    safe = Safe()
    sealed = await Ledger.open(settings, safe, safe)
    again = await Ledger.open(settings, safe, safe)
    try:
        record_id = await record_under_care(sealed)
        await execute(sealed, requests.record_entry(str(record_id)))
        await _consultation(sealed, str(record_id))
        view = await again.record(HOSPITAL, record_id)
        assert view.version == 6
        assert next(each.last.content.sections[0].text for each in view.state.entries.values()) == SECRET.decode()

        rows = await sealed.read_positions(HOSPITAL, 0, 100)
        assert not any(SECRET in row.body for row in rows)
        found = verify_rows(
            Row(row.position, row.envelope, row.body, copies_of(decode(row.envelope), row.envelope)) for row in rows
        )
        assert isinstance(found, Summary), found
        events = [Delivered(0, row.position, "t", view_event(row.position, row.envelope, row.body)) for row in rows]
        delivered = await OpenedFeed(ReadOnce(events), safe).poll(1.0, 100)
        assert [each.event.message.SerializeToString() for each in delivered] == [
            each.plaintext
            for each in await safe.open([(row.envelope, row.body) for row in rows])
            if isinstance(each, Opened)
        ]
        with pytest.raises(BodyUnreadable):
            await ledger.record(HOSPITAL, record_id)  # without the keys there is nothing to read
    finally:
        await sealed.close()
        await again.close()


async def test_a_destroyed_record_is_no_fault(settings: Settings, ledger: Ledger) -> None:
    """A key that is gone by a destruction is told as that; a key that is merely missing is a fault."""
    del ledger
    safe = Safe()
    sealed = await Ledger.open(settings, safe, safe)
    other = await Ledger.open(settings, safe, safe)
    try:
        first, second = await record_under_care(sealed), await record_under_care(sealed)
        safe.destroyed.add(first.bytes)
        del safe.keys[second.bytes]
        with pytest.raises(RecordDestroyed) as destroyed:
            await other.record(HOSPITAL, first)
        with pytest.raises(BodyUnreadable) as fault:
            await other.record(HOSPITAL, second)
        assert (status_of(destroyed.value).code, status_of(fault.value, "incident").code) == (9, 15)
    finally:
        await sealed.close()
        await other.close()


async def _consultation(ledger: Ledger, record_id: str) -> UUID:
    """A consultation, answered: two events of one command, the second of which follows the first."""
    asked = records.RequestConsultationRequest(
        context=requests.context(),
        record_id=record_id,
        to_department="NEU",
        urgency=common_pb2.URGENCY_ROUTINE,
        question="Seizure?",
    )
    consultation_id = (await execute(ledger, asked)).result["consultation_id"]
    note = requests.record_entry(record_id)
    note.content.template = "consultation"
    note.content.sections[0].code = "opinion"
    answered = records.AnswerConsultationRequest(
        context=requests.context(),
        record_id=record_id,
        consultation_id=str(consultation_id),
        opinion="No.",
        content=note.content,
        attestation=note.attestation,
    )
    outcome = await execute(ledger, answered)
    assert outcome.events == 2
    return outcome.record_id
