"""Rulebooks, event by event. No text is read here: a later release replays what an earlier one took."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from ledger.domain import rulebook_events as events
from ledger.domain.rulebook import AddedPack, AddedTemplates, PackText, RulebookState


def pack_added(state: RulebookState | None, event: events.RulePackAdded, at: datetime) -> RulebookState:
    """One pack more."""
    book = state or RulebookState()
    pack = PackText(event.pack_id, event.version, event.text, event.sha256, event.layers)
    packs = {**book.packs, pack.name: AddedPack(pack, event.meta.actor, at)}
    return replace(book, version=book.version + 1, packs=packs)


def templates_added(state: RulebookState | None, event: events.TemplatesAdded, _: datetime) -> RulebookState:
    """Some templates more."""
    book = state or RulebookState()
    added = AddedTemplates(event.pack_id, event.templates, event.text)
    return replace(book, version=book.version + 1, templates=(*book.templates, added))


def pack_chosen(state: RulebookState | None, event: events.RulePackChosen, _: datetime) -> RulebookState:
    """In force."""
    book = state or RulebookState()
    return replace(book, version=book.version + 1, chosen=(event.pack_id, event.version))


def table_noted(state: RulebookState | None, event: events.CodeTableNoted, _: datetime) -> RulebookState:
    """One table of codes more."""
    book = state or RulebookState()
    return replace(book, version=book.version + 1, tables={**book.tables, (event.system, event.version): event.sha256})


RULEBOOK_STEPS: dict[Any, Callable[[Any, Any, datetime], RulebookState]] = {
    events.RulePackAdded: pack_added,
    events.TemplatesAdded: templates_added,
    events.RulePackChosen: pack_chosen,
    events.CodeTableNoted: table_noted,
}
