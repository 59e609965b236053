"""The rule packs and templates that come with the ledger, read from the data files beside this module."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

from ledger.domain.hospital_rules import HospitalRules, ShippedRules, pack_and_data
from ledger.domain.pack_reading import read_with
from ledger.domain.rule_pack import BadRulePack, RulePack
from ledger.domain.rule_packs import RulePacks
from ledger.domain.rulebook import PackName, PackText
from ledger.domain.template_text import parted, read_templates
from ledger.domain.templates import TemplateSet

DEFAULT_PACK = "cn-2010"
_FOLDER = files("ledger.domain").joinpath("data")


@cache
def shipped_rules() -> ShippedRules:
    """Every pack and template that comes with the ledger. Raises BadRulePack, BadTemplates."""
    of_templates = _text("templates.toml")
    templates = read_templates(of_templates)
    texts = [_text(each.name) for each in _FOLDER.iterdir() if each.name.startswith("pack_")]
    packs: dict[PackName, PackText] = {}
    # What a layer extends is read before it; a layer of something that is not there is the last, and refused.
    for text in sorted(texts, key=lambda each: "extends" in tomllib.loads(each)):
        added = read_with(text, HospitalRules(ShippedRules(packs, templates), "", None))
        if packs.setdefault(added.name, added) is not added:
            raise BadRulePack((f"{added.id} {added.version}: there twice",))
    return ShippedRules(packs, templates, parted(of_templates))


@cache
def default_packs() -> RulePacks:
    """Every version of every rule pack that comes with the ledger."""
    return RulePacks.of(pack_and_data(each)[0] for each in shipped_rules().packs.values())


@cache
def default_pack(pack_id: str = DEFAULT_PACK) -> RulePack:
    """The newest version of a rule pack: `cn-2010` or `us-generic`. Raises Refused for any other."""
    return default_packs().newest(pack_id)


def default_templates() -> TemplateSet:
    """The templates that come with the ledger."""
    return shipped_rules().templates


def _text(name: str) -> str:
    return _FOLDER.joinpath(name).read_text(encoding="utf-8")
