"""A rule pack from its text: read, laid over what it extends, checked; every fault with its line."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from typing import Any

from ledger.domain.pack_figures import unsourced
from ledger.domain.pack_late_items import unsourced_late_items
from ledger.domain.pack_layers import Bases, extended, layered
from ledger.domain.pack_lines import PackLines
from ledger.domain.pack_roles import unsourced_roles
from ledger.domain.pack_shape import shape_faults
from ledger.domain.pack_templates import unknown_templates
from ledger.domain.pack_transfer_note import unsourced_transfer_note
from ledger.domain.rule_pack import BadRulePack, RulePack
from ledger.domain.toml_lines import NotToml, parsed, placed

TEXT_CHARACTERS_MAX = 256 * 1024
_KEYS = frozenset(
    {
        "id",
        "version",
        "extends",
        "ahead_seconds_max",
        "arrival_back_minutes_max",
        "offer_days",
        "retention",
        "retention_state",
        "state_retention",
        "rule_keepers",
        "mandatory",
        "short_stay",
        "final_signers",
        "roles",
        "late_items",
        "transfer_note",
        "keeping",
        "deadline",
        "calendar",
        "code_table",
        "quality",
        "quality_item",
        "quality_grade",
    }
)


TemplatesOf = Callable[[frozenset[str]], Container[str]]
"""Templates that a pack may name, by its lineage."""


def read_pack(text: str, bases: Bases, templates: TemplatesOf | None = None) -> tuple[RulePack, Mapping[str, Any]]:
    """The pack and its whole data, layers included; without `templates` those that it names are not looked for.

    Raises BadRulePack: every fault as `line N: path: what`.
    """
    if len(text) > TEXT_CHARACTERS_MAX:
        raise BadRulePack((f"line 1: at most {TEXT_CHARACTERS_MAX} characters",))
    try:
        own = parsed(text)
    except NotToml as error:
        raise BadRulePack((str(error),)) from error
    faults = [f"{name}: no such key" for name in own if name not in _KEYS]
    # A layer has a name and a version of its own; it inherits neither.
    faults += [f"{name}: a layer has its own" for name in ("id", "version") if "extends" in own and name not in own]
    whole = layered(own, bases, faults)
    lines = PackLines(text, own, whole)
    # Of what has not even its shape no figure can be read.
    if misshapen := shape_faults(whole):
        raise BadRulePack(placed([*faults, *misshapen], lines.line))
    if "extends" in own:
        faults += [*unsourced(own, whole), *unsourced_roles(own)]
        faults += [*unsourced_late_items(own), *unsourced_transfer_note(own)]
    try:
        pack = RulePack.from_data(whole)
    except BadRulePack as error:
        faults += error.faults
    else:
        if (pack.id, pack.version) == extended(own):
            faults.append("extends: a pack does not extend itself")
        faults += unknown_templates(pack, templates(pack.lineage)) if templates else ()
        if not faults:
            return pack, whole
    raise BadRulePack(placed(faults, lines.line))
