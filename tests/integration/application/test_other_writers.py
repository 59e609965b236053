"""Several processes write one hospital: nobody is judged by an old memory, and nobody decides for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
import pytest

from ledger.api.v1 import common_pb2 as common
from ledger.api.v1 import course_pb2 as course
from ledger.api.v1 import identity_pb2 as identity
from ledger.api.v1 import records_pb2 as records
from ledger.api.v1.events_pb2 import PatientDetails, PatientIdentifier
from ledger.application.command_path import ATTEMPTS_MAX
from ledger.application.errors import Contention
from ledger.application.hospital_ledger import LOAD_BATCH
from ledger.application.ledger import Ledger
from ledger.config import Settings
from ledger.domain.refusal import Refused
from ledger.server.error_status import status_of
from ledger.store.connections import reader_pool
from ledger.store.reading import FEW_ROWS, EventReader
from ledger.store.reservation_keys import reservation_hmac, reservation_key
from ledger.trust.sealing import Draft, Sealed
from tests.contract.edge import requests
from tests.integration.application.written import HOSPITAL, execute, record_under_care, registered_patient
from tests.services.postgres import Database
from tests.services.sealed import FIXED_KEY


@dataclass
class BeatenSealer:
    """Seals, after somebody else has written to the same record: so every append meets a real conflict."""

    rival: Ledger
    record_id: UUID
    beats: int
    skipped: int = 0
    """Decisions at the beginning that nobody comes before."""
    sealed: list[Draft] = field(default_factory=list[Draft])

    async def seal(self, drafts: Sequence[Draft]) -> list[Sealed]:
        """The drafts as they came."""
        self.sealed += drafts
        if self.skipped < len(self.sealed) <= self.beats:
            await execute(self.rival, requests.record_entry(str(self.record_id), f"rival {len(self.sealed)}"))
        return await FIXED_KEY.seal(drafts)

    async def prepare(self, origin: str, stream_ids: Sequence[bytes]) -> None:
        """Nothing is needed."""


async def test_who_is_often_overtaken_reads_before_it_decides(settings: Settings, ledger: Ledger) -> None:
    """Two processes write one record in turn: after a while no decision of either is made, and sealed, in vain."""
    record_id = str(await record_under_care(ledger))
    sealer = BeatenSealer(ledger, UUID(record_id), 0)
    other = await Ledger.open(settings, sealer, FIXED_KEY)
    try:
        for number in range(30):
            for each in (ledger, other):
                await execute(each, requests.record_entry(record_id, f"in turn {number}"))
        assert len(sealer.sealed) > 30, "at first it went by its memory"
        sealed_before = len(sealer.sealed)
        for number in range(10):
            for each in (ledger, other):
                await execute(each, requests.record_entry(record_id, f"later {number}"))
        assert len(sealer.sealed) == sealed_before + 10
        assert (await other.record(HOSPITAL, UUID(record_id))).version == 2 + 80
    finally:
        await other.close()


async def test_a_command_that_always_comes_second_is_given_up(settings: Settings, ledger: Ledger) -> None:
    """Five conflicts, each decided and sealed anew on what the other wrote, then ABORTED; nothing was written."""
    record_id = await record_under_care(ledger)
    sealer = BeatenSealer(ledger, record_id, ATTEMPTS_MAX)
    beaten = await Ledger.open(settings, sealer, FIXED_KEY)
    try:
        with pytest.raises(Contention) as refused:
            await execute(beaten, requests.record_entry(str(record_id)))
        assert (status_of(refused.value).code, refused.value.attempts) == (10, 5)
        versions = [each.envelope.stream_version for each in sealer.sealed]
        assert versions == [3, 4, 5, 6, 7]
        assert (await ledger.record(HOSPITAL, record_id)).version == 7
        assert (await execute(beaten, requests.record_entry(str(record_id)))).record_version == 8
    finally:
        await beaten.close()


async def test_a_conflict_loads_what_came_since_and_no_more(
    settings: Settings, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A long record that others write to is not read again from its first event."""
    record_id = await record_under_care(ledger)
    sealer = BeatenSealer(ledger, record_id, 3)
    beaten = await Ledger.open(settings, sealer, FIXED_KEY)
    asked: list[tuple[UUID, int, int]] = []
    read_stream = EventReader.read_stream

    async def noted(
        self: EventReader, hospital: str, stream_id: UUID, after_version: int = 0, limit: int = 0
    ) -> object:
        asked.append((stream_id, after_version, limit))
        return await read_stream(self, hospital, stream_id, after_version, limit)

    monkeypatch.setattr(EventReader, "read_stream", noted)
    try:
        done = await execute(beaten, requests.record_entry(str(record_id)))
        assert done.record_version == 6
        of_record = [each for each in asked if each[0] == record_id]
        assert of_record == [(record_id, 0, LOAD_BATCH), *((record_id, after, FEW_ROWS) for after in (2, 3, 4))]
    finally:
        await beaten.close()


@pytest.mark.parametrize("ahead", [0, 1, 2])
async def test_a_memory_of_another_history_is_dropped(
    ledger: Ledger, other: Ledger, database: Database, ahead: int
) -> None:
    """A database that was put back has other events, or none, at versions that a process has seen: that one goes on."""
    record_id = await record_under_care(ledger)
    await execute(other, requests.record_entry(str(record_id), "lost"))
    await _take_back_third_version(database, record_id)
    for number in range(ahead):
        await execute(ledger, requests.record_entry(str(record_id), f"kept {number}"))
    done = await execute(other, requests.record_entry(str(record_id), "after"))
    assert done.record_version == 3 + ahead
    view = await other.record(HOSPITAL, record_id)
    texts = [each.last.content.sections[0].text for each in view.state.entries.values()]
    assert sorted(texts) == ["after", *(f"kept {number}" for number in range(ahead))]


async def test_nothing_to_add_is_never_said_on_an_old_memory(ledger: Ledger, other: Ledger) -> None:
    """Another process changed the patient and back: what was the same before is a change now."""
    patient_id = await registered_patient(ledger)
    first, second = PatientDetails(name="Jane Example"), PatientDetails(name="Jane Other")
    assert (await execute(ledger, _amend(patient_id, first))).events == 1
    assert (await execute(other, _amend(patient_id, second))).events == 1
    done = await execute(ledger, _amend(patient_id, first))
    assert (done.events, done.record_version) == (1, 4)
    again = await execute(ledger, _amend(patient_id, first))
    assert (again.events, again.position) == (0, 0)


async def test_a_refused_id_may_be_used_again_at_another_process(ledger: Ledger, other: Ledger) -> None:
    """A refusal writes nothing, so no process knows the id."""
    record_id = await record_under_care(ledger)
    request = requests.record_entry(str(record_id))
    request.content.template = "no_such_template"
    with pytest.raises(Refused):
        await execute(ledger, request)
    right = requests.record_entry(str(record_id))
    right.context.command_id = request.context.command_id
    assert (await execute(other, right)).events == 1
    assert (await execute(ledger, right)).repeated


async def test_registrations_of_one_patient_pass_one_after_the_other(
    settings: Settings, ledger: Ledger, other: Ledger
) -> None:
    """Every registration bumps the patient's row, so a rule over all records of a patient sees each of them."""
    patient_id = await registered_patient(ledger)
    asked = [requests.register_record(patient_id, sequence) for sequence in range(1, 9)]
    done = await asyncio.gather(*(execute((ledger, other)[number % 2], each) for number, each in enumerate(asked)))
    assert len({each.record_id for each in done}) == 8
    assert await _bumps(settings, patient_id) == 8


async def test_a_visit_that_is_taken_names_the_field_to_change(ledger: Ledger, other: Ledger) -> None:
    """The path is one of the request, for each rule across records."""
    patient_id = await registered_patient(ledger)
    await execute(ledger, requests.register_record(patient_id))
    with pytest.raises(Refused) as refused:
        await execute(other, requests.register_record(patient_id))
    assert [(each.field, each.rule) for each in refused.value.violations] == [("visit_sequence", "ALREADY_EXISTS")]
    await execute(ledger, requests.register_patient(case_number="C-1"))
    with pytest.raises(Refused) as refused:
        await execute(other, requests.register_patient(case_number="C-1"))
    assert [(each.field, each.rule) for each in refused.value.violations] == [("case_number", "ALREADY_EXISTS")]


async def test_an_identifier_has_one_bearer_at_a_time(ledger: Ledger, other: Ledger) -> None:
    """Two processes give it to two patients at once: one of them is refused by name. Taken away, it is free again."""
    patients = [await registered_patient(ledger) for _ in range(2)]
    given = PatientDetails(name="N. N.", identifiers=[PatientIdentifier(system="urn:passport", value="P-1")])
    asked = [execute(each, _amend(patient, given)) for each, patient in zip((ledger, other), patients, strict=True)]
    done = await asyncio.gather(*asked, return_exceptions=True)
    (refused,) = [each for each in done if isinstance(each, Refused)]
    assert [(each.field, each.rule) for each in refused.violations] == [("details.identifiers[0]", "IDENTIFIER_IN_USE")]
    loser = done.index(refused)
    await execute(other, _amend(patients[1 - loser], PatientDetails(name="N. N.")))
    await execute(ledger, _amend(patients[loser], given))
    with pytest.raises(Refused):
        await execute(other, _amend(patients[1 - loser], given))


async def test_after_a_merge_both_halves_bear_the_identifiers_of_one_person(ledger: Ledger, other: Ledger) -> None:
    """A registrar claims them; the survivor may be given them; a source is led there, until an unmerge."""
    passport = PatientDetails(name="N. N.", identifiers=[PatientIdentifier(system="urn:passport", value="P-9")])
    first = requests.register_patient()
    first.details.CopyFrom(passport)
    gone, survivor = str((await execute(ledger, first)).record_id), await registered_patient(ledger)
    assert await _rules(other, _amend(survivor, passport)) == ["IDENTIFIER_IN_USE"]
    second = requests.register_patient()
    second.details.CopyFrom(passport)
    assert await _rules(other, second) == ["IDENTIFIER_IN_USE"]
    merge = identity.MergePatientsRequest(
        context=_by_steward(), patient_id=gone, survivor_id=survivor, reason="one person"
    )
    await execute(ledger, merge)
    await execute(other, _amend(survivor, passport))
    brought = requests.register_patient()
    brought.details.CopyFrom(passport)
    brought.context.source.CopyFrom(requests.old_item())
    assert str((await execute(other, brought)).record_id) == survivor
    apart = identity.UnmergePatientsRequest(
        context=_by_steward(), patient_id=gone, survivor_id=survivor, reason="two persons"
    )
    await execute(other, apart)
    assert await _rules(ledger, _amend(survivor, passport)) == ["IDENTIFIER_IN_USE"]
    await execute(ledger, _amend(gone, passport))


async def test_who_was_merged_or_parted_elsewhere_is_not_judged_by_memory(ledger: Ledger, other: Ledger) -> None:
    """A process that has seen the patient files nothing under who another one merged, and goes on after an unmerge."""
    gone, survivor = await registered_patient(ledger), await registered_patient(ledger)
    nobody = requests.register_patient()
    nobody.identity = common.IDENTITY_STATUS_UNVERIFIED
    provisional = str((await execute(other, nobody)).record_id)
    unknown = str((await execute(other, requests.register_record(provisional))).record_id)
    await execute(other, requests.register_record(gone))
    both = {"patient_id": gone, "survivor_id": survivor, "reason": "one person"}
    await execute(ledger, identity.MergePatientsRequest(context=_by_steward(), **both))
    identify = course.IdentifyPatientRequest(context=_by_steward(), record_id=unknown, patient_id=gone)
    identify.visit_sequence = 2
    assert await _rules(other, requests.register_record(gone, 3)) == ["MERGED"]
    assert await _rules(other, identify) == ["MERGED"]
    await execute(ledger, identity.UnmergePatientsRequest(context=_by_steward(), **both))
    assert (await execute(other, requests.register_record(gone, 3))).events == 1
    assert (await execute(other, identify)).events == 2


async def _rules(ledger: Ledger, request: Any) -> list[str]:
    with pytest.raises(Refused) as refused:
        await execute(ledger, request)
    return [each.rule for each in refused.value.violations]


def _by_steward() -> common.CommandContext:
    context = requests.context()
    context.actor.role = "identity_steward"
    return context


def _amend(patient_id: str, details: PatientDetails) -> records.AmendPatientRequest:
    context = requests.context()
    return records.AmendPatientRequest(context=context, patient_id=patient_id, details=details, reason="as told")


async def _bumps(settings: Settings, patient_id: str) -> int:
    readers = reader_pool(settings.postgres_append_url)
    try:
        key = reservation_hmac(await reservation_key(readers, HOSPITAL), "patient", patient_id)
        row = await EventReader(readers).reservation(HOSPITAL, "patient", key)
    finally:
        await readers.close()
    return row.counter if row else 0


async def _take_back_third_version(database: Database, record_id: UUID) -> None:
    """Takes the record's last event away, as a restore of an older copy would; it was the ledger's last."""
    async with await psycopg.AsyncConnection.connect(database.url) as connection:
        for table in ("events", "head"):
            await connection.execute(f"ALTER TABLE h_north.{table} DISABLE TRIGGER USER".encode())
        await connection.execute("DELETE FROM h_north.events WHERE stream_id = %s AND version = 3", (record_id,))
        await connection.execute("DELETE FROM h_north.commands WHERE stream_id = %s AND version = 3", (record_id,))
        await connection.execute(
            "UPDATE h_north.stream_heads AS s SET version = 2, last_position = e.position, leaf_hash = e.leaf_hash"
            " FROM h_north.events AS e WHERE e.stream_id = s.stream_id AND e.version = 2 AND s.stream_id = %s",
            (record_id,),
        )
        await connection.execute(
            "UPDATE h_north.head AS h SET position = e.position, leaf_hash = e.leaf_hash"
            " FROM h_north.events AS e WHERE e.position = h.position - 1"
        )
