"""The rule packs and templates that come with the ledger, read from the data files beside this module."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from ledger.domain.rule_pack import RulePack
from ledger.domain.templates import TemplateSet

DEFAULT_PACK = "cn-2010"


@cache
def default_pack(pack_id: str = DEFAULT_PACK) -> RulePack:
    """A rule pack by id: `cn-2010` or `us-generic`."""
    return RulePack.from_data(_data(f"pack_{pack_id}.toml"))


@cache
def default_templates() -> TemplateSet:
    """The templates that come with the ledger."""
    return TemplateSet.from_data(_data("templates.toml"))


def _data(name: str) -> dict[str, Any]:
    return tomllib.loads(files("ledger.domain").joinpath("data", name).read_text(encoding="utf-8"))
