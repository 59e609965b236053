"""What quality control may say of a sample: of a record that it can have drawn, once, by
somebody who neither wrote nor archived it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ledger.domain.author_guards import authors_of, countersigners_of
from ledger.domain.command_guards import CommandGuard
from ledger.domain.decision import Facts
from ledger.domain.quality_sample import SAMPLE_MAX, SEED_BYTES
from ledger.domain.refusal import RefusalKind, Violation
from ledger.domain.state import RecordState


def _impossible(command: Any, _: RecordState, facts: Facts) -> Iterable[Violation]:
    draw = command.draw
    over = draw.archived_from < draw.archived_before <= facts.now
    if not over or len(draw.seed) != SEED_BYTES or not 1 <= draw.size <= min(draw.population, SAMPLE_MAX):
        yield Violation("draw", DRAW_POSSIBLE.rule, DRAW_POSSIBLE.demand)


def _not_drawn(command: Any, record: RecordState, _: Facts) -> Iterable[Violation]:
    archived_at = record.archiving.archived_at
    if archived_at is not None and not command.draw.spans(archived_at):
        yield Violation("draw", WITHIN_SPAN.rule, WITHIN_SPAN.demand)


def _passed_before(command: Any, record: RecordState, _: Facts) -> Iterable[Violation]:
    # The seed alone: the same draw with a larger number, or a span with the same records, has it too.
    if command.draw.seed in record.archiving.passed_draws:
        yield Violation("draw", NOT_SETTLED.rule, NOT_SETTLED.demand)


def _own(_: Any, record: RecordState, facts: Facts) -> Iterable[Violation]:
    signers = (authors_of(each) | countersigners_of(each) for each in record.entries.values())
    in_charge = {each.id for each in (record.responsible,) if each is not None}
    if facts.context.actor.id in in_charge.union(record.archiving.archived_by, *signers):
        yield Violation("context.actor", OF_OTHERS.rule, OF_OTHERS.demand)


DRAW_POSSIBLE = CommandGuard(
    "IMPOSSIBLE_DRAW",
    f"a draw has a span that is over, a seed of {SEED_BYTES} bytes, and 1 to {SAMPLE_MAX} records of its population",
    _impossible,
    RefusalKind.INVALID,
)
WITHIN_SPAN = CommandGuard("NOT_DRAWN", "the record was archived within the span of the draw", _not_drawn)
NOT_SETTLED = CommandGuard("PASSED_BY_DRAW", "the draw has not found it good enough yet", _passed_before)
OF_OTHERS = CommandGuard(
    "SAME_PERSON",
    "nobody assesses a record that he or she signed in, archived or is in charge of",
    _own,
    of_actor=True,
)
