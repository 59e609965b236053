"""The rule packs and templates that come with the ledger, read from the data files beside this module."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from ledger.domain.pack_text import read_pack
from ledger.domain.rule_pack import RulePack
from ledger.domain.rule_packs import RulePacks
from ledger.domain.templates import TemplateSet

DEFAULT_PACK = "cn-2010"
_FOLDER = files("ledger.domain").joinpath("data")


@cache
def default_packs() -> RulePacks:
    """Every version of every rule pack that comes with the ledger."""
    texts = [_text(each.name) for each in _FOLDER.iterdir() if each.name.startswith("pack_")]
    packs: list[RulePack] = []
    bases: dict[tuple[str, int], Mapping[str, Any]] = {}
    # What a layer extends is read before it; a layer of something that is not there is the last, and refused.
    for text in sorted(texts, key=lambda each: "extends" in tomllib.loads(each)):
        pack, data = read_pack(text, bases)
        packs.append(pack)
        bases[pack.id, pack.version] = data
    return RulePacks.of(packs)


@cache
def default_pack(pack_id: str = DEFAULT_PACK) -> RulePack:
    """The newest version of a rule pack: `cn-2010` or `us-generic`. Raises Refused for any other."""
    return default_packs().newest(pack_id)


@cache
def default_templates() -> TemplateSet:
    """The templates that come with the ledger."""
    return TemplateSet.from_data(_data("templates.toml"))


def _data(name: str) -> dict[str, Any]:
    return tomllib.loads(_text(name))


def _text(name: str) -> str:
    return _FOLDER.joinpath(name).read_text(encoding="utf-8")
