"""Reads a new pack over the packs and templates that a hospital has."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from ledger.domain.hospital_rules import HospitalRules, pack_and_data
from ledger.domain.pack_layers import extended
from ledger.domain.pack_text import read_pack
from ledger.domain.rule_pack import BadRulePack
from ledger.domain.rulebook import PackName, PackText
from ledger.domain.toml_lines import NotToml, parsed

PACK_BYTES_MAX = 96 * 1024
LAYERS_MAX = 4
"""Layers below a pack: with each whole in it, the event stays below the size of a body."""


def read_with(text: str, rules: HospitalRules) -> PackText:
    """The pack with the layers that it is laid over. Raises BadRulePack with every fault and its line."""
    if len(text.encode()) > PACK_BYTES_MAX:
        raise BadRulePack((f"line 1: at most {PACK_BYTES_MAX} bytes",))
    base = _base(text, rules)
    bases: dict[PackName, Mapping[str, Any]] = {base.name: pack_and_data(base)[1]} if base else {}
    layers = (*base.layers, base.as_layer) if base else ()
    too_deep = (f"extends: at most {LAYERS_MAX} packs below each other",) if len(layers) > LAYERS_MAX else ()
    pack, _ = read_pack(text, bases, rules.known_templates, too_deep)
    return PackText(pack.id, pack.version, text, sha256(text.encode()).digest(), layers)


def _base(text: str, rules: HospitalRules) -> PackText | None:
    """What the text extends, if that is there; what is wrong with it is said when the pack is read."""
    try:
        named = extended(parsed(text))
    except NotToml:
        return None
    return rules.pack_text(named) if named else None
