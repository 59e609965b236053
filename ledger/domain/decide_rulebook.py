"""Decisions on a hospital's rulebook: packs and templates are added, never changed, and a pack is chosen."""

from __future__ import annotations

from hashlib import sha256
from uuid import UUID

from ledger.domain.command_guards import is_person
from ledger.domain.decision import LEDGER, Claim, Decision, Facts
from ledger.domain.faults import Faults
from ledger.domain.guards import CODE_MAX, check_reason, check_time
from ledger.domain.hospital_rules import HospitalRules, pack_and_data
from ledger.domain.pack_reading import PACK_BYTES_MAX, read_with
from ledger.domain.refusal import RefusalKind
from ledger.domain.rule_pack import BadRulePack
from ledger.domain.rulebook import PackText, RulebookState
from ledger.domain.rulebook_commands import AddRulePack, AddTemplates, ChooseRulePack
from ledger.domain.rulebook_events import RulebookEvent, RulePackAdded, RulePackChosen, TemplatesAdded
from ledger.domain.rulebook_values import TemplateName
from ledger.domain.template_text import read_templates
from ledger.domain.templates import BadTemplates, TemplateSet

PACKS_MAX = 200
TEMPLATE_TEXTS_MAX = 200
"""Of one rulebook. Every process holds them in memory, and nothing ever goes out of them."""


def add_rule_pack(command: AddRulePack, state: RulebookState | None, facts: Facts) -> Decision:
    """A pack that no record goes by yet; the same again adds nothing."""
    rules = _rules(state, facts)
    faults = _begin(facts)
    if _added_before(command.text, rules):
        faults.refuse_if_any()
        return _on_rulebook(facts, state)
    pack = _read_pack(command.text, rules, faults)
    if pack is not None:
        known = rules.pack_text(pack.name)
        if known is not None and known.sha256 != pack.sha256:
            faults.add("text", "PACK_EXISTS", f"{pack.id}@{pack.version} says something else", RefusalKind.TAKEN)
    if len(rules.book.packs) >= PACKS_MAX:
        faults.add("text", "TOO_MANY", f"at most {PACKS_MAX} packs", RefusalKind.STATE)
    faults.refuse_if_any()
    assert pack is not None  # noqa: S101 - its absence is a fault above
    return _on_rulebook(facts, state, _added(pack, facts))


def add_templates(command: AddTemplates, state: RulebookState | None, facts: Facts) -> Decision:
    """Templates that entries may name from now on; the same again adds nothing."""
    rules = _rules(state, facts)
    faults = _begin(facts)
    if any(each.text == command.text for each in rules.book.templates):
        faults.refuse_if_any()
        return _on_rulebook(facts, state)
    templates = _read_templates(command.text, faults)
    for name, template in templates.templates.items() if templates else ():
        known = rules.template(name)
        if rules.has_template(name) and known != template:
            faults.add("text", "TEMPLATE_EXISTS", f"{name[0]} version {name[1]} says something else", RefusalKind.TAKEN)
    if len(rules.book.templates) >= TEMPLATE_TEXTS_MAX:
        faults.add("text", "TOO_MANY", f"at most {TEMPLATE_TEXTS_MAX} texts of templates", RefusalKind.STATE)
    faults.refuse_if_any()
    assert templates is not None  # noqa: S101 - its absence is a fault above
    names = tuple(TemplateName(*name) for name in sorted(templates.templates))
    pack_id = next(iter(templates.templates.values())).pack
    digest = sha256(command.text.encode()).digest()
    return _on_rulebook(facts, state, TemplatesAdded(facts.meta(), pack_id, names, command.text, digest))


def choose_rule_pack(command: ChooseRulePack, state: RulebookState | None, facts: Facts) -> Decision:
    """New records go by it. A pack of the release is written into the rulebook first: the ledger holds what counts."""
    rules = _rules(state, facts)
    faults = _begin(facts)
    check_reason(command.reason, faults)
    faults.text(command.pack_id, "pack_id", CODE_MAX)
    pack = rules.pack_text((command.pack_id, command.version))
    if pack is None:
        versions = [each.version for each in rules.all_packs() if each.id == command.pack_id]
        field, text = ("version", f"there are {versions}") if versions else ("pack_id", "there is no such rule pack")
        faults.add(field, "UNKNOWN_RULE_PACK", text, RefusalKind.NOT_FOUND)
    elif not _is_readable(pack):
        faults.add("version", "UNREADABLE_RULE_PACK", "this release cannot read it", RefusalKind.STATE)
    faults.refuse_if_any()
    assert pack is not None  # noqa: S101 - its absence is a fault above
    if rules.book.chosen == pack.name:
        return _on_rulebook(facts, state)
    first = () if pack.name in rules.book.packs else (_added(pack, facts),)
    return _on_rulebook(facts, state, *first, RulePackChosen(facts.meta(), pack.id, pack.version, command.reason))


def _rules(state: RulebookState | None, facts: Facts) -> HospitalRules:
    return HospitalRules(facts.shipped, facts.pack.id, state)


def _begin(facts: Facts) -> Faults:
    faults = Faults()
    actor = facts.context.actor
    if not is_person(actor):
        faults.add("context.actor", "NOT_A_PERSON", "a person acts here, not a system", RefusalKind.STATE)
    elif actor.role not in facts.pack.rule_keepers:
        keepers = ", ".join(sorted(facts.pack.rule_keepers))
        faults.add("context.actor.role", "ROLE_NOT_ALLOWED", f"one of {keepers}", RefusalKind.STATE)
    check_time(facts, faults)
    return faults


def _added_before(text: str, rules: HospitalRules) -> bool:
    return any(each.pack.text == text for each in rules.book.packs.values())


def _read_pack(text: str, rules: HospitalRules, faults: Faults) -> PackText | None:
    try:
        return read_with(text, rules)
    except BadRulePack as error:
        for fault in error.faults:
            faults.add("text", "BAD_RULE_PACK", fault)
        return None


def _read_templates(text: str, faults: Faults) -> TemplateSet | None:
    # A text as long as a pack's at most: the event stays far below the size of a body.
    if len(text.encode()) > PACK_BYTES_MAX:
        faults.add("text", "TOO_LONG", f"at most {PACK_BYTES_MAX} bytes")
        return None
    try:
        return read_templates(text)
    except BadTemplates as error:
        for fault in error.faults:
            faults.add("text", "BAD_TEMPLATES", fault)
        return None


def _is_readable(pack: PackText) -> bool:
    try:
        pack_and_data(pack)
    except BadRulePack:
        return False
    return True


def _added(pack: PackText, facts: Facts) -> RulePackAdded:
    return RulePackAdded(facts.meta(), pack.id, pack.version, pack.layers, pack.text, pack.sha256)


def _on_rulebook(facts: Facts, state: RulebookState | None, *events: RulebookEvent) -> Decision:
    """The hospital's one rulebook: whoever opens it claims the name, so that there is never a second."""
    if state is not None and facts.claimed is not None:
        return Decision(facts.claimed.stream_id, LEDGER, events)
    opened: UUID = facts.ids[0]
    return Decision(opened, LEDGER, events, (Claim(LEDGER, ()),))


DECISIONS = {AddRulePack: add_rule_pack, AddTemplates: add_templates, ChooseRulePack: choose_rule_pack}
