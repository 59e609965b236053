"""Quality by sampling: everybody draws the same, and what is found changes nothing in the record."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random
from uuid import UUID

import pytest

from ledger.domain.commands import ArchiveRecord
from ledger.domain.course_commands import CountersignEntry
from ledger.domain.defaults import default_pack
from ledger.domain.keeping_commands import RearchiveRecord
from ledger.domain.lifecycle import KEPT
from ledger.domain.pack_text import read_pack
from ledger.domain.quality_sample import SAMPLE_MAX, SampleSize, drawn, seed_of
from ledger.domain.sample_events import SampleAssessed
from ledger.domain.values import Defect, VisitType
from tests.unit.domain.given import (
    NOW,
    PHYSICIAN,
    QUALITY,
    RECORD,
    SUPERIOR,
    TRAINEE,
    Stream,
    archived,
    closed,
    reopened,
    signed,
)
from tests.unit.domain.refusals import LATER, confirmed, found, sampled
from tests.unit.domain.test_pack_text import bases, faults_of

DICE = Random(7)  # noqa: S311 - ids of records
POPULATION = [(UUID(int=DICE.getrandbits(128), version=4), DICE.randbytes(32)) for _ in range(500)]
IDS = [id_ for id_, _ in POPULATION]
ONE, TWO, THREE = (bytes([number]) * 32 for number in range(3))
"""Seeds; `sampled` names the first of them."""
VETO = Defect("CONSENT_MISSING")


def test_a_draw_is_the_same_for_everybody() -> None:
    """Whatever the order in which the records were read; a larger one of the same records begins with the smaller."""
    seed = seed_of(POPULATION)
    assert seed == seed_of(reversed(POPULATION))
    assert drawn(seed, IDS, 30) == drawn(seed, reversed(IDS), 30) == drawn(seed, IDS, 60)[:30]
    assert len(set(drawn(seed, IDS, 30))) == 30


def test_nobody_chooses_what_is_drawn() -> None:
    """One record more, or one other leaf, and the seed is another one, which draws others."""
    seed = seed_of(POPULATION)
    (id_, leaf), *rest = POPULATION
    others = (seed_of(rest), seed_of([(id_, leaf[::-1]), *rest]))
    assert len({seed, *others}) == 3
    assert all(drawn(seed, IDS, 30) != drawn(each, IDS, 30) for each in others)


@pytest.mark.parametrize(
    ("size", "population", "number"),
    [
        (SampleSize(100, 1), 99, 99),
        (SampleSize(100, 1), 100_000, 100),
        (SampleSize(100, 1), 100_001, 101),
        (SampleSize(100, 1), 5_000_000, SAMPLE_MAX),
        (SampleSize(70, 0), 5_000_000, 70),
        (SampleSize(70, 0), 0, 0),
    ],
)
def test_how_many_are_drawn(size: SampleSize, population: int, number: int) -> None:
    """The least number or the share, whichever is more, of those that there are."""
    assert size.of(population) == number


def test_what_was_found_is_scored_by_the_ledger_and_changes_nothing() -> None:
    """Nothing found passes; so does a slip; a veto does not, whatever the score. The last finding is shown."""
    stream = confirmed()
    for seed, defects, score, passed in ((ONE, (), 100, True), (TWO, (Defect("LANGUAGE"),), 99, True)):
        before = stream.record
        stream.when(sampled(*defects, seed=seed), now=LATER)
        found = stream.record.archiving.sample
        assert found is not None
        assert (found.score, found.passed, found.defects, found.assessed_by) == (score, passed, defects, QUALITY)
        after = stream.record.archiving
        told = {"sample": found, "sampled_version": after.sampled_version, "passed_draws": after.passed_draws}
        kept = replace(before, version=before.version + 1, archiving=replace(before.archiving, **told))
        assert stream.record == kept
    stream.when(sampled(Defect("CONSENT_MISSING"), seed=THREE), now=LATER)
    (event,) = stream.events[-1:]
    assert isinstance(event, SampleAssessed)
    assert (event.vetoed, event.passed) == (True, False)


def test_too_many_defects_do_not_pass_either() -> None:
    """The score goes by the pack, and so does the least with which a record is good enough."""
    stream, late = confirmed(), tuple(Defect("ROUND_LATE", None, str(number)) for number in range(6))
    stream.when(sampled(*late), now=LATER)
    (event,) = stream.events[-1:]
    assert isinstance(event, SampleAssessed)
    assert (event.score < default_pack().quality.pass_from, event.vetoed, event.passed) == (True, False, False)


def test_a_defect_is_mended_in_a_reopening_and_looked_at_again() -> None:
    """Assessed neither while it is open nor before it was archived; then by the draw that found it."""
    assert stream_rules(closed(VisitType.OUTPATIENT)) == {"PHASE_NOT_ALLOWED"}
    stream = mended(found(VETO))
    assert stream.record.phase in KEPT
    assert stream.record.archiving.archived_at == NOW
    stream.when(sampled(), now=LATER)
    assert stream_rules(stream) == {"PASSED_BY_DRAW"}


def test_what_did_not_pass_stands_until_it_is_mended() -> None:
    """Neither the same draw nor another one, neither a better finding nor a worse one, takes its place before."""
    stream = found(VETO)
    for command in (sampled(), sampled(VETO), sampled(size=11), sampled(seed=TWO)):
        assert stream.refused(command, now=LATER)[1] == [("record_id", "NOT_MENDED")]
    assert stream_rules(reopened(lambda: found(VETO))) == {"PHASE_NOT_ALLOWED", "NOT_MENDED"}
    stream = mended(stream)
    stream.when(sampled(VETO), now=LATER)
    assert stream_rules(stream) == {"NOT_MENDED"}
    mended(stream).when(sampled(), now=LATER)


def test_a_reopening_before_the_finding_mended_nothing() -> None:
    """What was archived again before is what was found wanting, also where the clock says the same moment."""
    stream = mended(confirmed())
    moment = stream.record.archiving.rearchived_version
    stream.when(sampled(VETO), now=LATER)
    assert stream.record.archiving.sampled_version == moment + 1
    assert stream_rules(stream) == {"NOT_MENDED"}


def test_a_finding_that_passed_is_final_for_its_draw() -> None:
    """By the seed, which another number of the same draw has too; another draw judges the record anew, once."""
    stream = found()
    for command in (sampled(), sampled(VETO), sampled(size=11), sampled(archived_before=NOW + timedelta(seconds=2))):
        assert stream.refused(command, now=LATER)[1] == [("draw", "PASSED_BY_DRAW")]
    stream.when(sampled(VETO, seed=TWO), now=LATER)
    stream = mended(stream)
    assert stream_rules(stream) == {"PASSED_BY_DRAW"}
    stream.when(sampled(seed=TWO), now=LATER)
    assert stream.record.archiving.passed_draws == {ONE, TWO}


def mended(stream: Stream) -> Stream:
    """Reopened by two and archived again."""
    reopened(lambda: stream).when(RearchiveRecord(RECORD))
    return stream


def stream_rules(stream: Stream) -> set[str]:
    """By what an assessment is refused."""
    return {rule for _, rule in stream.refused(sampled(), now=LATER)[1]}


def test_who_countersigned_or_is_in_charge_assesses_nothing() -> None:
    """Whatever the role."""
    own = replace(SUPERIOR, role="quality_office")
    stream = closed(VisitType.OUTPATIENT)
    stream.when(ArchiveRecord(RECORD), actor=PHYSICIAN)
    stream.state = replace(stream.record, responsible=own)
    assert stream.refused(sampled(), now=LATER, actor=own)[1] == [("context.actor", "SAME_PERSON")]

    stream = closed(VisitType.OUTPATIENT)
    entry_id = stream.entry(signer=TRAINEE)
    stream.when(CountersignEntry(RECORD, entry_id, 1, signed(SUPERIOR)))
    stream.when(ArchiveRecord(RECORD))
    assert stream.refused(sampled(), now=LATER, actor=own)[1] == [("context.actor", "SAME_PERSON")]


@pytest.mark.parametrize("again", [False, True], ids=["archived", "archived again"])
def test_whose_confirmation_archived_a_visit_does_not_assess_it(again: bool) -> None:
    """Who wrote nothing in it either, and also where another archived it once more."""
    own = replace(SUPERIOR, role="quality_office")
    stream = confirmed()  # by the superior, who wrote nothing in it and is not in charge
    if again:
        stream = closed(VisitType.OUTPATIENT)
        stream.when(ArchiveRecord(RECORD), actor=PHYSICIAN)
        reopened(lambda: stream).when(RearchiveRecord(RECORD), actor=SUPERIOR)
    assert stream.refused(sampled(), now=LATER, actor=own)[1] == [("context.actor", "SAME_PERSON")]
    stream = mended(stream)
    assert stream.refused(sampled(), now=LATER, actor=own)[1] == [("context.actor", "SAME_PERSON")]
    stream.when(sampled(), now=LATER)


def test_what_was_handed_in_and_passed_is_judged_no_second_time() -> None:
    """One by one or by samples, not both."""
    assert stream_rules(archived()) == {"ALREADY_PASSED"}


@pytest.mark.parametrize(
    ("size", "population"),
    [(0, 200), (201, 200), (SAMPLE_MAX + 1, SAMPLE_MAX + 1)],
)
def test_no_draw_has_more_than_there_are(size: int, population: int) -> None:
    """Nor more than a draw can name, nor none at all."""
    command = sampled(size=size, population=population)
    assert confirmed().refused(command, now=LATER)[1] == [("draw", "IMPOSSIBLE_DRAW")]


LAYER = 'id = "house"\nversion = 1\nextends = "cn-2010@1"\n'
SOURCED = "source = 'house'\nunconfirmed = false\n"


@pytest.mark.parametrize(("pack_id", "size"), [("cn-2010", (100, 1)), ("core-2018", (100, 1)), ("us-generic", (70, 0))])
def test_the_shipped_packs_say_how_many(pack_id: str, size: tuple[int, int]) -> None:
    """With a source, and said to be unconfirmed: no national rule names a number."""
    pack = default_pack(pack_id)
    assert pack.sampling == SampleSize(*size)
    named = [each for each in pack.figures if each.name.startswith("sampling.")]
    assert named
    assert all(each.unconfirmed and "project's own" in each.source for each in named)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[sampling.least]\nfigure = 1001\n" + SOURCED, "sampling.least.figure: at most 1000, which a draw can name"),
        ("[sampling.per_mille]\nfigure = 1001\n" + SOURCED, "sampling.per_mille.figure: at most 1000, which are all"),
        ("[sampling.least]\nfigure = 0\n" + SOURCED, "sampling.least.figure: a whole number from 1"),
        ("[sampling.least]\nfigure = 5\n", "sampling.least.source: a layer that gives a figure says where it is from"),
        ("[sampling.most]\nfigure = 5\n" + SOURCED, "sampling.most: no such key"),
        ("sampling = 5\n", "sampling: a table is required"),
    ],
)
def test_what_is_wrong_with_the_number_is_named(text: str, fault: str) -> None:
    """With its path and line."""
    assert any(fault in each for each in faults_of(LAYER + text))


def test_a_hospital_has_more_drawn() -> None:
    """By its own layer, which leaves the other figure as it is."""
    pack = read_pack(LAYER + "[sampling.least]\nfigure = 300\n" + SOURCED, bases())[0]
    assert pack.sampling == SampleSize(300, 1)
