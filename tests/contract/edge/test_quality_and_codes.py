"""Quality control and coded diagnoses over both protocols: the ledger counts and looks up, and says why not."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.api.v1 import common_pb2 as common
from ledger.api.v1 import records_pb2 as records
from tests.contract.edge.clients import EdgeClient, RpcFailed
from tests.contract.edge.requests import open_record, record_entry
from tests.contract.edge.test_whole_life import QUALITY, Life, short_visit

ICD10 = "http://hl7.org/fhir/sid/icd-10"


async def quality_of(life: Life) -> records.QualityStanding:
    """What the record says of its quality."""
    request = records.GetRecordRequest(hospital="north", record_id=life.record_id)
    found: Any = await life.client.call("RecordService/GetRecord", request)
    return found.record.quality


def defects(*codes: str) -> list[common.Defect]:
    """Defects of the record as a whole."""
    return [common.Defect(code=code, text=f"number {index}") for index, code in enumerate(codes)]


async def test_the_ledger_makes_the_score(client: EdgeClient) -> None:
    """An unknown code, a score of the client's own, too many points lost: refused. What stays is shown and scored."""
    _, life = await short_visit(client, archive=False)
    assert not (await quality_of(life)).grade
    await life.record("SubmitRecord")
    unknown = life.record("ReturnRecord", QUALITY, defects=defects("D1", "LANGUAGE", "D2"))
    assert await life.refused(unknown) == ["UNKNOWN_DEFECT", "UNKNOWN_DEFECT"]
    await life.record("ReturnRecord", QUALITY, defects=defects("CONSENT_MISSING", "LANGUAGE"))
    returned = await quality_of(life)
    assert (returned.passed, returned.score, returned.grade, returned.returns) == (False, 69, "C", 1)
    assert [each.code for each in returned.defects] == ["CONSENT_MISSING", "LANGUAGE"]
    await life.record("SubmitRecord")
    late = defects(*["ROUND_LATE"] * 6)
    assert await life.refused(life.record("PassQuality", QUALITY, score=93, defects=late)) == [
        "SCORE_DISAGREES",
        "SCORE_TOO_LOW",
    ]
    await life.record("PassQuality", QUALITY, defects=late[:3])
    passed = await quality_of(life)
    assert (passed.passed, passed.score, passed.grade, passed.returns) == (True, 85, "B", 1)


async def test_a_diagnosis_is_one_of_icd10(client: EdgeClient) -> None:
    """A code that the WHO's edition of 2019 does not have is refused; one that it has is kept with the edition."""
    ward = await open_record(client)
    request = record_entry(ward.record_id)

    def diagnosed(code: str) -> records.RecordEntryRequest:
        coding = common.Coding(system=ICD10, code=code)
        fields = [common.Field(code="principal_diagnosis", coding=coding)]
        sections = [common.Section(code="diagnoses", fields=fields)]
        request.content.CopyFrom(common.EntryContent(template="front_page", template_version=1, sections=sections))
        return request

    with pytest.raises(RpcFailed) as failure:
        await client.call("RecordService/RecordEntry", diagnosed("I21.7"))
    where = "content.sections[0].fields[0].coding.code"
    assert failure.value.violations == [(where, "UNKNOWN_CODE")]
    written = await client.call("RecordService/RecordEntry", diagnosed("I21.4"))
    asked = records.GetEntryRequest(hospital="north", record_id=ward.record_id, entry_id=written.entry_id)
    (version,) = (await client.call("RecordService/GetEntry", asked)).entry.versions
    coding = version.content.sections[0].fields[0].coding
    assert (coding.code, coding.version) == ("I21.4", "2019")
