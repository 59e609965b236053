"""A hospital's rulebook as it stands: the packs and templates that were added to it, and the pack that was chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ledger.domain.rulebook_values import PackLayer, TemplateName
from ledger.domain.values import Actor

PackName = tuple[str, int]
"""Id and version of a pack."""


@dataclass(frozen=True)
class PackText:
    """A pack as it was given, with what it is laid over."""

    id: str
    version: int
    text: str
    sha256: bytes
    layers: tuple[PackLayer, ...] = ()

    @property
    def name(self) -> PackName:
        """Id and version."""
        return self.id, self.version

    @property
    def as_layer(self) -> PackLayer:
        """The pack as another is laid over it."""
        return PackLayer(self.id, self.version, self.text, self.sha256)


@dataclass(frozen=True)
class AddedPack:
    """A pack of the rulebook, and who added it when."""

    pack: PackText
    added_by: Actor
    added_at: datetime


@dataclass(frozen=True)
class AddedTemplates:
    """Templates of the rulebook, as they were given."""

    pack_id: str
    names: tuple[TemplateName, ...]
    text: str


@dataclass(frozen=True)
class RulebookState:
    """One stream for each hospital, of kind `ledger`; it is never destroyed."""

    version: int = 0
    packs: Mapping[PackName, AddedPack] = field(default_factory=dict[PackName, AddedPack])
    templates: tuple[AddedTemplates, ...] = ()
    chosen: PackName | None = None
    """None = nothing was registered yet: it will be by the newest version of the hospital's pack in the release."""
    tables: Mapping[tuple[str, str], bytes] = field(default_factory=dict[tuple[str, str], bytes])
    """Digest of each table in which entries' codes were looked up, by system and version."""
