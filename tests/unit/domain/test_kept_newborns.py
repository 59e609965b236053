"""Whom a kept entry is about is part of what it says; what keeps nothing about a newborn stops nobody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from ledger.domain import keeping_commands as keeping
from ledger.domain.allowed_actions import allowed_actions
from ledger.domain.commands import Command, RetractEntry
from ledger.domain.course_commands import DraftEntry
from ledger.domain.keeping_events import RecordSealed, SealExtended
from ledger.domain.keeping_values import EntryRef, RequestKind, SealedVersion, SealMode, SealParty
from ledger.domain.newborn_commands import CorrectBirth, RestoreNewborn, WithdrawNewborn
from ledger.domain.sealed_versions import came_since
from ledger.domain.subjects import subject_of
from ledger.domain.transfer_commands import OfferTransfer
from ledger.domain.transfer_events import TransferOutdated
from ledger.domain.values import TransferKind
from tests.unit.domain.given import NOW, PACKAGE, PATIENTS_SIDE, RECORD, Stream, active, facts, note
from tests.unit.domain.refusals import asked, leaves
from tests.unit.domain.test_families import born_in

Keep = Callable[[Stream, UUID], UUID]


def held(stream: Stream, entry_id: UUID) -> UUID:
    """A hold on one entry."""
    command = keeping.PlaceHold(RECORD, "court order", "district court", (EntryRef(entry_id, 1),))
    return _id_of(stream, command, "hold_id")


def sealed(stream: Stream, entry_id: UUID, mode: SealMode = SealMode.ORIGINAL) -> UUID:
    """A seal on one entry."""
    command = keeping.SealRecord(RECORD, mode, SealParty.PATIENT_SIDE, "", (entry_id,), PATIENTS_SIDE)
    return _id_of(stream, command, "seal_id")


def _id_of(stream: Stream, command: Command, name: str) -> UUID:
    found = stream.when(command, leaves=leaves(stream)).result[name]
    assert isinstance(found, UUID)
    return found


def twice() -> tuple[Stream, UUID, UUID, dict[UUID, UUID]]:
    """Two newborns, with an entry about each, and one of the mother's."""
    stream = active()
    right, wrong = born_in(stream), born_in(stream)
    about = {each: stream.entry(replace(note("Cries."), subject_id=each)) for each in (right, wrong)}
    stream.entry()
    return stream, right, wrong, about


def corrections(right: UUID, wrong: UUID) -> tuple[Command, ...]:
    """What puts right the second newborn."""
    earlier = NOW - timedelta(hours=1)
    return WithdrawNewborn(RECORD, wrong, right, "twice"), CorrectBirth(RECORD, wrong, earlier, "wrong clock")


KEEPS = [pytest.param(held, "ENTRY_HELD", id="held"), pytest.param(sealed, "ENTRY_SEALED", id="sealed")]


@pytest.mark.parametrize(("keep", "rule"), KEEPS)
def test_whom_a_kept_entry_is_about_stays(keep: Keep, rule: str) -> None:
    """One entry is enough, though the rest of the record goes on; when it is over the newborn is put right."""
    stream, right, wrong, about = twice()
    keep(stream, about[wrong])
    for command in corrections(right, wrong):
        assert stream.refused(command)[1] == [("subject_id", rule)]
    overlays = replace(stream.record.overlays, holds={}, seals={})
    stream.state = replace(stream.record, overlays=overlays)
    stream.when(corrections(right, wrong)[0])


@pytest.mark.parametrize(("keep", "rule"), KEEPS)
def test_whom_a_retracted_entry_was_about_stays_too(keep: Keep, rule: str) -> None:
    """A seal lists what was retracted: it says of whom."""
    stream, right, wrong, about = twice()
    stream.when(RetractEntry(RECORD, about[wrong], "wrong record"))
    keep(stream, about[wrong])
    for command in (*corrections(right, wrong), WithdrawNewborn(RECORD, wrong, None, "nobody was born")):
        assert stream.refused(command)[1] == [("subject_id", rule)]


@pytest.mark.parametrize(("keep", "rule"), KEEPS)
def test_what_is_led_to_a_newborn_keeps_it(keep: Keep, rule: str) -> None:
    """Who is meant by a kept entry is led no further, and its own newborn does not stand again."""
    stream, right, wrong, about = twice()
    third = born_in(stream)
    stream.when(WithdrawNewborn(RECORD, wrong, right, "twice"))
    keep(stream, about[wrong])
    assert stream.refused(WithdrawNewborn(RECORD, right, third, "thrice"))[1] == [("subject_id", rule)]
    assert stream.refused(RestoreNewborn(RECORD, wrong, "two were born"))[1] == [("subject_id", rule)]


@pytest.mark.parametrize("keep", [held, sealed])
def test_what_keeps_nothing_about_a_newborn_stops_nobody(keep: Keep) -> None:
    """A hold preserves what it lists, a correction adds: the other newborn is put right, led to the kept one too."""
    stream, right, wrong, about = twice()
    keep(stream, about[right])
    withdraw, correct = corrections(right, wrong)
    stream.when(correct)
    stream.when(withdraw)
    assert {subject_of(stream.record, stream.record.entries[each]) for each in about.values()} == {right}
    stream.when(RestoreNewborn(RECORD, wrong, "two were born"))


def held_whole(stream: Stream) -> UUID:
    """A hold that names nothing."""
    return _id_of(stream, keeping.PlaceHold(RECORD, "court order", "district court", ()), "hold_id")


def all_commands(right: UUID, wrong: UUID, led: UUID) -> tuple[Command, ...]:
    """What is put right of newborns: one is corrected, one led to the right one or never born, one stands again."""
    return (
        *corrections(right, wrong),
        WithdrawNewborn(RECORD, wrong, None, "nobody was born"),
        RestoreNewborn(RECORD, led, "two were born"),
    )


@pytest.mark.parametrize("written", [0, 1])
def test_a_hold_on_the_whole_record_keeps_births_that_no_entry_tells(written: int) -> None:
    """A dispute about an injury at birth is about that minute. What comes later frees nobody, its end does."""
    stream = active()
    right, wrong, led = (born_in(stream) for _ in range(3))
    for _ in range(written):
        stream.entry()
    stream.when(WithdrawNewborn(RECORD, led, right, "twice"))
    hold_id = held_whole(stream)
    stream.entry()
    for command in all_commands(right, wrong, led):
        assert stream.refused(command)[1] == [("record_id", "HELD")]
    actions = {each.name: each.reasons for each in allowed_actions(stream.record, facts())}
    for name in ("CorrectBirth", "WithdrawNewborn", "RestoreNewborn"):
        assert [each.rule for each in actions[name]] == ["HELD"]
    born_in(stream)
    stream.when(keeping.LiftHold(RECORD, hold_id, "settled"))
    for command in all_commands(right, wrong, led)[1::2]:
        stream.when(command)


def test_a_hold_is_on_the_whole_record_where_it_lists_every_version() -> None:
    """The event says what was listed: who names all that is finished means everything. A draft is no part."""
    stream = active()
    one, other = stream.entry(), stream.entry()
    stream.when(DraftEntry(RECORD, None, note("Wri")))
    held(stream, one)
    versions = tuple(EntryRef(each, 1) for each in (one, other))
    stream.when(keeping.PlaceHold(RECORD, "court order", "district court", versions))
    held_whole(stream)
    assert [each.whole for each in stream.record.overlays.holds.values()] == [False, True, True]


def test_a_hold_on_a_draft_alone_is_on_no_whole_record() -> None:
    """Nothing was finished, and yet something was named."""
    stream = active()
    held(stream, _id_of(stream, DraftEntry(RECORD, None, note("Wri")), "entry_id"))
    assert [each.whole for each in stream.record.overlays.holds.values()] == [False]


@pytest.mark.parametrize("keep", [held, sealed])
def test_the_front_end_offers_what_puts_right_somebody(keep: Keep) -> None:
    """Not where everybody is kept, nor to restore one who is."""
    stream, right, wrong, about = twice()
    stream.when(WithdrawNewborn(RECORD, wrong, right, "twice"))

    def offered() -> set[str]:
        actions = allowed_actions(stream.record, facts())
        return {each.name for each in actions if not each.reasons} & {"CorrectBirth", "RestoreNewborn"}

    assert offered() == {"CorrectBirth", "RestoreNewborn"}
    keep(stream, about[right])
    assert offered() == {"RestoreNewborn"}
    keep(stream, about[wrong])
    assert offered() == set()


def test_that_an_entry_is_about_another_is_an_act_on_a_sealed_copy() -> None:
    """The original goes on: it came since, until the seal is extended by the leaf that says so. A draft is no part."""
    stream, right, wrong, about = twice()
    seal_id = sealed(stream, about[wrong], SealMode.COPY)
    stream.when(keeping.ExtendSeal(RECORD, seal_id, PATIENTS_SIDE), leaves=leaves(stream))
    stream.when(WithdrawNewborn(RECORD, wrong, right, "twice"))
    said = leaves(stream)[-1]
    assert came_since(stream.record, stream.record.overlays.seals[seal_id]) == [EntryRef(about[wrong], 1)]
    event, _ = stream.when(keeping.ExtendSeal(RECORD, seal_id, PATIENTS_SIDE), leaves=leaves(stream)).events
    assert isinstance(event, SealExtended)
    assert event.versions == (SealedVersion(about[wrong], 1, said),)
    stream.when(RestoreNewborn(RECORD, wrong, "two were born"))
    assert came_since(stream.record, stream.record.overlays.seals[seal_id]) == [EntryRef(about[wrong], 1)]


def test_a_draft_that_is_led_elsewhere_is_not_sealed_by_it() -> None:
    """Somebody is still writing it."""
    stream, right, wrong, about = twice()
    draft = drafted(stream, wrong)
    seal_id = sealed(stream, about[right], SealMode.COPY)
    stream.when(keeping.ExtendSeal(RECORD, seal_id, PATIENTS_SIDE), leaves=leaves(stream))
    stream.when(WithdrawNewborn(RECORD, wrong, right, "twice"))
    assert subject_of(stream.record, stream.record.entries[draft]) == right
    assert came_since(stream.record, stream.record.overlays.seals[seal_id]) == [EntryRef(about[wrong], 1)]


def drafted(stream: Stream, subject_id: UUID) -> UUID:
    """A draft about a newborn."""
    return _id_of(stream, DraftEntry(RECORD, None, replace(note("Wri"), subject_id=subject_id)), "entry_id")


def test_a_retraction_is_sealed_by_its_own_leaf_whatever_was_said_since() -> None:
    """The patient's words beside a retracted entry tell its holders, and are no retraction."""
    stream, _, _, about = twice()
    gone = next(iter(about.values()))
    stream.when(RetractEntry(RECORD, gone, "wrong record"))
    said = stream.record.version
    request_id = asked(stream, RequestKind.CORRECTION)
    refuse = keeping.AnswerPatientRequest(
        RECORD, request_id, granted=False, ground="it was so", statement="It was not.", entry_id=gone
    )
    stream.when(refuse)
    entry = stream.record.entries[gone]
    assert (entry.retracted_version, entry.changed_version) == (said, stream.record.version)
    hashes = leaves(stream)
    sealed(stream, gone)
    (event,) = (each for each in stream.events if isinstance(each, RecordSealed))
    written = entry.last.record_version
    assert [each.leaf_hash for each in event.versions] == [hashes[written - 1], hashes[said - 1]]


@pytest.mark.parametrize("same_as", [False, True], ids=["nobody", "twice"])
def test_a_holder_is_told_that_nobody_was_born(*, same_as: bool) -> None:
    """The package names the newborn, though no entry does; one of before does not. So when it stands again."""
    stream = active()
    stream.entry()
    offer = OfferTransfer(RECORD, "south", TransferKind.REFERRAL, None)
    early = _offered(stream, offer)
    one, born = born_in(stream), born_in(stream)
    late = _offered(stream, replace(offer, recipient="west"))
    decision = stream.when(WithdrawNewborn(RECORD, born, one if same_as else None, "nobody was born"))
    assert [each.transfer_id for each in decision.events if isinstance(each, TransferOutdated)] == [late]
    assert not stream.record.transfers[early].outdated
    read = stream.record.version
    stream.when(RestoreNewborn(RECORD, born, "somebody was born"))
    assert stream.last_events == ["NewbornRestored"]
    # Whoever was told of the withdrawal alone does not know that it was taken back.
    stream.when(keeping.RecordHolderTold(RECORD, late, "by telephone", read))
    assert stream.last_events == ["HolderTold", "TransferOutdated"]
    stream.when(keeping.RecordHolderTold(RECORD, late, "by telephone", stream.record.version))
    stream.when(WithdrawNewborn(RECORD, born, one if same_as else None, "nobody was born"))
    assert stream.last_events == ["NewbornWithdrawn", "TransferOutdated"]


def _offered(stream: Stream, offer: OfferTransfer) -> UUID:
    package = replace(PACKAGE, record_version=stream.record.version)
    found = stream.when(offer, counterpart_known=True, package=package).result["transfer_id"]
    assert isinstance(found, UUID)
    return found
