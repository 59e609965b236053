"""The rules of one hospital: the packs and templates that come with the release, and those of its own rulebook.

The rulebook counts first: its records were registered under what it says, whatever a later release ships.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any

from ledger.domain.code_tables import CodeTable, CodeTables
from ledger.domain.faults import refuse
from ledger.domain.pack_roles import NoRoles
from ledger.domain.pack_text import read_pack
from ledger.domain.refusal import RefusalKind, Refused
from ledger.domain.rule_pack import BadRulePack, RulePack
from ledger.domain.rulebook import PackName, PackText, RulebookState
from ledger.domain.state import RecordState, StreamState
from ledger.domain.template_text import TemplateTexts, read_templates
from ledger.domain.templates import OTHER_PACK, UNREADABLE, BadTemplates, Template, TemplateSet

READ_MAX = 512
"""Packs, and texts of templates, whose reading a process remembers."""
_Templates = dict[tuple[str, int], Template]


@dataclass(frozen=True)
class ShippedRules:
    """What comes with the release."""

    packs: Mapping[PackName, PackText]
    templates: TemplateSet
    template_texts: TemplateTexts = field(default_factory=TemplateTexts)
    """What the templates were read from."""


@lru_cache(maxsize=READ_MAX)
def pack_and_data(text: PackText) -> tuple[RulePack, Mapping[str, Any]]:
    """The pack of a text and its whole data. Raises BadRulePack where this release cannot read it."""
    bases: dict[PackName, Mapping[str, Any]] = {}
    for layer in text.layers:
        bases[layer.id, layer.version] = read_pack(layer.text, bases)[1]
    return read_pack(text.text, bases)


@lru_cache(maxsize=READ_MAX)
def _templates_in(text: str) -> TemplateSet:
    return read_templates(text)


class HospitalRules:
    """Finds packs and templates. It is made anew when the rulebook has changed."""

    def __init__(self, shipped: ShippedRules, hospitals_pack: str, book: RulebookState | None) -> None:
        self.shipped = shipped
        self._hospitals_pack = hospitals_pack
        self.book = book or RulebookState()
        self._scoped: dict[frozenset[str], TemplateSet] = {}
        self._by_calendar: dict[PackName, RulePack] = {}

    def pack_text(self, name: PackName) -> PackText | None:
        """A pack as it was given; None where there is none of that name."""
        added = self.book.packs.get(name)
        return added.pack if added else self.shipped.packs.get(name)

    def all_packs(self) -> list[PackText]:
        """Every pack by id and version."""
        named = {**self.shipped.packs, **{name: added.pack for name, added in self.book.packs.items()}}
        return [named[name] for name in sorted(named)]

    @property
    def in_force(self) -> PackName | None:
        """The pack of new records: the chosen one, else the newest version that comes with the release."""
        return self.book.chosen or self._of_release

    @property
    def _of_release(self) -> PackName | None:
        return max((name for name in self.shipped.packs if name[0] == self._hospitals_pack), default=None)

    @cached_property
    def unwritten_templates(self) -> frozenset[tuple[str, int]]:
        """Templates of the release that the rulebook does not name yet."""
        return frozenset(self.shipped.templates.templates) - self._written_templates

    @cached_property
    def otherwise(self) -> tuple[str, ...]:
        """Packs and templates of which the release says something else than the rulebook, whose word counts."""
        packs, templates = self.shipped.packs, self.shipped.templates.templates
        named = [
            name for name, each in self.book.packs.items() if packs.get(name, each.pack).sha256 != each.pack.sha256
        ]
        named += [name for name in self._written_templates & templates.keys() if self.template(name) != templates[name]]
        return tuple(sorted(f"{id_}@{version}" for id_, version in named))

    def as_noted(self, tables: CodeTables) -> CodeTables:
        """The tables, those marked that are not what the ledger notes under their version."""
        return {system: each and self._as_noted(each) for system, each in tables.items()}

    def _as_noted(self, table: CodeTable) -> CodeTable:
        noted = self.book.tables.get((table.system, table.version), table.sha256)
        return table if noted == table.sha256 else replace(table, changed=True)

    def for_stream(self, state: StreamState | None) -> RulePack:
        """A record's own pack, by the calendar of today; the one in force for everything else.

        Raises Refused where it cannot be had.
        """
        if not isinstance(state, RecordState):
            return self._pack(self.in_force, "context.hospital")
        name = (state.rule_pack, state.rule_pack_version)
        if name not in self._by_calendar:
            self._by_calendar[name] = self._of_record(name)
        return self._by_calendar[name]

    def _of_record(self, name: PackName) -> RulePack:
        own = self._pack(name, "record_id")
        in_force = self.roles_in_force()
        # Days off are announced year by year, after the record was registered. Care does not wait for a calendar.
        return own if isinstance(in_force, NoRoles) else own.counted_by(in_force.deadlines.calendar)

    def knows_pack_of(self, state: StreamState | None) -> bool:
        """Whether the pack of a stream is there, readable or not."""
        name = (state.rule_pack, state.rule_pack_version) if isinstance(state, RecordState) else self.in_force
        return name is not None and self.pack_text(name) is not None

    def roles_in_force(self) -> RulePack | NoRoles:
        """Whose roles count for records of every age; what is left to no role goes on where nobody can read them."""
        try:
            return self.for_stream(None)
        except Refused:
            return NoRoles()

    def of_keepers(self) -> RulePack:
        """The pack whose keepers change the rules: the one in force, or the release's where that cannot be had.

        A pack that nobody can read any more could else never be replaced. Raises Refused where there is neither.
        """
        try:
            return self.for_stream(None)
        except Refused:
            return self._pack(self._of_release, "context.hospital")

    def _pack(self, name: PackName | None, field: str) -> RulePack:
        text = self.pack_text(name) if name else None
        if text is None:
            raise _refused(field, "UNKNOWN_RULE_PACK", "neither this release nor the rulebook has the rule pack")
        try:
            return pack_and_data(text)[0]
        except BadRulePack as error:
            raise _refused(field, "UNREADABLE_RULE_PACK", "this release cannot read the rule pack") from error

    def known_templates(self, lineage: frozenset[str] | None) -> Mapping[str, tuple[Template, ...]]:
        """The templates by id that a pack of this lineage may name; None = all that there are."""
        named = self._templates.items()
        return TemplateSet({name: each for name, each in named if lineage is None or each.pack in lineage | {""}}).by_id

    def template(self, name: tuple[str, int]) -> Template | None:
        """A template, whosever it is."""
        return self._templates.get(name)

    def has_template(self, name: tuple[str, int]) -> bool:
        """Whether the template is there, readable or not."""
        return name in self._templates or name in self._unreadable

    def templates_for(self, pack: RulePack) -> TemplateSet:
        """The templates as a record of this pack may use them."""
        if (known := self._scoped.get(pack.lineage)) is not None:
            return known
        usable = {name: each for name, each in self._templates.items() if each.pack in pack.lineage | {""}}
        barred = dict.fromkeys(self._templates.keys() - usable.keys(), OTHER_PACK)
        found = TemplateSet(usable, barred | dict.fromkeys(self._unreadable, UNREADABLE))
        return self._scoped.setdefault(pack.lineage, found)

    @cached_property
    def _templates(self) -> _Templates:
        # What the rulebook cannot tell any more is not told by a later text under the same name.
        shipped = self.shipped.templates.templates.items()
        found = {name: each for name, each in shipped if name not in self._written_templates}
        for each in self._readable():
            found.update(each.templates)
        return found

    @cached_property
    def _unreadable(self) -> frozenset[tuple[str, int]]:
        return self._written_templates - self._templates.keys()

    @cached_property
    def _written_templates(self) -> frozenset[tuple[str, int]]:
        return frozenset((name.id, name.version) for each in self.book.templates for name in each.names)

    def _readable(self) -> Iterator[TemplateSet]:
        for each in self.book.templates:
            try:
                yield _templates_in(each.text)
            except BadTemplates:
                # Its names stand in `_unreadable`: an entry that needs one is refused by name, and no other.
                continue


def _refused(field: str, rule: str, text: str) -> Refused:
    return refuse(RefusalKind.STATE, field, rule, text)
