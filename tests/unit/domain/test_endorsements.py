"""Acts of two persons of the hospital: the second endorses one beforehand by an own login, and the act uses that up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from ledger.domain import course_commands as course
from ledger.domain import keeping_commands as keeping
from ledger.domain.allowed_actions import allowed_actions
from ledger.domain.commands import Command
from ledger.domain.course_commands import EndorseAct
from ledger.domain.defaults import default_pack, shipped_rules
from ledger.domain.endorsed_acts import act_done, second_of
from ledger.domain.endorsement_events import ActEndorsed, EndorsementUsed
from ledger.domain.evolve import evolve
from ledger.domain.hospital_rules import pack_and_data
from ledger.domain.keeping_values import EndorsedAct, SealMode, SealParty, UnsealGround
from ledger.domain.rule_pack import RulePack
from ledger.domain.state import StreamState
from ledger.domain.values import Actor
from tests.unit.domain.given import (
    AFFAIRS,
    ARCHIVIST,
    ENDORSED_FOR,
    LEGAL,
    NOTARY,
    NOW,
    PATIENT,
    PATIENTS_SIDE,
    QUALITY,
    RECORD,
    STEWARD,
    SUPERIOR,
    Stream,
    archived,
    closed,
    facts,
    note,
    patient,
    registered,
)
from tests.unit.domain.refusals import OTHER, leaves, seal
from tests.unit.domain.refusals_of_endorsement import ACTS, beside_a_hold, corrected, endorse, in_error, said_to_be

BY_KIND = pytest.mark.parametrize("kind", list(ACTS), ids=lambda each: each.__name__)
SECOND = timedelta(seconds=1)


def endorsement_of(command: Command, stream: Stream) -> EndorseAct:
    """What the second person of this act says beforehand."""
    act = act_done(command, stream.record)
    assert act is not None
    content = command.content if isinstance(command, course.FileLateItem) else None
    return endorse(act.act, act.subject_id, content)


def named(command: Command) -> Actor:
    """The second person of an act."""
    second = second_of(command)
    assert second is not None
    return second


def field_of(command: Command) -> str:
    """Where an act names its second person."""
    return "second_person" if isinstance(command, keeping.UnsealRecord) else "confirmed_by"


def done(stream: Stream, command: Command, **changes: Any) -> None:
    """The act, endorsed by nobody but whom the test has let do it."""
    stream.when(command, endorsed=False, patient=patient(), **changes)


def refused(stream: Stream, command: Command, **changes: Any) -> list[tuple[str, str]]:
    """The faults of such an act."""
    return stream.refused(command, endorsed=False, patient=patient(), **changes)[1]


def offered(stream: Stream, **known: Any) -> set[str]:
    """What the list of allowed actions says yes to."""
    return {each.name for each in allowed_actions(stream.record, facts(**known)) if not each.reasons}


@BY_KIND
def test_an_act_of_two_is_done_once_its_second_person_has_endorsed_it(kind: type[Command]) -> None:
    """By a command of that person's own login; the act says which word it used up, and no other act finds it."""
    stream, command = ACTS[kind]()
    assert refused(stream, command) == [(field_of(command), "NOT_ENDORSED")]
    said = stream.when(endorsement_of(command, stream), actor=named(command))
    (event,) = said.events
    assert isinstance(event, ActEndorsed)
    assert (event.meta.actor, event.expires_at) == (named(command), NOW + ENDORSED_FOR)
    (waiting,) = stream.record.overlays.endorsements.values()
    assert (waiting.endorsed_by, waiting.endorsed_at, waiting.reason) == (named(command), NOW, "looked at it")
    done(stream, command)
    used = stream.events[-1]
    assert isinstance(used, EndorsementUsed)
    assert used.endorsement_id == said.result["endorsement_id"] == waiting.endorsement_id
    assert used.meta.actor != named(command)
    assert not stream.record.overlays.endorsements


@BY_KIND
def test_an_endorsement_holds_to_its_last_second(kind: type[Command]) -> None:
    """One second before its end, at its end, and one after."""
    stream, command = ACTS[kind]()
    stream.when(endorsement_of(command, stream), actor=named(command))
    end = NOW + ENDORSED_FOR
    for at in (end - SECOND, end):
        done(stream.copied(), command, now=at)
    assert refused(stream, command, now=end + SECOND) == [(field_of(command), "ENDORSEMENT_LAPSED")]


@BY_KIND
def test_nobody_is_the_second_person_by_anothers_word(kind: type[Command]) -> None:
    """Not who was named and said nothing while another one did, nor who said it in another office."""
    others: tuple[dict[str, Any], ...] = ({"id": UUID(int=990)}, {"role": "auditor"})
    for changes in others:
        stream, command = ACTS[kind]()
        said = stream.when(endorsement_of(command, stream), actor=named(command)).events[0]
        assert isinstance(said, ActEndorsed)
        other = replace(named(command), **changes)
        stream, command = ACTS[kind]()
        stream.apply(replace(said, meta=replace(said.meta, actor=other)))
        assert refused(stream, command) == [(field_of(command), "NOT_ENDORSED")]


@BY_KIND
def test_who_endorsed_an_act_does_not_do_it_alone(kind: type[Command]) -> None:
    """The person who sends it is another one than who endorsed it, whatever was endorsed."""
    stream, command = ACTS[kind]()
    stream.when(endorsement_of(command, stream), actor=named(command))
    assert (field_of(command), "SAME_PERSON") in refused(stream, command, actor=named(command))


@BY_KIND
def test_another_act_was_not_endorsed(kind: type[Command]) -> None:
    """Every other act of the same record, and the same of another subject: nothing that was said stands for it."""
    for other in EndorsedAct:
        stream, command = ACTS[kind]()
        act = act_done(command, stream.record)
        assert act is not None
        if other is act.act:
            continue
        said = stream.copied().when(endorsement_of(command, stream), actor=named(command)).events[0]
        assert isinstance(said, ActEndorsed)
        stream.apply(replace(said, act=other))
        assert refused(stream, command) == [(field_of(command), "NOT_ENDORSED")], other


def _of_others() -> Iterator[tuple[str, Stream, Command, EndorseAct]]:
    stream, command = in_error()
    yield "right record", stream, command, endorse(EndorsedAct.RECORD_IN_ERROR, OTHER)
    stream, command = corrected()
    yield "patient", stream, command, endorse(EndorsedAct.IDENTIFICATION_CORRECTED, UUID(int=556))
    stream, command = beside_a_hold()
    yield "words", stream, command, endorse(EndorsedAct.LATE_ITEM, None, note("Other words."))
    stream, command = beside_a_hold()
    yield "template", stream, command, endorse(EndorsedAct.LATE_ITEM, None, note(template="ward_round"))
    stream = closed()
    one, two = seal(stream), seal(stream)
    command = keeping.UnsealRecord(RECORD, one, UnsealGround.DISPUTE_SETTLED, "", LEGAL)
    yield "seal", stream, command, endorse(EndorsedAct.UNSEALING_SETTLED, two)


@pytest.mark.parametrize("what", ["right record", "patient", "words", "template", "seal"])
def test_the_same_act_of_another_subject_was_not_endorsed(what: str) -> None:
    """Another right record, patient or seal, a note of other words or of another template."""
    stream, command, said = next((s, c, e) for name, s, c, e in _of_others() if name == what)
    stream.when(said, actor=named(command))
    assert refused(stream, command) == [(field_of(command), "NOT_ENDORSED")]
    stream.when(endorsement_of(command, stream), actor=named(command))
    done(stream, command)
    # What was said of the other one waits on.
    assert len(stream.record.overlays.endorsements) == (0 if what == "patient" else 1)


def test_an_endorsement_is_used_once() -> None:
    """A note that two have filed is filed a second time by nobody, whoever else had endorsed it."""
    stream, command = beside_a_hold()
    for each in (AFFAIRS, replace(AFFAIRS, id=UUID(int=991))):
        stream.when(endorsement_of(command, stream), actor=each)
    assert len(stream.record.overlays.endorsements) == 2
    done(stream, command)
    assert refused(stream, command) == [("confirmed_by", "NOT_ENDORSED")]
    assert isinstance(command, course.FileLateItem)
    by_other = replace(command, confirmed_by=replace(AFFAIRS, id=UUID(int=991)))
    assert refused(stream, by_other) == [("confirmed_by", "NOT_ENDORSED")]


def test_who_endorses_again_says_it_anew() -> None:
    """The window runs from the last time; there is one word of a person for an act, and it is used up as one."""
    stream, command = in_error()
    for hours in (0, 20):
        stream.when(endorsement_of(command, stream), actor=SUPERIOR, now=NOW + timedelta(hours=hours))
    (waiting,) = stream.record.overlays.endorsements.values()
    assert waiting.expires_at == NOW + timedelta(hours=20) + ENDORSED_FOR
    done(stream, command, now=NOW + timedelta(hours=43))


def test_what_was_said_of_who_it_is_ends_when_somebody_else_is_named() -> None:
    """Who endorsed a correction, or that nobody is known, meant whom the record named then."""
    stream = said_to_be()
    stream.when(endorse(EndorsedAct.IDENTIFICATION_WITHDRAWN), actor=STEWARD)
    stream.when(endorse(EndorsedAct.RECORD_IN_ERROR), actor=SUPERIOR)
    stream.when(course.IdentifyPatient(RECORD, OTHER, 0, "a namesake", STEWARD), patient=patient())
    (waiting,) = stream.record.overlays.endorsements.values()
    assert waiting.act is EndorsedAct.RECORD_IN_ERROR
    back = course.IdentifyPatient(RECORD, PATIENT, 0, "no namesake", STEWARD)
    assert refused(stream, back) == [("confirmed_by", "NOT_ENDORSED")]


def test_the_other_side_of_a_seal_endorses_nothing() -> None:
    """It has no login: the law has it sign the paper list, and the hospital's person names it."""
    stream = closed()
    opened = keeping.UnsealRecord(RECORD, seal(stream), UnsealGround.BOTH_PRESENT, "", PATIENTS_SIDE)
    stream.when(opened, endorsed=False)
    assert stream.last_events == ["SealAttended", "RecordUnsealed"]
    sealing = keeping.SealRecord(RECORD, SealMode.COPY, SealParty.NOTARY, "", (), NOTARY)
    stream.when(sealing, endorsed=False, leaves=leaves(stream))


def test_a_seal_is_opened_on_the_ground_that_was_endorsed() -> None:
    """Who says that nobody claimed has not said that the dispute is settled."""
    stream = closed()
    seal_id = seal(stream)
    command = keeping.UnsealRecord(RECORD, seal_id, UnsealGround.DISPUTE_SETTLED, "", LEGAL)
    stream.when(endorse(EndorsedAct.UNSEALING_UNCLAIMED, seal_id), actor=LEGAL)
    assert refused(stream, command) == [("second_person", "NOT_ENDORSED")]


def test_a_replayed_prefix_is_the_state_of_that_moment() -> None:
    """What waited then waits, what was used up since is not there before it was said."""
    stream, command = in_error()
    stream.when(endorsement_of(command, stream), actor=SUPERIOR)
    done(stream, command)
    state: StreamState | None = None
    waited = list[int]()
    for version, (each, at) in enumerate(zip(stream.events, stream.times, strict=True), start=1):
        state = evolve(state, each, version, at)
        assert state == stream.history[version]
        waited.append(len(replace(stream, state=state).record.overlays.endorsements))
    assert waited == [0, 0, 1, 1, 0]
    assert [type(each).__name__ for each in stream.events[2:]] == [
        "ActEndorsed",
        "RecordEnteredInError",
        "EndorsementUsed",
    ]


@BY_KIND
def test_the_list_of_actions_says_what_waits_for_an_endorsement(kind: type[Command]) -> None:
    """An act that takes one is offered once somebody has endorsed it, and no longer when that lapses."""
    stream, command = ACTS[kind]()
    assert "EndorseAct" in offered(stream)
    # Results are filed, and seals opened with the other side, without it.
    needs = kind not in {course.FileLateItem, keeping.UnsealRecord}
    assert (kind.__name__ in offered(stream)) is not needs
    stream.when(endorsement_of(command, stream), actor=named(command))
    assert kind.__name__ in offered(stream)
    assert (kind.__name__ in offered(stream, now=NOW + ENDORSED_FOR + SECOND)) is not needs


def test_where_no_act_takes_two_nothing_is_endorsed() -> None:
    """A case in error of somebody who was known from the first, with no seal: nobody is asked for a second word."""
    stream, command = in_error()
    stream.when(command)
    assert "EndorseAct" not in offered(stream)
    assert "EndorseAct" in offered(registered())
    assert "EndorseAct" in offered(archived())


def test_an_endorsement_says_why_and_of_which_template() -> None:
    """Every fault is named."""
    stream, _ = beside_a_hold()
    nameless = replace(endorse(EndorsedAct.LATE_ITEM, None, note(template="")), reason=" ")
    faults = stream.refused(nameless, actor=AFFAIRS)[1]
    assert faults == [("reason", "REQUIRED"), ("content.template", "REQUIRED")]
    long = endorse(EndorsedAct.LATE_ITEM, None, note(template="t" * 65))
    assert stream.refused(long, actor=AFFAIRS)[1] == [("content.template", "TOO_LONG")]


def test_a_pack_that_names_no_hours_lets_it_hold_for_a_day() -> None:
    """A pack that a hospital wrote before there was such a figure is read as before."""
    data = dict(pack_and_data(shipped_rules().packs["cn-2010", 1])[1])
    keeping_figures = {name: each for name, each in data["keeping"].items() if name != "endorsement_hours"}
    assert RulePack.from_data({**data, "keeping": keeping_figures}).keeping.endorsement_hours == 24
    assert default_pack().keeping.endorsement_hours == 24


def test_an_unsealing_is_endorsed_by_any_person_of_the_hospital() -> None:
    """A pack names nobody for it but who settles a dispute, which one of the two is."""
    stream = closed()
    seal_id = seal(stream)
    stream.when(endorse(EndorsedAct.UNSEALING_SETTLED, seal_id), actor=QUALITY)
    command = keeping.UnsealRecord(RECORD, seal_id, UnsealGround.DISPUTE_SETTLED, "", QUALITY)
    assert refused(stream, command, actor=ARCHIVIST) == [("second_person.role", "ROLE_NOT_ALLOWED")]
