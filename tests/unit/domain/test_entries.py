"""Entries: signed when recorded, amended by versions, retracted but kept."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from ledger.domain.command_guards import is_finished
from ledger.domain.commands import (
    AmendEntry,
    EndCare,
    RecordEntry,
    RegisterRecord,
    RetractEntry,
    ReturnRecord,
    StartCare,
)
from ledger.domain.course_commands import CountersignEntry, DraftEntry
from ledger.domain.decision import Claim, ClaimedItem, Swap
from ledger.domain.refusal import RefusalKind
from ledger.domain.source_claim import Taken
from ledger.domain.values import Actor, AmendmentKind, Attestation, Defect, Disposition, EntryState, VisitType
from tests.unit.domain.given import (
    ARCHIVIST,
    CLOCK,
    DIGEST,
    IMPORTER,
    NOW,
    OTHER_DIGEST,
    PATIENT,
    PHYSICIAN,
    QUALITY,
    RECORD,
    RESULT,
    SUPERIOR,
    TRAINEE,
    Stream,
    active,
    narrative,
    note,
    patient,
    registered,
    reopened,
    signed,
    source,
    submitted,
)
from tests.unit.domain.refusals import hold, seal

SOURCE_PARTS = ("his", "DocumentReference", "doc-1")


def amend(entry_id: UUID, text: str = "Feels well.", reason: str = "misheard") -> AmendEntry:
    return AmendEntry(RECORD, entry_id, AmendmentKind.CORRECTION, reason, note(text), signed())


def test_nobody_amends_a_version_that_he_has_not_seen() -> None:
    """The author names the version that he saw: another one by now is refused; without a name nothing is checked."""
    stream = active()
    entry_id = stream.entry()
    stream.when(replace(amend(entry_id), entry_version=1))
    second = replace(amend(entry_id, "Feels worse."), entry_version=1)
    assert stream.refused(second) == (RefusalKind.STATE, [("entry_version", "VERSION_CHANGED")])
    stream.when(replace(second, entry_version=2))
    stream.when(amend(entry_id, "Feels the same."))
    assert [each.version for each in stream.record.entries[entry_id].versions] == [1, 2, 3, 4]


def test_an_amendment_keeps_the_template() -> None:
    """Another template is another entry, with clocks of its own; another version of the same is the same."""
    stream = active()
    entry_id = stream.entry(narrative("first_course_note", "case_features", "assessment", "plan"))
    other = replace(amend(entry_id), content=note("Mended."))
    assert stream.refused(other) == (RefusalKind.STATE, [("content.template", "TEMPLATE_CHANGED")])
    stream.when(RetractEntry(RECORD, entry_id, "under the wrong template"))
    stream.entry(note("Mended."))


def test_a_source_says_under_another_template_what_it_said() -> None:
    """An import files a document by the template that it fits: a corrected one may fit elsewhere."""
    stream = active()
    stream.entry(note("As it was."), historical=True, source=source())
    claimed = ClaimedItem(RECORD, next(iter(stream.record.entries)), DIGEST, Taken.ENTRY)
    said_anew = source(OTHER_DIGEST)
    stream.entry(narrative("general", "text"), historical=True, source=said_anew, claimed=claimed)
    assert stream.last_events == ["EntryAmended"]


def test_an_entry_is_signed_when_it_is_recorded() -> None:
    """Nothing unsigned is recorded."""
    stream = active()
    kind, faults = stream.refused(RecordEntry(RECORD, note(), None))
    assert (kind, faults) == (RefusalKind.INVALID, [("attestation", "REQUIRED")])
    entry_id = stream.entry()
    assert stream.record.entries[entry_id].state is EntryState.SIGNED


def test_a_trainees_signature_waits_for_a_superior() -> None:
    """A trainee's entry is AUTHORED, not SIGNED."""
    stream = active()
    stream.entry(signer=TRAINEE)
    assert [each.state for each in stream.record.entries.values()] == [EntryState.AUTHORED]


def test_a_signature_is_never_made_up() -> None:
    """What an earlier system never had signed is taken over, and not shown as signed."""
    stream = active()
    stream.when(RecordEntry(RECORD, note(), None), historical=True)
    (entry,) = stream.record.entries.values()
    assert entry.state is EntryState.AUTHORED
    assert entry.last.attestation == Attestation()


def test_every_fault_of_an_attestation_is_named() -> None:
    """Method, signer, digest and time of an attestation are all checked."""
    bad = Attestation("stamp", None, NOW + timedelta(minutes=6), b"short")
    _, faults = active().refused(RecordEntry(RECORD, note(), bad))
    assert faults == [
        ("attestation.method", "UNKNOWN_VALUE"),
        ("attestation.signer", "REQUIRED"),
        ("attestation.view_sha256", "MALFORMED_DIGEST"),
        ("attestation.signed_at", "TIME_IN_FUTURE"),
    ]


def test_every_version_stays_readable() -> None:
    """An amendment adds a version with kind and reason; the first one stays as it was."""
    stream = active()
    entry_id = stream.entry(note("Feels bad."))
    stream.when(amend(entry_id))
    first, second = stream.record.entries[entry_id].versions
    assert (first.version, first.content.sections[0].text, first.kind) == (1, "Feels bad.", None)
    assert (second.version, second.content.sections[0].text) == (2, "Feels well.")
    assert (second.kind, second.reason) == (AmendmentKind.CORRECTION, "misheard")
    assert (first.record_version, second.record_version) == (3, 4)


def test_a_signature_never_carries_over() -> None:
    """A trainee's new version of an own entry that a superior had signed is not signed."""
    stream = active()
    entry_id = stream.entry(signer=TRAINEE)
    stream.when(CountersignEntry(RECORD, entry_id, 1, signed(SUPERIOR)))
    stream.when(replace(amend(entry_id), attestation=signed(TRAINEE)))
    assert stream.record.entries[entry_id].state is EntryState.AUTHORED
    assert stream.record.entries[entry_id].versions[0].state is EntryState.COUNTERSIGNED


@pytest.mark.parametrize(
    ("author", "amender", "taken"),
    [
        (PHYSICIAN, PHYSICIAN, True),
        (PHYSICIAN, replace(PHYSICIAN, id=UUID(int=55)), False),
        (PHYSICIAN, TRAINEE, False),
        (PHYSICIAN, SUPERIOR, True),
        (TRAINEE, TRAINEE, True),
        (TRAINEE, replace(PHYSICIAN, id=UUID(int=55)), True),
        (TRAINEE, replace(TRAINEE, id=UUID(int=55)), False),
    ],
)
def test_an_entry_is_amended_by_its_author_or_who_stands_above(author: Actor, amender: Actor, *, taken: bool) -> None:
    """An equal does not; of what waits for a signature, whoever may give it may sign a revised version."""
    stream = active()
    command = replace(amend(stream.entry(signer=author)), attestation=signed(amender))
    if taken:
        stream.when(command)
    else:
        assert stream.refused(command) == (RefusalKind.STATE, [("context.actor", "NOT_AUTHOR")])


def test_who_countersigned_an_entry_may_amend_it() -> None:
    """The superior's name stands under it, too; another equal's does not."""
    stream, other = active(), replace(PHYSICIAN, id=UUID(int=55))
    entry_id = stream.entry(signer=TRAINEE)
    stream.when(CountersignEntry(RECORD, entry_id, 1, signed()))
    assert stream.refused(replace(amend(entry_id), attestation=signed(other)))[1] == [("context.actor", "NOT_AUTHOR")]
    stream.when(amend(entry_id))


def test_what_came_unsigned_is_not_everybodys() -> None:
    """Its source, whoever may sign it, and the offices of the pack; a trainee and another program are refused."""
    stream = active()
    entry_id = stream.when(RecordEntry(RECORD, note(), None), historical=True).result["entry_id"]
    assert isinstance(entry_id, UUID)
    refused = (RefusalKind.STATE, [("context.actor", "NOT_AUTHOR")])
    retract, program = RetractEntry(RECORD, entry_id, "wrong patient"), replace(PHYSICIAN, role="interface")
    assert stream.refused(replace(amend(entry_id), attestation=signed(TRAINEE))) == refused
    for actor in (TRAINEE, PHYSICIAN, program):
        assert stream.refused(retract, actor=actor) == refused
    brought: dict[str, Any] = {"claimed": ClaimedItem(RECORD, entry_id, DIGEST, Taken.ENTRY), "actor": program}
    stream.when(amend(entry_id), source=source(OTHER_DIGEST), historical=True, **brought)
    stream.when(retract, actor=QUALITY)
    other = active()
    unsigned = other.when(RecordEntry(RECORD, note(), None), historical=True).result["entry_id"]
    assert isinstance(unsigned, UUID)
    other.when(amend(unsigned))


def test_only_the_source_itself_corrects_what_a_source_brought_without_its_author() -> None:
    """A program that brings the item again; a person who names the item has to be the author all the same."""
    stream = active()
    entry_id = stream.entry()
    held = ClaimedItem(RECORD, entry_id, DIGEST, Taken.ENTRY)
    brought: dict[str, Any] = {"claimed": held, "source": source(OTHER_DIGEST), "historical": True}
    program, other = replace(PHYSICIAN, role="interface"), replace(PHYSICIAN, id=UUID(int=55))
    program = replace(program, id=UUID(int=56))
    by_hand = {**brought, "historical": False}
    assert stream.refused(amend(entry_id), actor=other, **by_hand)[1] == [
        ("context.actor", "NOT_AUTHOR"),
        ("attestation.signer", "SIGNER_NOT_ACTOR"),
    ]
    stream.when(amend(entry_id), actor=program, **brought)


def test_a_draft_is_ended_by_who_began_it_or_a_superior() -> None:
    """Another trainee neither goes on with it, nor signs it, nor throws it away."""
    stream, other = active(), replace(TRAINEE, id=UUID(int=55))
    draft = stream.when(DraftEntry(RECORD, None, note("Half.")), actor=TRAINEE).result["entry_id"]
    assert isinstance(draft, UUID)
    onwards, sign = DraftEntry(RECORD, draft, note("More.")), RecordEntry(RECORD, note(), signed(other), draft)
    assert stream.refused(onwards, actor=other)[1] == [("entry_id", "NOT_AUTHOR")]
    assert stream.refused(sign)[1] == [("draft_id", "NOT_AUTHOR")]
    away = RetractEntry(RECORD, draft, "never finished")
    assert stream.refused(away, actor=other)[1] == [("context.actor", "NOT_AUTHOR")]
    stream.when(onwards, actor=TRAINEE)
    stream.when(replace(sign, attestation=signed()))
    assert stream.record.entries[draft].last.drafted_by is None


def test_a_retracted_entry_is_hidden_and_kept() -> None:
    """Retraction keeps every version and the reason; after it the entry does not change."""
    stream = active()
    entry_id = stream.entry()
    stream.when(RetractEntry(RECORD, entry_id, "wrong patient"))
    entry = stream.record.entries[entry_id]
    assert (entry.state, entry.retraction_reason, len(entry.versions)) == (EntryState.RETRACTED, "wrong patient", 1)
    for command in (amend(entry_id), RetractEntry(RECORD, entry_id, "again")):
        assert stream.refused(command) == (RefusalKind.STATE, [("entry_id", "ENTRY_RETRACTED")])


def test_a_change_names_a_known_entry_and_a_reason() -> None:
    """An unknown entry and a missing reason are both named."""
    kind, faults = active().refused(amend(UUID(int=9), reason=""))
    assert kind is RefusalKind.INVALID
    assert faults == [("entry_id", "UNKNOWN_ENTRY"), ("reason", "REQUIRED")]


def test_quality_control_is_not_disturbed_but_by_results() -> None:
    """While quality control has the record only a late result comes in: care is never blocked by an archive rule."""
    stream = submitted()
    assert stream.refused(RecordEntry(RECORD, note(), signed())) == (RefusalKind.STATE, [("", "PHASE_NOT_ALLOWED")])
    count = len(stream.record.entries)
    stream.entry(RESULT)
    assert len(stream.record.entries) == count + 1


def test_a_returned_record_is_written_again() -> None:
    """After a return entries are recorded and amended again."""
    stream = submitted()
    stream.when(ReturnRecord(RECORD, (Defect("LANGUAGE"),)))
    stream.when(amend(stream.entry()))
    assert stream.last_events == ["EntryAmended"]


def test_an_imported_entry_is_claimed_for_its_entry() -> None:
    """The claim of a source item holds the entry and the digest."""
    stream = active()
    decision = stream.when(RecordEntry(RECORD, note(), signed()), source=source())
    entry_id = decision.result["entry_id"]
    assert isinstance(entry_id, UUID)
    assert decision.reservations == (Claim("source", SOURCE_PARTS, b"N" + entry_id.bytes + DIGEST),)


def test_the_same_import_adds_nothing_and_names_the_entry() -> None:
    """Same source, id and digest: no event in any phase, and the answer names the entry that holds the item."""
    stream = submitted()
    entry_id = next(iter(stream.record.entries))
    known = ClaimedItem(RECORD, entry_id, DIGEST, Taken.ENTRY)
    decision = stream.when(RecordEntry(RECORD, note(), signed()), source=source(), claimed=known)
    assert (decision.events, decision.reservations, decision.result) == ((), (), {"entry_id": entry_id})


def test_a_changed_import_corrects_its_entry() -> None:
    """Same source and id, other digest: an amendment, and the claim moves from exactly the old value."""
    stream = active()
    entry_id = stream.entry()
    known = ClaimedItem(RECORD, entry_id, DIGEST, Taken.ENTRY)
    command = RecordEntry(RECORD, note("Feels well."), signed())
    decision = stream.when(command, source=source(OTHER_DIGEST), claimed=known)
    assert stream.last_events == ["EntryAmended"]
    last = stream.record.entries[entry_id].last
    assert (last.version, last.kind) == (2, AmendmentKind.CORRECTION)
    swap = Swap("source", SOURCE_PARTS, b"N" + entry_id.bytes + DIGEST, b"N" + entry_id.bytes + OTHER_DIGEST)
    assert decision.reservations == (swap,)


def test_a_changed_import_changes_nothing_under_quality_control() -> None:
    """Late items are new items: a correction waits until the record is returned, even of a result."""
    stream = active()
    entry_id = stream.entry(RESULT)
    late = submitted()
    late.state = replace(late.record, entries=stream.record.entries)
    known = ClaimedItem(RECORD, entry_id, DIGEST, Taken.ENTRY)
    _, faults = late.refused(RecordEntry(RECORD, RESULT, signed()), source=source(OTHER_DIGEST), claimed=known)
    assert faults == [("", "PHASE_NOT_ALLOWED")]


def test_an_item_of_another_record_is_not_taken_for_done() -> None:
    """A source item that another record holds is refused, whatever its digest."""
    known = ClaimedItem(UUID(int=5), UUID(int=6), DIGEST, Taken.ENTRY)
    for digest in (DIGEST, OTHER_DIGEST):
        command = RecordEntry(RECORD, note(), signed())
        _, faults = active().refused(command, source=source(digest), claimed=known)
        assert faults == [("context.source", "SOURCE_ELSEWHERE")]


@pytest.mark.parametrize("taken", [Taken.RECORD, Taken.CARE_START, Taken.CARE_END])
@pytest.mark.parametrize("digest", [DIGEST, OTHER_DIGEST])
def test_an_item_that_began_the_record_is_not_taken_for_an_entry(taken: Taken, digest: bytes) -> None:
    """Given a record whose own registration took the item, when an entry comes with it, it is refused, not lost."""
    known = ClaimedItem(RECORD, None, DIGEST, taken)
    _, faults = active().refused(RecordEntry(RECORD, note(), signed()), source=source(digest), claimed=known)
    assert faults == [("context.source", "SOURCE_ELSEWHERE")]


def test_a_retracted_item_stays_retracted() -> None:
    """A source that changes an entry which people retracted does not bring it back."""
    stream = active()
    entry_id = stream.entry()
    stream.when(RetractEntry(RECORD, entry_id, "wrong patient"))
    command = RecordEntry(RECORD, note(), signed())
    known = ClaimedItem(RECORD, entry_id, DIGEST, Taken.ENTRY)
    _, faults = stream.refused(command, source=source(OTHER_DIGEST), claimed=known)
    assert faults == [("context.source", "ENTRY_RETRACTED")]


@pytest.mark.parametrize(("obstacle", "rule"), [(hold, "ENTRY_HELD"), (seal, "ENTRY_SEALED")], ids=["held", "sealed"])
def test_a_source_changes_nothing_that_a_person_may_not_change(obstacle: Callable[[Stream], UUID], rule: str) -> None:
    """An entry under a hold, or whose original is sealed, is not corrected by its source either."""
    stream = active()
    entry_id = stream.entry(source=source())
    obstacle(stream)
    known = ClaimedItem(RECORD, entry_id, DIGEST, Taken.ENTRY)
    changed = RecordEntry(RECORD, note("Feels well."), signed())
    _, faults = stream.refused(changed, source=source(OTHER_DIGEST), claimed=known)
    assert faults == [("context.source", rule)]


def test_a_source_corrects_in_a_reopened_record_only_what_is_named_and_in_its_window() -> None:
    """Whom the reopening does not name, and who comes after its end, is told both."""
    stream = reopened()
    other = list(stream.record.entries)[1]
    known = ClaimedItem(RECORD, other, DIGEST, Taken.ENTRY)
    changed = RecordEntry(RECORD, note("Feels well."), signed())
    late = NOW + timedelta(days=90)
    _, faults = stream.refused(changed, source=source(OTHER_DIGEST), claimed=known, now=late)
    assert faults == [("record_id", "WINDOW_OVER"), ("context.source", "NOT_NAMED")]


def test_historical_is_what_an_item_of_an_earlier_system_brings() -> None:
    """Without an item nothing is historical, and a draft or a countersignature never is; the flag frees nobody."""
    fault = ("context.historical", "HISTORICAL_NOT_ALLOWED")
    stream = active()
    _, faults = stream.refused(RecordEntry(RECORD, note(""), None), historical=True, source=None)
    assert faults[0] == fault
    assert stream.refused(DraftEntry(RECORD, None, note()), historical=True) == (RefusalKind.INVALID, [fault])
    entry_id = stream.entry(signer=TRAINEE)
    countersign = CountersignEntry(RECORD, entry_id, 1, None)
    assert stream.refused(countersign, historical=True)[1][0] == fault
    stream.when(RecordEntry(RECORD, note(), None), historical=True)


@pytest.mark.parametrize("actor", [PHYSICIAN, TRAINEE, CLOCK, ARCHIVIST], ids=lambda actor: actor.role)
def test_nobody_but_a_program_that_brings_it_calls_something_historical(actor: Actor) -> None:
    """Else a trainee would sign in a superior's name, or hand a record in without one entry of his own."""
    fault = ("context.historical", "HISTORICAL_NOT_ALLOWED")
    stream = active()
    entry_id = stream.entry()
    held = ClaimedItem(RECORD, entry_id, DIGEST, Taken.ENTRY)
    said: dict[str, Any] = {"historical": True, "actor": actor, "source": source(OTHER_DIGEST)}
    register = RegisterRecord(PATIENT, VisitType.INPATIENT, 1, "cardiology")
    start = StartCare(RECORD, "cardiology", "12", PHYSICIAN, "")
    tries: tuple[tuple[Stream, Any, dict[str, Any]], ...] = (
        (Stream(), register, {"patient": patient()}),
        (registered(), start, {}),
        (stream, RecordEntry(RECORD, note(), signed(SUPERIOR)), {}),
        (stream, amend(entry_id), {"claimed": held}),
        (stream, EndCare(RECORD, Disposition.HOME, NOW), {}),
    )
    for of, command, known in tries:
        kind, faults = of.refused(command, **known, **said)
        assert (kind, faults[0]) == (RefusalKind.INVALID, fault)
        of.copied().when(command, **known, **said | {"actor": IMPORTER})


def test_a_draft_is_in_no_copy_whoever_wrote_it() -> None:
    """Also where an earlier release took a draft for one of an earlier system."""
    stream = active()
    entry_id = stream.when(DraftEntry(RECORD, None, note())).result["entry_id"]
    assert isinstance(entry_id, UUID)
    draft = stream.record.entries[entry_id]
    assert not is_finished(stream.record, replace(draft, versions=(replace(draft.last, historical=True),)))


def test_by_login_one_signs_for_oneself_alone() -> None:
    """Neither an entry nor a countersignature is signed by somebody else's session."""
    stream = active()
    fault = [("attestation.signer", "SIGNER_NOT_ACTOR")]
    assert stream.refused(RecordEntry(RECORD, note(), signed()), actor=TRAINEE) == (RefusalKind.INVALID, fault)
    promoted = replace(TRAINEE, role="attending")
    assert stream.refused(RecordEntry(RECORD, note(), signed(promoted)), actor=TRAINEE)[1] == fault
    entry_id = stream.entry(signer=TRAINEE)
    countersign = CountersignEntry(RECORD, entry_id, 1, signed(SUPERIOR))
    assert stream.refused(countersign, actor=TRAINEE)[1] == fault


@pytest.mark.parametrize("signer", [PHYSICIAN, TRAINEE], ids=["the chief's name", "the own name"])
def test_the_word_for_a_certificate_is_no_signature(signer: Actor) -> None:
    """No bytes come with it: it signs neither an entry nor an amendment, and countersigns nobody's note."""
    stream = active()
    entry_id = stream.entry(signer=TRAINEE)
    unchecked = ("attestation.method", "CMS_NOT_CHECKED")
    by_certificate = replace(signed(signer), method="cms")
    amendment = replace(amend(entry_id), attestation=by_certificate)
    countersign = CountersignEntry(RECORD, entry_id, 1, by_certificate)
    for command in (RecordEntry(RECORD, note(), by_certificate), amendment, countersign):
        kind, faults = stream.refused(command, actor=TRAINEE)
        assert (kind, unchecked in faults) == (RefusalKind.INVALID, True)
    # Somebody else's name is a fault of its own, whatever the method is called.
    assert (("attestation.signer", "SIGNER_NOT_ACTOR") in faults) is (signer is not TRAINEE)


def test_an_amendment_may_come_from_a_source_too() -> None:
    """An explicit amendment claims its source item; the same again adds nothing; another entry's item is refused."""
    stream = active()
    entry_id, other = stream.entry(), stream.entry()
    decision = stream.when(amend(entry_id), source=source())
    assert decision.reservations == (Claim("source", SOURCE_PARTS, b"N" + entry_id.bytes + DIGEST),)
    known = ClaimedItem(RECORD, entry_id, DIGEST, Taken.ENTRY)
    assert stream.when(amend(entry_id), source=source(), claimed=known).events == ()
    _, faults = stream.refused(amend(other), source=source(), claimed=known)
    assert faults == [("context.source", "SOURCE_ELSEWHERE")]


def test_who_acted_and_when_is_in_every_event() -> None:
    """Actor, command, time in the world and purpose of use stand in the event."""
    stream = active()
    stream.entry(occurred_at=NOW - timedelta(hours=2))
    meta = stream.events[-1].meta
    assert (meta.actor, meta.occurred_at, meta.purpose) == (PHYSICIAN, NOW - timedelta(hours=2), "TREAT")
