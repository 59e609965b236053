"""Whether a verified package is accepted: the hospital's own rule."""

from dataclasses import dataclass
from typing import Protocol

from consumers.receiving_hospital.offer import Offer


@dataclass(frozen=True, slots=True)
class Refusal:
    """The hospital does not take a package that holds."""

    code: str
    """Stable upper-case code of the hospital's own."""
    text: str
    """Explanation without clinical data."""


class AnswerPolicy(Protocol):
    """Decides by the offer alone; the same offer gives the same answer."""

    def __call__(self, offer: Offer, /) -> Refusal | None:
        """None = accept."""
        ...


def accept_verified(offer: Offer) -> Refusal | None:  # noqa: ARG001 - a policy that needs no argument
    """Accepts everything that was verified."""
    return None
