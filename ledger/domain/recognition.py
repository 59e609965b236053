"""A patient without what a source's item said: recognised by a mistyped identifier, it was somebody else's."""

from __future__ import annotations

from dataclasses import asdict, replace

from ledger.domain.state import PatientState
from ledger.domain.stated_details import in_force, without_word
from ledger.domain.stated_identifiers import Item, with_statement


def without_item(patient: PatientState, item: Item) -> PatientState:
    """The patient as everybody else tells; what the item alone gave goes, what it outdid is in force again."""
    identifiers = with_statement(patient.details.identifiers, patient.stated, item, ())
    said = without_word(patient.said, item)
    details = replace(patient.details, identifiers=identifiers, **asdict(in_force(said)))
    stated = {each: found for each, found in patient.stated.items() if each != item}
    return replace(patient, details=details, stated=stated, said=said)


def is_recognised(patient: PatientState, item: Item) -> bool:
    """Whether a source's item was led to the patient, who was known before; whoever registered it comes first."""
    return item is not None and item in tuple(patient.stated)[1:]
