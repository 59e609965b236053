"""Random walks of a record over every command that the declaration knows.

A walk prefers what it has not done yet: a command drawn evenly among sixty is refused nearly always, and a record that
takes every way on has met its end after a few steps.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from ledger.domain.allowed_actions import reasons_against
from ledger.domain.commands import Command, RequestConsultation
from ledger.domain.course_commands import EndorseAct, IdentifyPatient
from ledger.domain.decide import decide
from ledger.domain.decision import Facts
from ledger.domain.keeping_values import EndorsedAct
from ledger.domain.lifecycle import RULES, allowed_phases
from ledger.domain.refusal import Refused
from ledger.domain.state import RecordState
from ledger.domain.values import Actor, IdentityStatus, Phase, Urgency, VisitType
from tests.property.lifecycle_commands import COMMANDS, OFFICES, PEOPLE, Pick
from tests.unit.domain.given import (
    AFFAIRS,
    NOW,
    PACKAGE,
    PATIENT,
    RECORD,
    TERM,
    TRAINEE,
    Stream,
    active,
    appraised,
    archived,
    by_signer,
    closed,
    condemned,
    due,
    emptied,
    facts,
    patient,
    permanent,
    registered,
    reopened,
    source,
    submitted,
    unanswered,
    visit_of,
    wrong,
    wrong_and_due,
)

EXAMPLES = int(os.environ.get("LEDGER_SOAK_EXAMPLES", "200"))
STEPS_MIN, STEPS_MAX = 30, 60
_AFTER_THE_END_MAX = 10


@dataclass(frozen=True)
class Draw:
    """One step of a walk, as drawn: which command is taken depends on the state that it meets."""

    choice: int
    among: str
    """`any` command; one that is `allowed` by the state; a `new` one, that the walk has not done; or one that moves the
    record `on` to another phase."""
    pick: Pick
    actor: Actor
    wait: timedelta
    other_stay: bool
    by_office: bool
    """Sent by whom the pack leaves it to, where the signer does not say who acts."""


@dataclass(frozen=True)
class Step:
    """A command of a walk, with the record before and after; `done` is False where it was refused."""

    command: Command
    facts: Facts
    before: RecordState
    after: RecordState
    done: bool


@dataclass
class Walk:
    """A record that lives through the drawn steps."""

    stream: Stream
    now: timedelta = timedelta()
    done: set[type[Command]] = field(default_factory=set[type[Command]])
    """What it has done and what was written."""

    def steps(self, draws: Iterable[Draw]) -> Iterator[Step]:
        """Every step in turn."""
        after_the_end = 0
        for number, draw in enumerate(draws):
            self.now += draw.wait
            yield self._step(number, draw)
            after_the_end += self.stream.record.phase in {Phase.DESTROYED, Phase.VOIDED}
            if after_the_end > _AFTER_THE_END_MAX:
                break

    def _step(self, number: int, draw: Draw) -> Step:
        record = self.stream.record
        known = self.knowing(number, draw, record)
        kind = chosen(record, known, draw, self.done)
        command = COMMANDS[kind](record, known, draw.pick)
        known = by_signer(command, known)
        if draw.by_office and kind in OFFICES:
            known = replace(known, context=replace(known.context, actor=OFFICES[kind]))
        try:
            decision = decide(command, record, known)
        except Refused as refused:
            check_refusal(refused)
            return Step(command, known, record, record, done=False)
        for each in decision.events:
            self.stream.apply(each, known.now)
        if decision.events:
            self.done.add(kind)
        return Step(command, known, record, self.stream.record, done=True)

    def knowing(self, number: int, draw: Draw, record: RecordState) -> Facts:
        """What is known at a step."""
        own = visit_of(self.stream)
        other = replace(own, phase=Phase.ACTIVE, ended_at=None)
        # Now and then no list stands, and nothing can be destroyed by one.
        lists: dict[str, Any] = {} if draw.choice % 5 else {"disposal_list": None, "open_lists": frozenset()}
        return facts(
            **lists,
            first_id=10_000 + 100 * number,
            now=NOW + self.now,
            actor=draw.actor,
            counterpart_known=True,
            package=PACKAGE,
            patient=patient(),
            source=source(id_=f"doc-{number}") if draw.other_stay else None,
            leaves=tuple(bytes([index % 256]) * 32 for index in range(record.version)),
            visits=(own, other) if draw.other_stay else (own,),
        )


def chosen(record: RecordState, known: Facts, draw: Draw, done: set[type[Command]]) -> type[Command]:
    """The command of a step: mostly one that the state allows and that the walk has not done."""
    in_turn = Random(draw.choice).sample(list(RULES), len(RULES))  # noqa: S311 - an order, not a secret
    if draw.among == "any":
        return in_turn[0]
    wanted: dict[str, Callable[[type[Command]], bool]] = {
        "new": lambda kind: kind not in done,
        "on": lambda kind: bool(RULES[kind].leads(record.phase) - {record.phase}),
        "allowed": lambda _: True,
    }
    found = (each for each in in_turn if wanted[draw.among](each) and _allowed(each, record, known))
    return next(found, in_turn[0])


def _allowed(kind: type[Command], record: RecordState, known: Facts) -> bool:
    if record.phase not in allowed_phases(kind, record.visit_type):
        return False
    return not any(reasons_against(kind, record, known))


_WAITS = (
    *[timedelta(seconds=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=5)] * 4,
    *[timedelta(days=1), timedelta(days=1), timedelta(days=40), timedelta(days=365 * 20)],
)


@dataclass(frozen=True)
class Draws:
    """The steps of a walk. All come from one seed: step by step hypothesis would vary earlier walks, and do less."""

    seed: int
    length: int

    def __iter__(self) -> Iterator[Draw]:
        random = Random(self.seed)  # noqa: S311 - a walk, not a secret
        for _ in range(self.length):
            yield Draw(
                choice=random.randrange(10_000),
                among=random.choice(["new", "new", "new", "on", "on", "allowed", "any"]),
                pick=Pick(random.randrange(200), trainee=random.random() < 1 / 3),
                actor=random.choice(PEOPLE),
                wait=random.choice(_WAITS),
                other_stay=random.random() < 1 / 4,
                by_office=random.random() < 1 / 2,
            )


def walks_of(least: int, most: int) -> st.SearchStrategy[Draws]:
    """Walks of so many steps."""
    return st.builds(Draws, st.integers(0, 2**32), st.integers(least, most))


walks = walks_of(STEPS_MIN, STEPS_MAX)


def _busy(visit: VisitType) -> Stream:
    """Care goes on: a trainee's note waits for its second name, a colleague was called."""
    stream = active(visit)
    stream.entry(signer=TRAINEE)
    stream.when(RequestConsultation(RECORD, "neurology", Urgency.ROUTINE, "Why?"))
    return stream


def _mistaken(visit: VisitType) -> Stream:
    """Somebody was taken for another: two persons are about to say so, or that nobody knows who it is."""
    stream = active(visit, identity=IdentityStatus.UNVERIFIED)
    stream.when(IdentifyPatient(RECORD, PATIENT), patient=patient())
    for act, subject in ((_CORRECTED, UUID(int=201)), (_WITHDRAWN, None)):
        stream.when(EndorseAct(RECORD, act, subject, None, "another face"), actor=AFFAIRS)
    return stream


_CORRECTED, _WITHDRAWN = EndorsedAct.IDENTIFICATION_CORRECTED, EndorsedAct.IDENTIFICATION_WITHDRAWN
BEGINNINGS: dict[str, tuple[Callable[[VisitType], Stream], timedelta]] = {
    "registered": (registered, timedelta()),
    "active": (active, timedelta()),
    "busy": (_busy, timedelta()),
    "unidentified": (lambda visit: active(visit, identity=IdentityStatus.UNVERIFIED), timedelta()),
    "mistaken": (_mistaken, timedelta()),
    "closed": (closed, timedelta()),
    "emptied": (emptied, timedelta()),
    "submitted": (lambda _: submitted(), timedelta()),
    "archived": (lambda _: archived(), timedelta()),
    "reopened": (lambda _: reopened(), timedelta()),
    "a window for one entry": (lambda _: reopened(unanswered, ()), timedelta()),
    "due": (lambda _: due(), TERM),
    "appraised": (lambda _: appraised(), TERM),
    "permanent": (lambda _: permanent(), TERM),
    "condemned": (lambda _: condemned(), TERM),
    "wrong": (wrong, timedelta()),
    "wrong and due": (wrong_and_due, TERM),
}
"""From the name of a beginning to the record and to how much later than NOW its last events are."""
beginnings = st.tuples(st.sampled_from(sorted(BEGINNINGS)), st.sampled_from(list(VisitType)))


def begun(beginning: tuple[str, VisitType]) -> Walk:
    """A walk that begins with a record in that phase."""
    make, since = BEGINNINGS[beginning[0]]
    stream = make(beginning[1])
    return Walk(stream, since)


def check_refusal(refused: Refused) -> None:
    """A refusal names its faults, each with a rule; that nothing was written, the replay shows."""
    assert refused.violations
    assert all(each.rule for each in refused.violations)
