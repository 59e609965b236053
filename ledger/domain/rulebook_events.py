"""Events of a hospital's rulebook; see events.py for what every event class promises."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.domain.rulebook_values import PackLayer, TemplateName
from ledger.domain.values import EventMeta


@dataclass(frozen=True)
class RulePackAdded:
    """A rule pack was added."""

    meta: EventMeta
    pack_id: str
    version: int
    layers: tuple[PackLayer, ...]
    """What it is laid over, lowest first: the event can be read without anything else."""
    text: str
    sha256: bytes


@dataclass(frozen=True)
class TemplatesAdded:
    """Templates were added."""

    meta: EventMeta
    pack_id: str
    """The pack whose they are; empty = every pack's."""
    templates: tuple[TemplateName, ...]
    text: str
    sha256: bytes


@dataclass(frozen=True)
class RulePackChosen:
    """New records are registered under this pack from now on."""

    meta: EventMeta
    pack_id: str
    version: int
    reason: str


@dataclass(frozen=True)
class CodeTableNoted:
    """Codes of entries are looked up in this table from now on."""

    meta: EventMeta
    system: str
    version: str
    sha256: bytes
    codes: int
    source: str


RulebookEvent = RulePackAdded | TemplatesAdded | RulePackChosen | CodeTableNoted
