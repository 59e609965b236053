"""What a person or program must say of itself wherever a body or the register keeps it."""

from __future__ import annotations

from ledger.domain.refusal import Violation
from ledger.domain.values import Actor

CHARACTERS_MAX = {"name": 400, "role": 64, "department": 64, "licence": 128}


def actor_faults(actor: Actor, path: str) -> tuple[Violation, ...]:
    """Every fault of an actor: no name, or a text above its limit."""
    faults = [
        Violation(f"{path}.{name}", "TOO_LONG", f"at most {limit} characters")
        for name, limit in CHARACTERS_MAX.items()
        if len(getattr(actor, name)) > limit
    ]
    if not actor.name.strip():
        faults.insert(0, Violation(f"{path}.name", "REQUIRED", "a name is required"))
    return tuple(faults)
