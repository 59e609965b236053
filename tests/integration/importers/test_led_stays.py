"""Stays that an importer registered under the wrong patient go to the right one, and the next import goes on there."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import grpc
import grpc.aio

from importers.fhir.report import Outcome
from ledger.api.v1.common_pb2 import Actor
from ledger.api.v1.course_pb2 import EndorseActRequest, GetAllowedActionsRequest, IdentifyPatientRequest
from ledger.api.v1.course_pb2_grpc import CourseServiceStub
from ledger.api.v1.identity_pb2 import WithdrawRecognitionRequest
from ledger.api.v1.identity_pb2_grpc import IdentityServiceStub
from ledger.api.v1.keeping_values_pb2 import ENDORSED_ACT_IDENTIFICATION_CORRECTED
from ledger.api.v1.records_pb2 import GetRecordRequest
from ledger.api.v1.records_pb2_grpc import RecordServiceStub
from tests.integration.importers.test_two_systems import DOCTOR, by_archivist, find, import_these, with_passport
from tests.unit.importers.fhir_files import encounter, observation

_STEWARD = Actor(id=str(UUID(int=8)), name="A Steward", role="identity_steward")


async def test_a_feed_goes_on_once_its_stays_are_filed_under_their_patient(
    tmp_path: Path, channel: grpc.aio.Channel
) -> None:
    """The answer names them, two persons file them, and the source that was never corrected sends what came since."""
    await import_these(tmp_path / "one", [with_passport("p1", "MRN-1"), DOCTOR, encounter()], channel)
    visit = encounter("eb", "pb", start="2024-06-12T09:00:00Z")
    feed = [with_passport("pb", "B-7"), DOCTOR, visit, observation("b1", "pb", "eb")]
    await import_these(tmp_path / "two", feed, channel, "b")
    wrong, stay = [await find(channel, *each) for each in (("Patient", "p1"), ("Encounter", "eb", "b"))]
    taken_back = WithdrawRecognitionRequest(
        context=by_archivist(), patient_id=wrong.record_id, system="b", type="Patient", id="pb", reason="another one"
    )
    answer = await IdentityServiceStub(channel).WithdrawRecognition(taken_back)
    assert answer.stays == UUID(stay.record_id).bytes
    feed.append(observation("b2", "pb", "eb", at="2024-06-12T10:00:00Z"))
    report = await import_these(tmp_path / "refused", feed, channel, "b")
    assert report.counts["Encounter", Outcome.REFUSED] == report.counts["Observation", Outcome.REFUSED] - 1 == 1
    own = (await find(channel, "Patient", "pb", "b")).record_id
    course = CourseServiceStub(channel)
    asked = GetAllowedActionsRequest(hospital="north", record_id=stay.record_id)
    endorsed = EndorseActRequest(
        context=by_archivist(),
        record_id=stay.record_id,
        act=ENDORSED_ACT_IDENTIFICATION_CORRECTED,
        subject_id=own,
        reason="the passport says so",
    )
    endorsed.context.actor.CopyFrom(_STEWARD)
    for rules in (["NOT_ENDORSED"], []):
        actions = (await course.GetAllowedActions(asked)).actions
        assert [[why.rule for why in each.reasons] for each in actions if each.action == "IdentifyPatient"] == [rules]
        await course.EndorseAct(endorsed)
    moved = IdentifyPatientRequest(
        context=by_archivist(), record_id=stay.record_id, patient_id=own, reason="a slip", confirmed_by=_STEWARD
    )
    await course.IdentifyPatient(moved)
    for recorded in (1, 0):
        report = await import_these(tmp_path / f"then{recorded}", feed, channel, "b")
        assert report.good(), report.reasons
        counts = [report.counts["Observation", each] for each in (Outcome.RECORDED, Outcome.SAME, Outcome.REFUSED)]
        assert counts == [recorded, 2 - recorded, 0]
    assert (await find(channel, "Observation", "b2", "b")).record_id == stay.record_id
    request = GetRecordRequest(hospital="north", record_id=stay.record_id)
    assert (await RecordServiceStub(channel).GetRecord(request)).record.patient_id == own
