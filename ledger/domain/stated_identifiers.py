"""Which item of a source gave a patient which identifiers: each takes back its own, always, and nobody else's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ledger.domain.values import PatientIdentifier, SourceItem

Item = tuple[str, str, str] | None
"""System, type and id of the item of a source; None = a person at the desk."""
Name = tuple[str, str]
"""Naming system and value of an identifier."""
Stated = Mapping[Item, frozenset[Name]]


def item_of(source: SourceItem | None) -> Item:
    """Who says it: an item keeps its name, whatever it says."""
    return None if source is None else (source.system, source.type, source.id)


def names(identifiers: Iterable[PatientIdentifier]) -> frozenset[Name]:
    """What identifies them."""
    return frozenset((each.system, each.value) for each in identifiers)


def after_amendment(
    stated: Stated, before: Iterable[PatientIdentifier], after: Iterable[PatientIdentifier], item: Item
) -> dict[Item, frozenset[Name]]:
    """Who states what once the patient's identifiers are others: what came is the item's, what went is nobody's."""
    old, new = names(before), names(after)
    left = {each: found & new for each, found in stated.items()}
    left[item] = left.get(item, frozenset()) | (new - old)
    return left


def after_statement(stated: Stated, item: Item, said: Iterable[PatientIdentifier]) -> dict[Item, frozenset[Name]]:
    """The same once an item has said which ones it gives."""
    return {**stated, item: names(said)}


def with_statement(
    known: tuple[PatientIdentifier, ...], stated: Stated, item: Item, said: tuple[PatientIdentifier, ...]
) -> tuple[PatientIdentifier, ...]:
    """The patient's identifiers when the item says these: what it alone had given and says no longer goes."""
    others = frozenset[Name]().union(*(found for each, found in stated.items() if each != item))
    gone = stated.get(item, frozenset[Name]()) - names(said) - others
    there = names(known)
    kept = (each for each in known if (each.system, each.value) not in gone)
    return (*kept, *(each for each in said if (each.system, each.value) not in there))
