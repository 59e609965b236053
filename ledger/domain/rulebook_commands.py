"""Commands on a hospital's rulebook. Their field names are those of the requests."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class AddRulePack:
    """Adds a rule pack; nothing goes by it before it is chosen."""

    text: str


@dataclass(frozen=True)
class AddTemplates:
    """Adds templates, which entries may name from then on."""

    text: str


@dataclass(frozen=True)
class ChooseRulePack:
    """New records are registered under this pack from then on."""

    pack_id: str
    version: int
    reason: str


RulebookCommand = AddRulePack | AddTemplates | ChooseRulePack
