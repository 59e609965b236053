"""`python -m tests.property.decided_bytes`: what random walks decide, a line for each step, byte for byte."""

from __future__ import annotations

from hashlib import sha256

from ledger.application.body_codec import encode_body
from ledger.domain.decide import decide
from ledger.domain.refusal import Refused
from ledger.domain.values import VisitType
from tests.property.walks import BEGINNINGS, STEPS_MIN, Draws, Step, begun


def line_of(step: Step) -> str:
    """The command, and the bytes of its events or the faults of its refusal, each in their order."""
    try:
        decision = decide(step.command, step.before, step.facts)
    except Refused as refused:
        said = " ".join(f"{each.field}:{each.rule}" for each in refused.violations)
    else:
        events = (*decision.events, *(each for part in decision.beside for each in part.events))
        bodies = b"".join(len(body).to_bytes(4) + body for body in map(encode_body, events))
        said = sha256(bodies + repr((decision.reservations, decision.result)).encode()).hexdigest()
    return f"{type(step.command).__name__} {said}"


def main() -> None:
    """A walk from every beginning, of every kind of visit."""
    for number, (beginning, visit) in enumerate((each, visit) for each in sorted(BEGINNINGS) for visit in VisitType):
        for step in begun((beginning, visit)).steps(Draws(number, STEPS_MIN)):
            print(beginning, visit, line_of(step))


if __name__ == "__main__":
    main()
