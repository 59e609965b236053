"""What a record accepts now, and why it does not accept the rest: a front end offers only what will be taken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ledger.domain.commands import Command, RecordEntry
from ledger.domain.decision import Facts
from ledger.domain.lifecycle import LATE_RESULT, RULES, state_faults
from ledger.domain.refusal import Violation
from ledger.domain.state import RecordState
from ledger.domain.values import Actor


@dataclass(frozen=True)
class Action:
    """A command on a record, by its name, with every reason against it; none = it is allowed."""

    name: str
    reasons: tuple[Violation, ...]


def allowed_actions(record: RecordState, facts: Facts, asker: Actor | None = None) -> list[Action]:
    """Every command of the declaration, in its order, for whoever asks (None = for nobody in particular).

    What it says no to is refused, or is there already and writes nothing; what it says yes to, some command of that
    name does. Which entry a command changes, and so whose, is checked when it is sent. `RecordEntry` is a new entry
    here: one whose source item was taken up before is an amendment, and allowed as `AmendEntry` is.
    """
    if asker is not None:
        facts = replace(facts, context=replace(facts.context, actor=asker))
    return [
        Action(
            command.__name__,
            (
                *reasons_against(command, record, facts),
                *(actor_faults(command, record, facts) if asker is not None else ()),
            ),
        )
        for command in RULES
    ]


def reasons_against(command: type[Command], record: RecordState, facts: Facts) -> Iterator[Violation]:
    """What stands against every command of this kind, whoever sends it and whatever it names."""
    # Where one template alone is taken, the entry decides, which is checked when it is sent.
    if command is not RecordEntry or record.phase not in LATE_RESULT:
        yield from state_faults(command, record, facts)
    yield from naming_faults(command, record, facts)


def naming_faults(command: type[Command], record: RecordState, facts: Facts) -> Iterator[Violation]:
    """What is not there, so that the command can name nothing."""
    for guard in RULES[command].names:
        yield from guard.faults(record, facts)


def actor_faults(command: type[Command], record: RecordState, facts: Facts) -> Iterator[Violation]:
    """What stands against the actor of the facts, whatever the command names."""
    for guard in RULES[command].of_command:
        if guard.of_actor:
            yield from guard.faults(None, record, facts)
