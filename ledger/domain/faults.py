"""Collects the faults of one command, so that a refusal names all of them at once."""

from __future__ import annotations

from collections.abc import Iterable

from ledger.domain.refusal import RefusalKind, Refused, Violation

_ORDER = (RefusalKind.NOT_FOUND, RefusalKind.TAKEN, RefusalKind.STATE, RefusalKind.INVALID)


class Faults:
    """Faults in the order in which they were found; the gravest kind decides what sort of refusal it is."""

    def __init__(self) -> None:
        self._faults: list[tuple[RefusalKind, Violation]] = []

    def add(self, field: str, rule: str, text: str = "", kind: RefusalKind = RefusalKind.INVALID) -> None:
        """Notes a fault."""
        self._faults.append((kind, Violation(field, rule, text)))

    def note(self, violation: Violation | None, kind: RefusalKind) -> None:
        """Notes a fault that another rule found; None = it found none."""
        if violation is not None:
            self._faults.append((kind, violation))

    def note_all(self, violations: Iterable[Violation], kind: RefusalKind) -> None:
        """Notes every fault that another rule found."""
        for each in violations:
            self.note(each, kind)

    def require(self, value: object, field: str) -> None:
        """Notes a value that must be there and is not."""
        if not value or (isinstance(value, str) and not value.strip()):
            self.add(field, "REQUIRED", "a value is required")

    def text(self, value: str, field: str, characters_max: int) -> None:
        """Notes a text that is longer than its limit."""
        if len(value) > characters_max:
            self.add(field, "TOO_LONG", f"at most {characters_max} characters")

    def __bool__(self) -> bool:
        return bool(self._faults)

    def refuse_if_any(self) -> None:
        """Raises Refused with every fault."""
        if not self._faults:
            return
        kinds = {kind for kind, _ in self._faults}
        # What can never be done as it stands is said first; a state may change, a malformed command does not.
        kind = RefusalKind.INVALID if RefusalKind.INVALID in kinds else next(each for each in _ORDER if each in kinds)
        raise Refused(kind, tuple(violation for _, violation in self._faults))


def refuse(kind: RefusalKind, field: str, rule: str, text: str = "") -> Refused:
    """A refusal with one fault."""
    return Refused(kind, (Violation(field, rule, text),))
