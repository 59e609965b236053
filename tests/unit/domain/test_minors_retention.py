"""Records of minors are kept until an age besides: the later of both counts, and nobody comes of age early."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from ledger.domain.defaults import default_pack
from ledger.domain.newborn_commands import RegisterNewborn, WithdrawNewborn
from ledger.domain.partial_dates import last_day
from ledger.domain.retention import Term, retention_term, term_over
from ledger.domain.rule_pack import RetentionClass, RulePack
from ledger.domain.values import VisitType
from tests.unit.domain.given import NOW, RECORD, Stream, archived, closed, facts
from tests.unit.domain.test_state_retention import faults_of, layer

ALASKA = layer("retention_state = 'AK'\n")
"""Seven years, minors until 21."""


def term(born_on: date | None, pack: RulePack = ALASKA, stream: Stream | None = None) -> Term:
    """The term of a stay that ended on 1 March 2026."""
    return retention_term((stream or closed()).record, facts(pack=pack, born_on=born_on))


@pytest.mark.parametrize(
    ("born_on", "until", "by_age"),
    [
        (None, "2033-03-01", 0),
        (date(1950, 1, 31), "2033-03-01", 0),
        (date(2012, 3, 1), "2033-03-01", 0),
        (date(2012, 3, 2), "2033-03-02", 21),
        (date(2024, 2, 29), "2045-03-01", 21),
    ],
)
def test_the_later_of_the_years_and_the_age_counts(born_on: date | None, until: str, by_age: int) -> None:
    """To the day; who is of age by then, and of whom nobody says when he was born, is kept by the years."""
    found = term(born_on)
    assert (found.until, found.until_age, found.years) == (until, by_age, 7)


def test_a_mothers_record_is_kept_until_her_newborn_is_of_age() -> None:
    """It is the child's too; one who was taken back counts no longer, and a pack without an age knows no minors."""
    stream = closed()
    stream.when(RegisterNewborn(RECORD, 1, NOW - timedelta(days=1)))
    assert term(date(1990, 1, 1), stream=stream).until == "2047-02-28"
    assert term(date(1990, 1, 1), default_pack("cn-2010"), stream).until_age == 0
    (born,) = stream.record.newborns
    stream.when(WithdrawNewborn(RECORD, born, None, "there was no child"))
    assert term(date(1990, 1, 1), stream=stream).until == "2033-03-01"


def test_a_minors_term_is_not_over_before_the_birthday() -> None:
    """Its last day still counts."""
    of_age, record = datetime(2045, 3, 1, 5, tzinfo=UTC), closed().record
    known = facts(now=of_age, pack=ALASKA, born_on=date(2024, 3, 1))
    assert term_over(record, known)
    assert not term_over(record, replace(known, now=of_age - timedelta(days=1)))


def test_an_archived_case_promises_the_age() -> None:
    """The event of archiving says it; what is promised is never shortened."""
    assert archived().record.retain_until == "2056-03-01"
    assert retention_term(archived().record, facts(born_on=date(2025, 1, 1))).until == "2056-03-01"


def test_a_longer_term_of_the_hospitals_own_takes_nothing_from_minors() -> None:
    """The state's age stays beside it; a layer may give a higher one, with its source."""
    own = "[retention.INPATIENT]\nclass = 'adult'\nyears = 25\n{}source = 'own counsel'\nunconfirmed = false\n"
    for text, age in (("", 21), ("until_age = 20\n", 21), ("until_age = 25\n", 25)):
        kept = layer("retention_state = 'AK'\n" + own.format(text)).retention[VisitType.INPATIENT]
        assert kept == RetentionClass("adult", 25, age)
    assert layer("retention_state = 'IL'\n").retention[VisitType.INPATIENT] == RetentionClass("adult", 10)
    assert {each.until_age for each in default_pack("us-generic").retention.values()} == {30}


@pytest.mark.parametrize("age", ["0", "true", "'of age'", "121"])
def test_an_age_that_is_none_is_refused_at_its_line(age: str) -> None:
    """With its path; a layer that gives one says where it is from."""
    found = faults_of(f"[retention.INPATIENT]\nuntil_age = {age}\n")
    assert any(each.startswith("line 5: retention.INPATIENT.until_age: a whole number") for each in found)
    assert any(each.startswith("line 4: retention.INPATIENT.source: a layer") for each in found)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2024-02-29", date(2024, 2, 29)),
        ("2024-02", date(2024, 2, 29)),
        ("2024-12", date(2024, 12, 31)),
        ("2024", date(2024, 12, 31)),
        ("", None),
        ("2024-13", None),
    ],
)
def test_a_date_known_in_part_means_its_last_day(text: str, day: date | None) -> None:
    """Nobody comes of age early because the month is not known."""
    assert last_day(text) == day
