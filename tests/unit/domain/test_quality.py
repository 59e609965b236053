"""Quality control by the pack's items: the ledger makes the score, whoever looked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from ledger.domain.commands import PassQuality, ReturnRecord, SubmitRecord
from ledger.domain.course_events import QualityAssessed
from ledger.domain.defaults import default_pack
from ledger.domain.events import QualityPassed
from ledger.domain.quality_rules import QualityRules
from ledger.domain.refusal import RefusalKind
from ledger.domain.values import Defect, Phase
from tests.unit.domain.given import RECORD, submitted

PACKS = ("cn-2010", "core-2018", "us-generic")
LATE = tuple(Defect("ROUND_LATE", None, f"ward {number}") for number in range(6))
"""Five points each."""


def test_the_score_is_what_the_defects_leave() -> None:
    """Each defect takes off the points of its item; score, grade and defects stand in the state."""
    stream = submitted()
    slip = Defect("LANGUAGE", next(iter(stream.record.entries)), "abbreviations")
    stream.when(PassQuality(RECORD, 0, (slip, *LATE[:2])))
    standing = stream.record.archiving
    assert (standing.passed, standing.score, standing.grade) == (True, 89, "B")
    assert standing.defects == (slip, *LATE[:2])
    assessed, passed = stream.events[-2:]
    assert isinstance(assessed, QualityAssessed)
    assert isinstance(passed, QualityPassed)
    assert (assessed.full_score, assessed.vetoed, passed.score) == (100, False, 89)


def test_a_record_without_defects_has_the_full_score() -> None:
    """Nothing found, nothing taken off."""
    stream = submitted()
    stream.when(PassQuality(RECORD))
    assert (stream.record.archiving.score, stream.record.archiving.grade) == (100, "A")
    assert stream.record.phase is Phase.SUBMITTED
    assert stream.refused(PassQuality(RECORD)) == (RefusalKind.STATE, [("record_id", "ALREADY_PASSED")])


@pytest.mark.parametrize(("late", "grade"), [(2, "A"), (3, "B"), (5, "B"), (6, None)])
def test_the_grades_begin_at_their_scores(late: int, grade: str | None) -> None:
    """At 90 grade A, at 75 grade B, and below 75 the record does not pass."""
    stream = submitted()
    if grade is None:
        command = PassQuality(RECORD, 0, LATE[:late])
        assert stream.refused(command) == (RefusalKind.STATE, [("defects", "SCORE_TOO_LOW")])
        return
    stream.when(PassQuality(RECORD, 0, LATE[:late]))
    assert (stream.record.archiving.score, stream.record.archiving.grade) == (100 - 5 * late, grade)


def test_a_return_is_scored_too_and_the_next_look_counts_anew() -> None:
    """The department sees what its record was worth; once mended, what is found then counts."""
    stream = submitted()
    stream.when(ReturnRecord(RECORD, (Defect("CONSENT_MISSING"), *LATE)))
    assert stream.last_events == ["QualityAssessed", "QualityReturned"]
    standing = stream.record.archiving
    assert (stream.record.phase, standing.passed, standing.score, standing.grade) == (Phase.RETURNED, False, 40, "C")
    stream.when(SubmitRecord(RECORD))
    stream.when(PassQuality(RECORD, 0, LATE[:1]))
    assert (stream.record.archiving.score, stream.record.archiving.grade) == (95, "A")


def test_a_veto_forbids_the_pass_whatever_the_score() -> None:
    """An item with a veto leaves the lowest grade, also where the points alone would do."""
    pack = default_pack()
    cheap = replace(pack.quality.items["CONSENT_MISSING"], points=1)
    quality = replace(pack.quality, items={**pack.quality.items, cheap.id: cheap})
    stream, command = submitted(), PassQuality(RECORD, 0, (Defect(cheap.id),))
    refused = stream.refused(command, pack=replace(pack, quality=quality))
    assert refused == (RefusalKind.STATE, [("defects[0].code", "VETO")])
    assert (quality.score(command.defects), quality.grade(command.defects)) == (99, "C")


def test_a_score_that_is_sent_must_agree() -> None:
    """The client may say what it counted; the ledger does not take its word."""
    stream = submitted()
    assert stream.refused(PassQuality(RECORD, 93, LATE[:1])) == (RefusalKind.INVALID, [("score", "SCORE_DISAGREES")])
    stream.when(PassQuality(RECORD, 95, LATE[:1]))
    assert stream.record.archiving.score == 95


def test_every_fault_of_the_defects_comes_at_once() -> None:
    """Unknown codes, an unknown entry and a repetition are named in one answer; a return without defects is none."""
    stream = submitted()
    defects = (Defect("D1"), Defect("LANGUAGE", UUID(int=9)), Defect(""), Defect("D1"))
    _, faults = stream.refused(ReturnRecord(RECORD, defects))
    assert faults == [
        ("defects[0].code", "UNKNOWN_DEFECT"),
        ("defects[2].code", "UNKNOWN_DEFECT"),
        ("defects[3].code", "UNKNOWN_DEFECT"),
        ("defects[1].entry_id", "UNKNOWN_ENTRY"),
        ("defects[3]", "REPEATED_DEFECT"),
    ]
    assert stream.refused(ReturnRecord(RECORD, ()))[1] == [("defects", "REQUIRED")]


@pytest.mark.parametrize("pack_id", PACKS)
def test_the_items_of_a_pack_say_what_they_are_in_both_languages(pack_id: str) -> None:
    """Every item and grade has a title in English and Chinese and a source; nobody has confirmed one yet."""
    quality = default_pack(pack_id).quality
    assert [(each.from_score, each.unconfirmed) for each in quality.grades] == [(90, True), (75, True), (0, True)]
    for each in (*quality.items.values(), *quality.grades):
        assert each.title.isascii()
        assert any("\u4e00" <= letter <= "\u9fff" for letter in each.title_zh)
        assert each.source
    assert all(each.group for each in quality.items.values())
    assert any(each.veto for each in quality.items.values())


def test_every_fault_of_quality_rules_is_named() -> None:
    """A pack without items, or with figures that are none, is refused with each fault's path."""
    item = {"id": "A", "title": "a", "title_zh": "甲", "group": "g", "points": 1, "source": "s"}
    grade = {"id": "C", "title": "c", "title_zh": "丙", "from_score": 1, "source": "s"}
    data: dict[str, Any] = {
        "quality": {"full": 100, "pass_from": 101, "source": "", "colour": 1},
        "quality_item": [item, {**item, "veto": "yes", "points": 0}, {**item, "id": "lower", "more": 1}],
        "quality_grade": [grade, {**grade, "id": "D"}],
    }
    faults: list[str] = []
    QualityRules.from_data(data, faults)
    assert {each.split(":")[0] for each in faults} == {
        "quality.colour",
        "quality.source",
        "quality.pass_from",
        "quality_item[1].points",
        "quality_item[1].veto",
        "quality_item[2].id",
        "quality_item[2].more",
        "quality_item",
        "quality_grade",
    }
    faults = []
    QualityRules.from_data({}, faults)
    assert {"quality.full", "quality_item", "quality_grade"} <= {each.split(":")[0] for each in faults}
