"""What a replay gets of a destroyed record: the bytes that prove it, and nothing that opens."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

import pytest

from ledger.api.v1.stream_pb2 import ReadHospitalRequest, ReadRecordRequest, StoredEvent
from ledger.server.event_streams import EventStreams
from ledger.server.head_watch import HeadWatch
from ledger.server.limits import Limits
from ledger.trust.envelope import decode
from ledger.trust.leaf import leaf_hash
from ledger.trust.sealing import Destroyed, Opened
from ledger.trust.verify import LedgerWalk, Row, Summary, verify_rows
from tests.integration.application.disposal_ground import Office
from tests.integration.application.test_erasure import Process, process
from tests.integration.application.written import HOSPITAL

__all__ = ["process"]
SECRET = b"An old secret."


@dataclass
class Replay:
    """What the service streams of a ledger."""

    process: Process

    @property
    def _streams(self) -> EventStreams:
        return EventStreams(self.process.ledger, HeadWatch(self.process.ledger.head), Limits())

    async def record(self, record_id: str) -> list[StoredEvent]:
        """By ReadRecord."""
        asked = ReadRecordRequest(hospital=HOSPITAL, record_id=record_id, batch_size=2)
        return [event async for each in self._streams.read_record(asked) for event in each.events]

    async def hospital(self) -> list[StoredEvent]:
        """By ReadHospital."""
        asked = ReadHospitalRequest(hospital=HOSPITAL, batch_size=3)
        return [event async for each in self._streams.read_hospital(asked) for event in each.events]

    async def opened(self, events: list[StoredEvent]) -> list[object]:
        """What its own keys make of them."""
        return list(await self.process.bodies.opener.open([(each.envelope, each.body) for each in events]))


@pytest.fixture
def replay(process: Process) -> Replay:
    return Replay(process)


async def test_a_destroyed_record_is_replayed_sealed_and_opens_nothing(replay: Replay) -> None:
    """Byte for byte what was served before its key went, whole and in its chain; only the destruction itself opens."""
    office = Office(replay.process.ledger)
    record_id, list_id = await office.condemned(await office.patient())
    await office.destroy(record_id, list_id)
    before, everything = await replay.record(record_id), await replay.hospital()
    assert any(isinstance(each, Opened) and SECRET in each.plaintext for each in await replay.opened(before))
    await replay.process.follower.catch_up()

    served = await replay.record(record_id)
    assert served == before
    assert await replay.hospital() == everything
    leaf = b""
    for version, event in enumerate(served, 1):
        envelope = decode(event.envelope)
        assert (envelope.stream_id, envelope.stream_version) == (UUID(record_id).bytes, version)
        assert envelope.prev_leaf == leaf
        assert envelope.key_id, "sealed"
        assert sha256(event.body).digest() == envelope.body_sha256
        assert SECRET not in event.body
        leaf = leaf_hash(event.envelope)
    *earlier, last = await replay.opened(served)
    assert earlier == [Destroyed()] * (len(served) - 1)
    assert isinstance(last, Opened)
    assert decode(served[-1].envelope).type == "ledger.v1.RecordDestroyed"


async def test_a_walk_over_a_ledger_with_a_destroyed_record_holds(replay: Replay) -> None:
    """Who replays all checks every byte without a key; a body that went with the key would be missed."""
    office = Office(replay.process.ledger)
    record_id, list_id = await office.condemned(await office.patient())
    await office.destroy(record_id, list_id)
    await replay.process.follower.catch_up()
    rows = [Row(each.position, each.envelope, each.body) for each in await replay.hospital()]
    walk = LedgerWalk()
    leaves, fault = walk.take_all(rows)
    assert (fault, len(leaves)) == (None, len(rows))
    assert UUID(record_id).bytes in walk.chains
    assert isinstance(verify_rows(rows), Summary)
    gone = [row._replace(body=b"") if decode(row.envelope).stream_id == UUID(record_id).bytes else row for row in rows]
    assert not isinstance(verify_rows(gone), Summary)
