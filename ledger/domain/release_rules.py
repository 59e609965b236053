"""What records go by and a person did not bring, as events of the rulebook: the pack and the templates of the release,
and which tables of codes were looked into."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from uuid import UUID

from ledger.domain.code_tables import CodeTable, CodeTables
from ledger.domain.hospital_rules import HospitalRules
from ledger.domain.rulebook_events import CodeTableNoted, RulebookEvent, RulePackAdded, RulePackChosen, TemplatesAdded
from ledger.domain.rulebook_values import TemplateName
from ledger.domain.values import Actor, EventMeta

LEDGER_ITSELF = Actor(UUID("7c1d6a52-3f0e-5b0c-9d51-5a9a5f3a7e01"), "ledger", "system")
"""Nobody chose: the same in every hospital."""
REASON = "the release's default"


def written_down(rules: HospitalRules, tables: CodeTables) -> bool:
    """Whether the rulebook holds the pack in force, every template that an entry may name, and these tables."""
    return rules.book.chosen is not None and not rules.unwritten_templates and not _unnoted(rules, tables)


def release_rules(rules: HospitalRules, tables: CodeTables, meta: EventMeta) -> Iterator[RulebookEvent]:
    """What the rulebook lacks: the pack in force with all below it, templates of the release, and these tables."""
    pack = rules.pack_text(rules.in_force) if rules.in_force else None
    if pack is not None and rules.book.chosen is None:
        if pack.name not in rules.book.packs:
            yield RulePackAdded(meta, pack.id, pack.version, pack.layers, pack.text, pack.sha256)
        yield RulePackChosen(meta, pack.id, pack.version, REASON)
    if missing := rules.unwritten_templates:
        text = rules.shipped.template_texts.of(missing)
        names = tuple(TemplateName(*name) for name in sorted(missing))
        yield TemplatesAdded(meta, "", names, text, sha256(text.encode()).digest())
    for table in _unnoted(rules, tables):
        yield CodeTableNoted(meta, table.system, table.version, table.sha256, table.listed, table.source)


def _unnoted(rules: HospitalRules, tables: CodeTables) -> list[CodeTable]:
    return [each for each in tables.values() if each and (each.system, each.version) not in rules.book.tables]
