"""Destruction lists at a real ledger: who may do what, what remains of a record, and that reports are true."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from ledger.api.v1 import common_pb2 as common
from ledger.api.v1 import disposal_pb2 as lists
from ledger.api.v1 import keeping_pb2 as keeping
from ledger.api.v1 import records_pb2 as records
from ledger.api.v1.disposal_values_pb2 import ReportedRecord
from ledger.application.errors import RecordDestroyed
from ledger.application.ledger import Ledger
from ledger.domain.disposal_values import DisposalListPhase
from ledger.domain.refusal import Refused
from ledger.domain.values import Phase
from ledger.server.record_message import record_message
from ledger.server.record_reads import RecordReads
from tests.contract.edge import requests
from tests.integration.application.disposal_ground import (
    APPROVER,
    EXECUTOR,
    FIRST,
    HEAD,
    LEGAL,
    PROPOSER,
    SECOND,
    Office,
)
from tests.integration.application.written import HOSPITAL, execute


@pytest.fixture
def office(ledger: Ledger) -> Office:
    """The records office of north."""
    return Office(ledger)


async def rules_of(refused: Awaitable[Any]) -> set[str]:
    """The rules by which a command is refused."""
    with pytest.raises(Refused) as caught:
        await refused
    return {each.rule for each in caught.value.violations}


async def test_a_list_goes_from_the_proposer_over_another_person_to_its_report(office: Office) -> None:
    """Each record stands on it with the opinion that it has; the list is read for ever, with the report at its end."""
    first, second = [await office.due(await office.patient()) for _ in range(2)]
    list_id = await office.approved([first, second])
    for each in (first, second):
        await office.do(keeping.ApproveDisposalRequest(record_id=each, list_id=list_id), APPROVER)
    await office.destroy(first, list_id)
    outcomes = (ReportedRecord(record_id=first, destroyed=True), ReportedRecord(record_id=second, rules=["HELD"]))
    assert await rules_of(office.report(list_id, *outcomes)) == {"REASON_UNTRUE"}
    hold = keeping.PlaceHoldRequest(record_id=second, mandate="order", authority="court")
    await office.do(hold, common.Actor(id=str(UUID(int=9)), name="Ms. Ren", role="legal"))
    await office.report(list_id, *outcomes)
    state = (await office.ledger.disposal_list(HOSPITAL, UUID(list_id))).state
    assert state.phase is DisposalListPhase.EXECUTED
    assert [(str(each.record_id), each.reason, each.ended_on) for each in state.records] == [
        (each, "term over", "2000-03-01") for each in (first, second)
    ]
    assert [(str(each.record_id), each.destroyed, each.rules) for each in state.outcomes] == [
        (first, True, ()),
        (second, False, ("HELD",)),
    ]
    assert "LIST_NOT_OPEN" in await rules_of(office.destroy(second, list_id))


async def test_nobody_passes_or_approves_the_own_list_nor_for_anybody_else(office: Office) -> None:
    """Three persons, none of them a program; each acts, and nobody is named by another."""
    list_id = await office.drawn_up([await office.due(await office.patient())])
    program = common.Actor(id=PROPOSER.id[:-1] + "9", name="clock", role="system")

    async def refused(actor: common.Actor, kind: Any = lists.ApproveDisposalListRequest) -> set[str]:
        return await rules_of(office.do(kind(list_id=list_id), actor))

    own = common.Actor(id=PROPOSER.id, name=PROPOSER.name, role=APPROVER.role)
    assert await refused(own) == {"SAME_PERSON"}
    assert await refused(PROPOSER) == {"SAME_PERSON", "ROLE_NOT_ALLOWED"}
    assert await refused(program) == {"NOT_A_PERSON", "ROLE_NOT_ALLOWED"}
    named = lists.ApproveDisposalListRequest(list_id=list_id, approver=HEAD)
    assert await rules_of(office.do(named, APPROVER)) == {"NOT_APPLICABLE"}
    authorise = lists.AuthoriseDisposalListRequest
    assert await refused(HEAD, authorise) == {"PHASE_NOT_ALLOWED"}
    await office.do(lists.ApproveDisposalListRequest(list_id=list_id), APPROVER)
    assert await refused(APPROVER) == {"PHASE_NOT_ALLOWED"}
    as_head = [common.Actor(id=each.id, name=each.name, role=HEAD.role) for each in (PROPOSER, APPROVER)]
    assert [await refused(each, authorise) for each in as_head] == [{"SAME_PERSON"}, {"SAME_PERSON"}]
    assert await refused(FIRST, authorise) == {"ROLE_NOT_ALLOWED"}
    await office.do(authorise(list_id=list_id), HEAD)
    state = (await office.ledger.disposal_list(HOSPITAL, UUID(list_id))).state
    assert [each and each.name for each in (state.approved_by, state.approver)] == [APPROVER.name, HEAD.name]


async def test_nothing_is_destroyed_before_two_supervisors_have_signed(office: Office) -> None:
    """Each by a command of the own, neither of them one who wanted the destruction or carries it out."""
    record_id = await office.due(await office.patient())
    list_id = await office.drawn_up([record_id])

    async def refused(actor: common.Actor) -> set[str]:
        return await rules_of(office.do(lists.SuperviseDisposalListRequest(list_id=list_id), actor))

    assert await refused(FIRST) == {"PHASE_NOT_ALLOWED"}
    await office.pass_and_authorise(list_id)
    await office.do(keeping.ApproveDisposalRequest(record_id=record_id, list_id=list_id), EXECUTOR)
    assert await rules_of(office.destroy(record_id, list_id)) == {"NOT_SUPERVISED"}
    assert await refused(PROPOSER) == {"SAME_PERSON"}
    assert await refused(HEAD) == {"SAME_PERSON", "ROLE_NOT_ALLOWED"}
    await office.do(lists.SuperviseDisposalListRequest(list_id=list_id), FIRST)
    assert await refused(FIRST) == {"SAME_PERSON"}
    assert await rules_of(office.destroy(record_id, list_id)) == {"NOT_SUPERVISED"}
    assert await rules_of(office.report(list_id, ReportedRecord(record_id=record_id, destroyed=True))) >= {
        "NOT_SUPERVISED"
    }
    await office.do(lists.SuperviseDisposalListRequest(list_id=list_id), SECOND)
    assert await refused(EXECUTOR) == {"ALREADY_SUPERVISED"}
    own = keeping.DestroyRecordRequest(record_id=record_id, list_id=list_id)
    assert await rules_of(office.do(own, FIRST)) == {"SAME_PERSON"}
    others = keeping.DestroyRecordRequest(record_id=record_id, list_id=list_id, supervisors=[FIRST, EXECUTOR])
    assert await rules_of(office.do(others, EXECUTOR)) == {"OTHER_SUPERVISORS"}
    await office.destroy(record_id, list_id)
    destruction = (await office.ledger.record(HOSPITAL, UUID(record_id))).state.archiving.destruction
    assert destruction
    assert [destruction.approved_by.name, *(each.name for each in destruction.supervisors)] == [
        each.name for each in (HEAD, FIRST, SECOND)
    ]


async def test_only_what_is_due_and_appraised_for_destruction_is_listed(office: Office) -> None:
    """Every record that does not belong there is named at once."""
    stay = await execute(office.ledger, requests.register_record(await office.patient()))
    unknown = "00000000-0000-4000-8000-000000000001"
    request = lists.DrawUpDisposalListRequest(title="", record_ids=[unknown, str(stay.record_id)])
    assert await rules_of(office.do(request, PROPOSER)) == {
        "UNKNOWN_RECORD",
        "NOT_DUE",
        "NOT_TO_BE_DESTROYED",
        "REQUIRED",
    }
    empty = lists.DrawUpDisposalListRequest(title="none")
    assert await rules_of(office.do(empty, PROPOSER)) == {"OUT_OF_RANGE"}
    due = await office.due(await office.patient())
    twice = lists.DrawUpDisposalListRequest(title="twice", record_ids=[due, due])
    assert await rules_of(office.do(twice, PROPOSER)) == {"REPEATED"}


async def test_a_report_that_differs_from_the_records_is_refused(office: Office) -> None:
    """Destroyed means destroyed by this list; every record once; what is left out says why."""
    record_id, list_id = await office.condemned(await office.patient())
    gone, left = ReportedRecord(record_id=record_id, destroyed=True), ReportedRecord(record_id=record_id, rules=["X"])
    assert await rules_of(office.report(list_id, gone)) == {"REPORT_UNTRUE"}
    assert await rules_of(office.report(list_id)) == {"REPORT_INCOMPLETE"}
    assert await rules_of(office.report(list_id, left, left)) == {"REPORT_INCOMPLETE", "REASON_UNTRUE"}
    assert await rules_of(office.report(list_id, ReportedRecord(record_id=record_id))) == {"NOT_EXPLAINED"}
    await office.destroy(record_id, list_id)
    assert await rules_of(office.report(list_id, left)) == {"REPORT_UNTRUE", "REASON_UNTRUE"}
    others = lists.RecordDisposalReportRequest(list_id=list_id, supervisors=[HEAD], outcomes=[gone])
    assert await rules_of(office.do(others, EXECUTOR)) == {"OTHER_SUPERVISORS"}
    await office.report(list_id, gone)


async def test_a_destroyed_record_is_a_tombstone(office: Office, other: Ledger) -> None:
    """Phase, dates, list and people are read; no entry, at no earlier version and at no other process either."""
    record_id, list_id = await office.condemned(await office.patient())
    written = await office.ledger.record(HOSPITAL, UUID(record_id))
    (entry_id,) = written.state.entries
    await office.destroy(record_id, list_id)
    for ledger in (office.ledger, other):
        view = await ledger.record(HOSPITAL, UUID(record_id))
        message = record_message(view)
        assert b"secret" not in message.SerializeToString()
        assert (message.phase, message.tombstone.list_id) == (common.PHASE_DESTROYED, list_id)
        assert (message.tombstone.approved_by, len(message.tombstone.supervisors)) == (HEAD, 2)
        assert message.tombstone.head_leaf == written.head_leaf
        assert not message.entries
        with pytest.raises(RecordDestroyed):
            await ledger.record(HOSPITAL, UUID(record_id), version=view.version - 1)
        with pytest.raises(RecordDestroyed):
            await ledger.record(HOSPITAL, UUID(record_id), time=view.updated_at - timedelta(microseconds=1))
        asked = records.GetEntryRequest(hospital=HOSPITAL, record_id=record_id, entry_id=str(entry_id))
        with pytest.raises(RecordDestroyed):
            await RecordReads(ledger).get_entry(asked)
        assert (await ledger.record(HOSPITAL, UUID(record_id), version=view.version)).state.phase is Phase.DESTROYED


async def test_a_destruction_is_offered_by_the_lists_that_name_the_record(office: Office) -> None:
    """Approved for no list that is not approved itself; destroyed by none that is over."""
    early = await office.due(await office.patient())
    await office.approved([early])
    record_id = await office.due(await office.patient())
    outlook = await office.ledger.outlook(HOSPITAL)

    async def offered() -> set[str]:
        _, actions = await outlook.allowed_actions(UUID(record_id))
        return {each.name for each in actions if not each.reasons} & {"ApproveDisposal", "DestroyRecord"}

    assert await offered() == set()
    list_id = await office.drawn_up([record_id])
    assert await offered() == set()
    await office.pass_and_authorise(list_id)
    assert await offered() == {"ApproveDisposal"}
    await office.do(keeping.ApproveDisposalRequest(record_id=record_id, list_id=list_id), APPROVER)
    assert await offered() == {"DestroyRecord"}
    for each in (FIRST, SECOND):
        await office.do(lists.SuperviseDisposalListRequest(list_id=list_id), each)
    hold = keeping.PlaceHoldRequest(record_id=record_id, mandate="order", authority="court")
    hold_id = (await office.do(hold, LEGAL)).result["hold_id"]
    assert isinstance(hold_id, UUID)
    await office.report(list_id, ReportedRecord(record_id=record_id, rules=["HELD"]))
    await office.do(keeping.LiftHoldRequest(record_id=record_id, hold_id=str(hold_id), reason="settled"), LEGAL)
    assert await offered() == set()


async def test_nothing_is_done_on_a_destroyed_record(office: Office, other: Ledger) -> None:
    """Copies, loans, entries and a second destruction are refused by name, and so is the question what it accepts."""
    record_id, list_id = await office.condemned(await office.patient())
    await office.destroy(record_id, list_id)
    copied = keeping.IssueCopyRequest(record_id=record_id, applicant="x", relation="self", mark="copy")
    lent = keeping.LendRecordRequest(record_id=record_id, borrower=APPROVER, due_on="2030-01-01")
    offices = (office, Office(other))
    for each in offices:
        for request in (copied, lent):
            with pytest.raises(RecordDestroyed):
                await each.do(request, PROPOSER)
        with pytest.raises(RecordDestroyed):
            await each.destroy(record_id, list_id)
        with pytest.raises(RecordDestroyed):
            await execute(each.ledger, requests.record_entry(record_id))
        outlook = await each.ledger.outlook(HOSPITAL)
        with pytest.raises(RecordDestroyed):
            await outlook.allowed_actions(UUID(record_id))
        assert (await outlook.deadlines(UUID(record_id))).deadlines == ()
        assert (await outlook.retention(UUID(record_id))).visits == ()


async def test_what_was_imported_into_a_destroyed_record_is_known_and_comes_back_no_more(office: Office) -> None:
    """Items taken up before, the same and changed ones, are named as destroyed, and nothing is written."""
    record_id = await office.due(await office.patient())
    late = keeping_source("doc-1", b"\1")
    patient_id = await office.patient()
    register = records.RegisterRecordRequest(
        context=requests.taken_over(late),
        patient_id=patient_id,
        visit_type=common.VISIT_TYPE_OUTPATIENT,
        visit_sequence=1,
        department="MED",
    )
    del record_id
    imported = str((await execute(office.ledger, register)).record_id)
    await execute(
        office.ledger,
        records.StartCareRequest(
            context=requests.taken_over(),
            record_id=imported,
            department="MED",
            team="clinic",
        ),
    )
    entry = requests.record_entry(imported)
    entry.context.source.CopyFrom(keeping_source("doc-2", b"\2"))
    await execute(office.ledger, entry)
    await _end(office, imported)
    list_id = await office.approved([imported])
    await office.do(keeping.ApproveDisposalRequest(record_id=imported, list_id=list_id), APPROVER)
    await office.destroy(imported, list_id)
    changed = requests.record_entry(imported, "other")
    changed.context.source.CopyFrom(keeping_source("doc-2", b"\3"))
    head = await office.ledger.head(HOSPITAL)
    for request in (register, entry, changed):
        request.context.command_id = requests.context().command_id
        with pytest.raises(RecordDestroyed):
            await execute(office.ledger, request)
    assert await office.ledger.head(HOSPITAL) == head


def keeping_source(id_: str, digest: bytes) -> common.SourceItem:
    """An item of an earlier system."""
    return common.SourceItem(system="his", type="Document", id=id_, content_sha256=digest * 32)


async def _end(office: Office, record_id: str) -> None:
    end = records.EndCareRequest(
        record_id=record_id,
        disposition=common.DISPOSITION_HOME,
        ended_at=requests.stamp(requests.datetime(2000, 3, 1, tzinfo=requests.UTC)),
    )
    await office.do(end, requests.IMPORTER, historical=True)
    await office.do(records.ArchiveRecordRequest(record_id=record_id), PROPOSER)
    await office.do(keeping.EndRetentionRequest(record_id=record_id), PROPOSER)
    appraise = keeping.AppraiseDisposalRequest(record_id=record_id, opinion=1, reason="term over")  # pyright: ignore[reportArgumentType]
    await office.do(appraise, PROPOSER)
