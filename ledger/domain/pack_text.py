"""A rule pack from its text: read, laid over what it extends, checked; every fault with its line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ledger.domain.coded_field import unsourced_conditions
from ledger.domain.pack_added import unfit_for_adding
from ledger.domain.pack_figures import unsourced
from ledger.domain.pack_late_items import unsourced_late_items
from ledger.domain.pack_layers import Bases, extended, layered
from ledger.domain.pack_lines import PackLines
from ledger.domain.pack_move_note import unsourced_move_note
from ledger.domain.pack_roles import unsourced_roles
from ledger.domain.pack_shape import shaped
from ledger.domain.pack_short_path import unsourced_short_path
from ledger.domain.pack_templates import TemplatesById, unfit_templates, unknown_fields, unknown_templates
from ledger.domain.pack_transfer_note import unsourced_transfer_note
from ledger.domain.pack_without_base import of_its_own
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
        "move_note",
        "short_path",
        "sampling",
        "keeping",
        "deadline",
        "calendar",
        "code_table",
        "quality",
        "quality_item",
        "quality_grade",
    }
)


TemplatesOf = Callable[[frozenset[str] | None], TemplatesById]
"""Templates that a pack may name, by its lineage; None = it is not known, and everybody's may be meant."""


def read_pack(
    text: str, bases: Bases, templates: TemplatesOf | None = None, beside: Iterable[str] = ()
) -> tuple[RulePack, Mapping[str, Any]]:
    """The pack and its whole data, layers included.

    With `templates` it is one that is added: those that it names are looked for, and whom it leaves what.
    Raises BadRulePack: every fault as `line N: path: what`, with those that the caller found `beside`.
    """
    if len(text) > TEXT_CHARACTERS_MAX:
        raise BadRulePack((f"line 1: at most {TEXT_CHARACTERS_MAX} characters",))
    try:
        own = parsed(text)
    except NotToml as error:
        raise BadRulePack((str(error),)) from error
    faults = [*beside, *(f"{name}: no such key" for name in own if name not in _KEYS)]
    # A layer has a name and a version of its own; it inherits neither.
    faults += [f"{name}: a layer has its own" for name in ("id", "version") if "extends" in own and name not in own]
    whole = layered(own, bases, faults)
    readable = shaped(whole)
    found: list[str] = []
    pack = RulePack.read(readable.data, found)
    found += unfit_for_adding(readable.data) if templates else ()
    if "extends" in own and extended(own) not in bases:
        found = list(of_its_own(own, found))
    found += _unsourced(own, readable.data)
    if (pack.id, pack.version) == extended(own):
        found.append("extends: a pack does not extend itself")
    if templates:
        # Whose templates it may name is told by its own id and by what it is laid over.
        nobodys = any(each.startswith(("id:", "extends:")) for each in (*faults, *found))
        known = templates(None if nobodys else pack.lineage)
        found += [*unknown_templates(pack, known), *unfit_templates(pack, known), *unknown_fields(pack, known)]
    if faults := [*faults, *readable.faults, *readable.beside(found)]:
        raise BadRulePack(placed(faults, PackLines(text, own, whole).line))
    return pack, whole


def _unsourced(own: Mapping[str, Any], whole: Mapping[str, Any]) -> list[str]:
    """What a layer changes without saying from where."""
    if "extends" not in own:
        return []
    said = shaped(own).data
    return [
        *unsourced(said, whole),
        *unsourced_roles(said),
        *unsourced_late_items(said),
        *unsourced_transfer_note(said),
        *unsourced_move_note(said),
        *unsourced_short_path(said),
        *unsourced_conditions(said, whole),
    ]
