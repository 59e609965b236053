"""Late items: results and reports of the visit after it was handed in; they open nothing and change nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest

from ledger.domain import course_commands as course
from ledger.domain import keeping_commands as keeping
from ledger.domain.commands import RecordEntry, SubmitRecord
from ledger.domain.decision import ClaimedItem, Swap
from ledger.domain.defaults import default_pack, default_templates
from ledger.domain.keeping_events import RecordSealed
from ledger.domain.keeping_values import EntryRef, SealedVersion, SealMode, SealParty
from ledger.domain.late_item_events import EntryCorrectedLate, LateItemFiled
from ledger.domain.newborn_commands import RegisterNewborn
from ledger.domain.pack_roles import NoRoles
from ledger.domain.pack_text import read_pack
from ledger.domain.rule_pack import BadRulePack
from ledger.domain.sealed_versions import came_since
from ledger.domain.source_claim import Taken
from ledger.domain.values import Actor, EntryState, Phase
from tests.unit.domain.given import (
    CLOCK,
    DIGEST,
    HEAD,
    MANDATORY,
    NOW,
    OTHER_DIGEST,
    PATIENTS_SIDE,
    PHYSICIAN,
    RECORD,
    RESULT,
    SUPERIOR,
    TERM,
    TRAINEE,
    Stream,
    active,
    archived,
    closed,
    due,
    facts,
    narrative,
    note,
    permanent,
    reopened,
    signed,
    source,
    submitted,
)
from tests.unit.domain.refusals import hold
from tests.unit.domain.test_pack_text import bases, faults_of

LATER = NOW + TERM
LABORATORY = Actor(UUID(int=41), "laboratory", "interface")
NURSE = Actor(UUID(int=44), "Ms. Fu", "nurse", "cardiology")
FILE = course.FileLateItem(RECORD, RESULT, signed(), "late pathology", None)
HEAD_OF_LAYER = 'id = "house"\nversion = 1\nextends = "cn-2010@1"\n'


def with_report(make: Callable[[], Stream] = archived, signer: Actor = PHYSICIAN) -> tuple[Stream, UUID]:
    """A record with a report in it, and the report."""
    stream = make()
    filed = stream.when(replace(FILE, attestation=signed(signer)), now=LATER).result["entry_id"]
    assert isinstance(filed, UUID)
    return stream, filed


def leaves(stream: Stream) -> tuple[bytes, ...]:
    """A leaf hash for each event."""
    return tuple(bytes([index % 256]) * 32 for index in range(stream.record.version))


def seal(stream: Stream, mode: SealMode = SealMode.ORIGINAL, entry_ids: tuple[UUID, ...] = ()) -> UUID:
    """A seal on all that is finished, or on these."""
    command = keeping.SealRecord(RECORD, mode, SealParty.PATIENT_SIDE, "Mr. N.", entry_ids, PATIENTS_SIDE)
    made = stream.when(command, leaves=leaves(stream)).result["seal_id"]
    assert isinstance(made, UUID)
    return made


@pytest.mark.parametrize("make", [submitted, archived, reopened, due, permanent])
def test_a_late_item_is_a_report_that_the_pack_names(make: Callable[[], Stream]) -> None:
    """A note of the course, or a summary, goes by a reopening and its two persons."""
    stream = make()
    for content in (*MANDATORY[:3], narrative("operation_record", "course")):
        refused = stream.refused(replace(FILE, content=content), now=LATER)[1]
        assert ("content.template", "NOT_A_LATE_ITEM") in refused
    for content in (RESULT, narrative("death_discussion", "discussion", "conclusion")):
        stream.when(replace(FILE, content=content), now=LATER)
    assert default_pack().late_items == {"result", "death_discussion"}


def test_a_late_item_is_filed_by_who_issues_reports_and_is_final() -> None:
    """Nobody countersigns in an archived case: a trainee, a nurse at the bedside and the clock file nothing."""
    for signer in (TRAINEE, NURSE, replace(CLOCK, role="system")):
        stream = archived()
        rules = {rule for _, rule in stream.refused(replace(FILE, attestation=signed(signer)))[1]}
        assert "ROLE_NOT_ALLOWED" in rules
        assert ("NOT_QUALIFIED" in rules) is (signer is not NURSE)
    for signer in (PHYSICIAN, LABORATORY):
        stream, filed = with_report(signer=signer)
        assert stream.record.entries[filed].state is EntryState.SIGNED


def test_a_late_item_corrects_no_entry_that_somebody_wrote() -> None:
    """Not with the template of that entry, nor with a report: what is signed is mended in a reopening."""
    stream = archived()
    for entry_id in stream.record.entries:
        corrects = replace(FILE, corrects_entry_id=entry_id)
        assert stream.refused(corrects)[1] == [("corrects_entry_id", "NOT_ITS_REPORT")]
        known = ClaimedItem(RECORD, entry_id, DIGEST, Taken.ENTRY)
        refused = stream.refused(FILE, source=source(OTHER_DIGEST), claimed=known)[1]
        assert refused == [("corrects_entry_id", "NOT_ITS_REPORT")]


def test_who_signed_a_report_corrects_it_and_nobody_else() -> None:
    """A pathologist reads again; another physician's reading does not take its place."""
    stream, report = with_report()
    again = replace(FILE, corrects_entry_id=report)
    foreign = replace(again, attestation=signed(SUPERIOR))
    assert stream.refused(foreign, now=LATER)[1] == [("corrects_entry_id", "NOT_ITS_REPORT")]
    stream.when(again, now=LATER)
    assert stream.last_events == ["LateItemFiled", "EntryCorrectedLate"]
    stream.when(again, now=LATER)
    assert len(stream.record.entries[report].corrected_by) == 2


def test_a_newborns_report_corrects_none_of_its_mothers() -> None:
    """Whoever signed both: the value of one is never shown as the last of the other."""
    stream = closed()
    born = stream.when(RegisterNewborn(RECORD, 1, None)).result["subject_id"]
    assert isinstance(born, UUID)
    mothers = stream.entry(RESULT)
    stream.when(SubmitRecord(RECORD))
    again = replace(FILE, corrects_entry_id=mothers)
    crossed = replace(again, content=replace(RESULT, subject_id=born))
    assert stream.refused(crossed, now=LATER)[1] == [("corrects_entry_id", "NOT_ITS_REPORT")]
    stream.when(again, now=LATER)
    assert "EntryCorrectedLate" in stream.last_events


@pytest.mark.parametrize("make", [submitted, archived, due, permanent])
def test_a_corrected_result_stands_beside_the_one_it_corrects(make: Callable[[], Stream]) -> None:
    """Its source says something else now: a new entry that names the old one, which stays; the claim moves on."""
    stream, old = with_report(make, LABORATORY)
    before = dict(stream.record.entries)
    known = ClaimedItem(RECORD, old, DIGEST, Taken.ENTRY)
    late = replace(FILE, attestation=signed(SUPERIOR), reason="corrected by the laboratory")
    decision = stream.when(late, source=source(OTHER_DIGEST), claimed=known, now=LATER)
    event, link = decision.events
    assert isinstance(event, LateItemFiled)
    assert isinstance(link, EntryCorrectedLate)
    assert event.reason == "corrected by the laboratory"
    assert (link.entry_id, link.entry_version, link.late_entry_id) == (old, 1, event.entry_id)
    after = stream.record.entries
    changed = {"corrected_by": (event.entry_id,), "changed_version": stream.record.version}
    assert after[old] == replace(before[old], **changed)
    assert after[event.entry_id].corrects == EntryRef(old, 1)
    assert all(after[each] == entry for each, entry in before.items() if each != old)
    (swap,) = decision.reservations
    assert isinstance(swap, Swap)
    assert swap.value == b"N" + event.entry_id.bytes + OTHER_DIGEST


def test_another_entry_than_the_one_that_the_source_item_was_is_refused() -> None:
    """The item of one report does not correct another one."""
    stream, report = with_report()
    other = stream.when(FILE, now=LATER).result["entry_id"]
    assert isinstance(other, UUID)
    known = ClaimedItem(RECORD, other, DIGEST, Taken.ENTRY)
    late = replace(FILE, corrects_entry_id=report)
    fault = ("corrects_entry_id", "SOURCE_ELSEWHERE")
    assert stream.refused(late, source=source(OTHER_DIGEST), claimed=known, now=LATER)[1] == [fault]


def test_under_a_hold_reports_are_filed_and_what_is_held_stays() -> None:
    """Nothing is lost: a correction names the held version, which is not touched."""
    stream, report = with_report()
    stream.when(keeping.PlaceHold(RECORD, "court order", "district court", ()), now=LATER)
    held = stream.record.entries[report]
    stream.when(replace(FILE, corrects_entry_id=report), now=LATER)
    assert stream.record.entries[report].versions == held.versions
    assert len(stream.record.overlays.holds) == 1


def test_under_a_seal_of_the_original_no_report_in_it_is_corrected() -> None:
    """A new result is taken: care does not wait for the parties. It lies beside the seal until that is extended."""
    stream, report = with_report()
    seal_id = seal(stream)
    corrects = replace(FILE, corrects_entry_id=report)
    assert stream.refused(corrects, now=LATER)[1] == [("corrects_entry_id", "ENTRY_SEALED")]
    filed = stream.when(FILE, now=LATER).result["entry_id"]
    assert isinstance(filed, UUID)
    assert came_since(stream.record, stream.record.overlays.seals[seal_id]) == [EntryRef(filed, 1)]
    stream.when(keeping.ExtendSeal(RECORD, seal_id, PATIENTS_SIDE), leaves=leaves(stream), now=LATER)
    assert came_since(stream.record, stream.record.overlays.seals[seal_id]) == []


def _drafted() -> tuple[Stream, UUID]:
    stream = active()
    stream.entry()
    draft = stream.when(course.DraftEntry(RECORD, None, note("Half a sentence"))).result["entry_id"]
    assert isinstance(draft, UUID)
    return stream, draft


def test_what_is_sealed_or_held_is_what_is_finished() -> None:
    """A draft goes on beside the seal and the hold; once signed it came since, and the seal is extended over it."""
    stream, draft = _drafted()
    named = keeping.SealRecord(RECORD, SealMode.ORIGINAL, SealParty.PATIENT_SIDE, "N.", (draft,), PATIENTS_SIDE)
    assert stream.refused(named)[1] == [("entry_ids[0]", "OPEN_DRAFT")]
    seal_id = seal(stream)
    stream.when(keeping.PlaceHold(RECORD, "court order", "district court", ()))
    (hold,) = stream.record.overlays.holds.values()
    assert draft not in {each.entry_id for each in hold.versions | stream.record.overlays.seals[seal_id].versions}
    stream.when(course.DraftEntry(RECORD, draft, note("A sentence.")), now=LATER)
    assert came_since(stream.record, stream.record.overlays.seals[seal_id]) == []
    stream.when(RecordEntry(RECORD, note("Two sentences."), signed(), draft), now=LATER)
    came = came_since(stream.record, stream.record.overlays.seals[seal_id])
    assert came == [EntryRef(draft, version) for version in (1, 2, 3)]
    stream.when(keeping.ExtendSeal(RECORD, seal_id, PATIENTS_SIDE), leaves=leaves(stream), now=LATER)
    assert EntryRef(draft, 3) in stream.record.overlays.seals[seal_id].versions


def test_a_record_of_drafts_alone_has_nothing_to_seal() -> None:
    """Nothing in it is finished."""
    stream = active()
    stream.when(course.DraftEntry(RECORD, None, note("Half a sentence")))
    command = keeping.SealRecord(RECORD, SealMode.COPY, SealParty.PATIENT_SIDE, "N.", (), PATIENTS_SIDE)
    assert stream.refused(command)[1] == [("record_id", "NOTHING_TO_SEAL")]


@pytest.mark.parametrize("overlay", ["hold", "original", "copy"])
def test_a_draft_that_is_listed_is_neither_written_on_nor_signed(overlay: str) -> None:
    """By a hold that names it, or by a seal of an earlier release; of a sealed copy the original goes on."""
    stream, draft = _drafted()
    listed = EntryRef(draft, 1)
    if overlay == "hold":
        stream.when(keeping.PlaceHold(RECORD, "court order", "district court", (listed,)))
    else:
        mode = SealMode.ORIGINAL if overlay == "original" else SealMode.COPY
        sealed = (SealedVersion(draft, 1, HEAD),)
        meta = facts().meta()
        stream.apply(RecordSealed(meta, UUID(int=9), mode, SealParty.PATIENT_SIDE, "N.", sealed, unfinished=True))
    sign = RecordEntry(RECORD, note("Whole."), signed(), draft)
    write = course.DraftEntry(RECORD, draft, note("Longer"))
    if overlay == "copy":
        stream.when(write)
        stream.when(sign)
        return
    rule = "ENTRY_HELD" if overlay == "hold" else "ENTRY_SEALED"
    assert stream.refused(sign)[1] == [("draft_id", rule)]
    assert stream.refused(write)[1] == [("entry_id", rule)]
    stream.entry()


def test_what_is_handed_in_and_held_is_recalled_for_a_note() -> None:
    """The department has it at hand: nothing lies beside what can be written into it."""
    stream = submitted()
    hold(stream)
    refused = stream.refused(replace(FILE, content=note("Seen.")))[1]
    assert refused == [("content.template", "NOT_A_LATE_ITEM")]
    stream.when(course.RecallRecord(RECORD, "a note is missing"))
    stream.entry()


def test_a_pack_that_names_no_late_items_takes_results() -> None:
    """What a hospital's own pack of an earlier release left out keeps no result out, and lets nothing else in."""
    silent = replace(default_pack(), late_items=frozenset({"result"}))
    stream = archived()
    stream.when(FILE, pack=silent)
    discussion = narrative("death_discussion", "discussion", "conclusion")
    refused = stream.refused(replace(FILE, content=discussion), pack=silent)[1]
    assert refused == [("content.template", "NOT_A_LATE_ITEM")]
    assert stream.record.phase is Phase.ARCHIVED
    assert closed().refused(FILE)[1] == [("", "PHASE_NOT_ALLOWED")]


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("late_items = 3\n", ["line 4: late_items: a table is required"]),
        (
            "[late_items]\ntemplates = 'result'\ncolour = 1\nbeside = 3\n",
            [
                "line 4: late_items.source: a layer that names late items says where that is from",
                "line 4: late_items.unconfirmed: a layer that names late items says where that is from",
                "line 5: late_items.templates: a list of templates is required",
                "line 6: late_items.colour: no such key",
                "line 7: late_items.beside: a list of templates is required",
            ],
        ),
    ],
)
def test_late_items_of_a_layer_are_refused_with_every_fault(text: str, faults: list[str]) -> None:
    """What has not its shape, names what is not there, or does not say where it is from."""
    assert faults_of(HEAD_OF_LAYER + text) == faults


def test_a_late_item_names_a_template_that_is_there() -> None:
    """Else nobody could ever file it."""
    table = "[late_items]\ntemplates = ['culture']\nbeside = ['visit']\nsource = 'house'\nunconfirmed = false\n"
    with pytest.raises(BadRulePack) as caught:
        read_pack(HEAD_OF_LAYER + table, bases(), lambda _: default_templates().by_id)
    assert list(caught.value.faults) == [
        "line 5: late_items.templates: no such template culture",
        "line 6: late_items.beside: no such template visit",
    ]


def test_a_late_result_is_filed_while_nobody_can_read_the_pack_in_force() -> None:
    """Care waits for no rule of the archive: the record's own pack says who files it; what is left to offices waits."""
    unreadable = {"roles_by": NoRoles()}
    archived().when(FILE, **unreadable)
    faults = archived().refused(replace(FILE, attestation=signed(NURSE)), **unreadable, actor=NURSE)[1]
    assert faults[0] == ("context.hospital", "UNREADABLE_RULE_PACK")
    assert ("context.actor.role", "ROLE_NOT_ALLOWED") in faults
    held = archived().refused(keeping.PlaceHold(RECORD, "order", "court", ()), **unreadable)[1]
    assert held == [("context.hospital", "UNREADABLE_RULE_PACK"), ("context.actor.role", "ROLE_NOT_ALLOWED")]
