"""FHIR codes and quantities as the contract's values."""

from __future__ import annotations

from decimal import Decimal

from importers.fhir.json_value import child, rows, text
from importers.fhir.visit_facts import slug
from ledger.api.v1.common_pb2 import Coding, Quantity

UNCODED = "urn:ledger:uncoded"
"""System of a topic that the source names only in words; the code is made of the words."""


def label(concept: object) -> str:
    """A CodeableConcept in words."""
    return text(concept, "text") or text(concept, "coding", 0, "display") or text(concept, "coding", 0, "code")


def coding_of(concept: object) -> Coding | None:
    """The first coding that has a code and its system; None where there is none."""
    for each in rows(concept, "coding"):
        if text(each, "system") and text(each, "code"):
            return Coding(
                system=text(each, "system"),
                code=text(each, "code"),
                display=text(each, "display") or text(concept, "text"),
                version=text(each, "version"),
            )
    return None


def topic_of(concept: object) -> Coding:
    """What a result is about; words alone become a code of our own system."""
    said = label(concept) or "result"
    return coding_of(concept) or Coding(system=UNCODED, code=slug(said) or "result", display=said)


def quantity_of(value: object) -> Quantity | None:
    """A Quantity with its number as written; None where there is no number."""
    number = child(value, "value")
    if not isinstance(number, (int, Decimal)) or isinstance(number, bool):
        return None
    comparator = text(value, "comparator")
    return None if comparator else Quantity(value=_digits(number), unit=text(value, "code") or text(value, "unit"))


def _digits(number: int | Decimal) -> str:
    """Digits without an exponent, none lost."""
    return str(number) if isinstance(number, int) else format(number, "f")


def quantity_text(value: object) -> str:
    """A Quantity in words, its comparator included."""
    number = child(value, "value")
    if number is None:
        return ""
    return f"{text(value, 'comparator')}{number} {text(value, 'unit') or text(value, 'code')}".strip()
