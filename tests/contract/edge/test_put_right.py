"""What was wrong from the start is put right over the wire: newborns, consultations, and who a patient is."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

from ledger.api.v1 import common_pb2 as common
from ledger.api.v1 import course_pb2 as course
from ledger.api.v1 import identity_pb2 as identity
from ledger.api.v1 import keeping_values_pb2 as values
from ledger.api.v1 import records_pb2 as records
from tests.contract.edge.clients import EdgeClient
from tests.contract.edge.requests import open_record, record_entry, stamp
from tests.contract.edge.test_whole_life import AFFAIRS, ARCHIVIST, QUALITY, SUPERIOR, Life, by, person, short_visit

NURSE, IN_ERROR = person("Ms Lan", "nurse"), values.ENDORSED_ACT_RECORD_IN_ERROR


async def test_a_newborn_and_what_was_put_right_about_it_are_shown(client: EdgeClient) -> None:
    """Registered twice, born at another time: who stands, what is led where, and what was said before."""
    ward = await open_record(client)
    life, right = Life(client, ward.record_id), stamp(datetime.now(UTC) - timedelta(hours=2))
    first, second = [(await life.course("RegisterNewborn", number=number)).subject_id for number in (1, 2)]
    note = record_entry(ward.record_id)
    note.content.subject_id = second
    await client.call("RecordService/RecordEntry", note)
    correct: dict[str, Any] = {"subject_id": first, "born_at": right, "reason": "wrong clock"}
    assert await life.refused(life.course("CorrectBirth", **correct)) == ["ROLE_NOT_ALLOWED"]
    await life.course("CorrectBirth", ARCHIVIST, **correct)
    withdraw: dict[str, Any] = {"subject_id": second, "same_as_id": first, "reason": "registered twice"}
    await life.course("WithdrawNewborn", ARCHIVIST, **withdraw)
    shown = await life.read()
    (entry,) = shown.entries
    assert (entry.subject_id, entry.versions[0].content.subject_id) == (first, second)
    one, other = shown.keeping.subjects
    assert (list(shown.keeping.newborns), one.born_at, one.corrections[0].reason) == ([first], right, "wrong clock")
    assert (other.withdrawn, other.same_as_id, other.reason) == (True, first, "registered twice")
    await life.course("RestoreNewborn", ARCHIVIST, subject_id=second, reason="two were born")
    assert [each.subject_id for each in (await life.read()).entries] == [second]


async def test_a_newborn_is_entered_into_a_held_archive(client: EdgeClient) -> None:
    """With the reason, shown; without one it is refused, and so is whoever has no role for it."""
    _, life = await short_visit(client)
    await life.keep("PlaceHold", AFFAIRS, mandate="court order", authority="district court")
    assert await life.refused(life.course("RegisterNewborn", number=1)) == ["REASON_REQUIRED"]
    quality = life.course("RegisterNewborn", QUALITY, number=1, reason="told late")
    assert await life.refused(quality) == ["ROLE_NOT_ALLOWED"]
    assert (await life.course("RegisterNewborn", number=1, reason="told late")).receipt.events == 2
    (born,) = (await life.read()).keeping.subjects
    assert born.late_reason == "told late"


async def test_a_hold_on_the_whole_record_keeps_a_birth(client: EdgeClient) -> None:
    """Nothing was written about it yet: no time of birth is moved until the hold is lifted, and adding goes on."""
    life = Life(client, (await open_record(client)).record_id)
    born = (await life.course("RegisterNewborn", number=1)).subject_id
    held = await life.keep("PlaceHold", AFFAIRS, mandate="court order", authority="district court")
    assert [each.whole for each in (await life.read()).keeping.holds] == [True]
    earlier = stamp(datetime.now(UTC) - timedelta(hours=2))
    correct: dict[str, Any] = {"subject_id": born, "born_at": earlier, "reason": "wrong clock"}
    assert await life.refused(life.course("CorrectBirth", ARCHIVIST, **correct)) == ["HELD"]
    await life.course("RegisterNewborn", number=2)
    await life.keep("LiftHold", AFFAIRS, hold_id=held.hold_id, reason="settled")
    await life.course("CorrectBirth", ARCHIVIST, **correct)


async def test_a_newborn_is_linked_to_the_patient_that_it_is(client: EdgeClient) -> None:
    """Shown in the mother's record; refused of nobody known; taken back by a second one, with the reason."""
    mother, child = [await open_record(client) for _ in range(2)]
    life, patient_id = Life(client, mother.record_id), (await Life(client, child.record_id).read()).patient_id
    born = (await life.course("RegisterNewborn", number=1)).subject_id
    unknown = life.course("LinkNewborn", ARCHIVIST, subject_id=born, patient_id=str(uuid4()))
    assert await life.refused(unknown) == ["UNKNOWN_PATIENT"]
    assert (await life.course("LinkNewborn", ARCHIVIST, subject_id=born, patient_id=patient_id)).receipt.events == 1
    (shown,) = (await life.read()).keeping.subjects
    assert (shown.patient_id, shown.link_reason) == (patient_id, "")
    away: dict[str, Any] = {"subject_id": born, "patient_id": ""}
    assert await life.refused(life.course("LinkNewborn", ARCHIVIST, **away)) == ["REASON_REQUIRED"]
    await life.course("LinkNewborn", ARCHIVIST, **away, reason="another one's number")
    (shown,) = (await life.read()).keeping.subjects
    assert (shown.patient_id, shown.link_reason) == ("", "another one's number")


async def test_a_withdrawn_consultation_is_shown_with_its_reason(client: EdgeClient) -> None:
    """It waits for nobody; whoever neither asked nor heads the department withdraws nothing."""
    ward = await open_record(client)
    life = Life(client, ward.record_id)
    ask: dict[str, Any] = {"to_department": "NEUR", "urgency": common.URGENCY_EMERGENCY, "question": "Why?"}
    asked = (await life.record("RequestConsultation", **ask)).consultation_id
    withdraw: dict[str, Any] = {"consultation_id": asked, "reason": "meant for the next bed"}
    assert await life.refused(life.course("WithdrawConsultation", ARCHIVIST, **withdraw)) == ["NOT_AUTHOR"]
    await life.course("WithdrawConsultation", **withdraw)
    (shown,) = (await life.read()).consultations
    assert (shown.answered, shown.withdrawal_reason) == (False, "meant for the next bed")
    assert shown.HasField("withdrawn_at")
    deadlines = course.GetDeadlinesRequest(hospital="north", record_id=ward.record_id)
    answer = await client.call("CourseService/GetDeadlines", deadlines)
    (clock,) = [each for each in answer.deadlines if each.subject_id == asked]
    assert (clock.met_at, clock.missed) == (shown.withdrawn_at, False)


async def test_what_was_stated_of_a_merged_patient_is_not_stated_again(client: EdgeClient) -> None:
    """Another system's result of the survivor is refused, and found in the former's record; apart again it is taken."""
    wards = [await open_record(client) for _ in range(2)]
    former, survivor = [(await Life(client, each.record_id).read()).patient_id for each in wards]

    def result(ward: Any, system: str) -> Any:
        entry, id_ = record_entry(ward.record_id), str(uuid4())
        entry.context.source.CopyFrom(
            common.SourceItem(system=system, type="Observation", id=id_, content_sha256=sha256(id_.encode()).digest())
        )
        entry.context.fact_sha256 = b"7" * 32
        return entry

    stated = await client.call("RecordService/RecordEntry", result(wards[0], "lab-1"))
    merge = identity.MergePatientsRequest(
        context=by(ARCHIVIST), patient_id=former, survivor_id=survivor, reason="one person"
    )
    await client.call("IdentityService/MergePatients", merge)
    life, again = Life(client, wards[1].record_id), result(wards[1], "lab-2")
    assert await life.refused(client.call("RecordService/RecordEntry", again)) == ["DUPLICATE_FACT"]
    ask = records.FindRecordsRequest(hospital="north")
    ask.fact.patient_id, ask.fact.fact_sha256 = survivor, b"7" * 32
    (found,) = (await client.call("RecordService/FindRecords", ask)).records
    assert (found.record_id, found.entry_id) == (wards[0].record_id, stated.entry_id)
    apart = identity.UnmergePatientsRequest(
        context=by(ARCHIVIST), patient_id=former, survivor_id=survivor, reason="two persons"
    )
    await client.call("IdentityService/UnmergePatients", apart)
    await client.call("RecordService/RecordEntry", again)


async def test_no_family_becomes_one_patient_over_the_wire(client: EdgeClient) -> None:
    """Neither by a merge of mother or sibling with the child, nor by a link to who goes on for either."""
    mother, child, other = [await open_record(client) for _ in range(3)]
    life = Life(client, mother.record_id)
    hers, its, others = [(await Life(client, each.record_id).read()).patient_id for each in (mother, child, other)]
    one, two = [(await life.course("RegisterNewborn", number=number)).subject_id for number in (1, 2)]
    for born, patient_id in ((one, its), (two, others)):
        await life.course("LinkNewborn", ARCHIVIST, subject_id=born, patient_id=patient_id)

    async def merge(patient_id: str, survivor_id: str) -> Any:
        request = identity.MergePatientsRequest(context=by(ARCHIVIST), reason="same name")
        request.patient_id, request.survivor_id = patient_id, survivor_id
        return await client.call("IdentityService/MergePatients", request)

    for pair in ((hers, its), (its, hers), (its, others)):
        assert await life.refused(merge(*pair)) == ["NOT_ITS_OWN"]
    await life.course("LinkNewborn", ARCHIVIST, subject_id=two, patient_id="", reason="another one's number")
    await merge(its, others)
    again: dict[str, Any] = {"subject_id": two, "patient_id": others}
    assert await life.refused(life.course("LinkNewborn", ARCHIVIST, **again)) == ["NOT_ITS_OWN"]
    # Who was merged into the survivor is asked by that name, too.
    assert await life.refused(merge(hers, others)) == ["NOT_ITS_OWN"]
    await life.course("WithdrawNewborn", ARCHIVIST, subject_id=one, same_as_id=two, reason="registered twice")
    await life.course("LinkNewborn", ARCHIVIST, **again)
    restore = life.course("RestoreNewborn", ARCHIVIST, subject_id=one, reason="two were born")
    assert await life.refused(restore) == ["NOT_ITS_OWN"]


async def test_a_wrong_record_says_where_its_entries_are_now(client: EdgeClient) -> None:
    """Every missing link is named; a link into another hospital's nowhere is refused; both records show the way."""
    wrong, right = [await open_record(client) for _ in range(2)]
    first, second, third, there = (
        (await wrong.enter()).entry_id,
        (await wrong.enter()).entry_id,
        (await wrong.enter()).entry_id,
        (await right.enter()).entry_id,
    )
    life, place = Life(client, wrong.record_id), common.EntryPlace(record_id=right.record_id, entry_id=there)
    nowhere = common.EntryPlace(record_id=right.record_id, entry_id=str(uuid4()))
    retract: dict[str, Any] = {"entry_id": first, "reason": "wrong patient"}
    assert await life.refused(life.record("RetractEntry", **retract, recorded_again=nowhere)) == ["NOT_RECORDED_THERE"]
    await life.record("RetractEntry", **retract, recorded_again=place)
    both: dict[str, Any] = {**retract, "entry_id": third, "recorded_again": place, "nowhere_reason": "told twice"}
    assert await life.refused(life.record("RetractEntry", **both)) == ["TRACE_UNCLEAR"]
    await life.record("RetractEntry", entry_id=third, reason="wrong patient", nowhere_reason="a test of the printer")
    await life.record("RetractEntry", entry_id=second, reason="wrong patient")
    declare: dict[str, Any] = {
        "reason": "wrong patient",
        "confirmed_by": SUPERIOR,
        "correct_record_id": right.record_id,
    }
    assert await life.refused(life.course("DeclareEnteredInError", **declare)) == ["NOT_TRACED", "NOT_ENDORSED"]
    declare["traces"] = [common.EntryTrace(entry_id=second, nowhere_reason="told twice")]
    assert await life.refused(life.course("DeclareEnteredInError", **declare)) == ["NOT_ENDORSED"]
    assert await life.refused(life.endorse(NURSE, IN_ERROR)) == ["ROLE_NOT_ALLOWED"]
    said = await life.endorse(SUPERIOR, IN_ERROR, subject_id=right.record_id)
    (waiting,) = (await life.read()).keeping.endorsements
    assert (waiting.endorsement_id, waiting.act, waiting.subject_id) == (said.endorsement_id, IN_ERROR, right.record_id)
    assert (waiting.endorsed_by, waiting.reason) == (SUPERIOR, "looked at it")
    assert waiting.expires_at.seconds - waiting.endorsed_at.seconds == 24 * 3600
    assert (await life.course("DeclareEnteredInError", **declare)).receipt.events == 3
    shown = await life.read()
    assert not shown.keeping.endorsements
    assert shown.correct_record_id == right.record_id
    assert [(each.recorded_again, each.nowhere_reason) for each in shown.entries] == [
        (place, ""),
        (common.EntryPlace(), "told twice"),
        (common.EntryPlace(), "a test of the printer"),
    ]
