"""A rule pack from its text: read, laid over what it extends, checked; every fault with its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Any

from ledger.domain.pack_layers import Bases, extended, layered
from ledger.domain.pack_lines import PackLines
from ledger.domain.pack_shape import shape_faults
from ledger.domain.rule_pack import BadRulePack, RulePack

TEXT_CHARACTERS_MAX = 256 * 1024
_AT_LINE = re.compile(r"line (\d+)")
_KEYS = frozenset(
    {
        "id",
        "version",
        "extends",
        "ahead_seconds_max",
        "offer_days",
        "retention",
        "mandatory",
        "final_signers",
        "keeping",
        "deadline",
        "calendar",
        "code_table",
        "quality",
        "quality_item",
        "quality_grade",
    }
)


def read_pack(text: str, bases: Bases) -> tuple[RulePack, Mapping[str, Any]]:
    """The pack and its whole data, layers included. Raises BadRulePack: every fault as `line N: path: what`."""
    if len(text) > TEXT_CHARACTERS_MAX:
        raise BadRulePack((f"line 1: at most {TEXT_CHARACTERS_MAX} characters",))
    try:
        own = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadRulePack((_syntax_fault(error, text),)) from error
    faults = [f"{name}: no such key" for name in own if name not in _KEYS]
    # A layer has a name and a version of its own; it inherits neither.
    faults += [f"{name}: a layer has its own" for name in ("id", "version") if "extends" in own and name not in own]
    whole = layered(own, bases, faults)
    lines = PackLines(text, own, whole)
    # Of what has not even its shape no figure can be read.
    if misshapen := shape_faults(whole):
        raise BadRulePack(_with_lines([*faults, *misshapen], lines))
    try:
        pack = RulePack.from_data(whole)
    except BadRulePack as error:
        faults += error.faults
    else:
        if (pack.id, pack.version) == extended(own):
            faults.append("extends: a pack does not extend itself")
        if not faults:
            return pack, whole
    raise BadRulePack(_with_lines(faults, lines))


def _with_lines(faults: list[str], lines: PackLines) -> tuple[str, ...]:
    placed = sorted({(lines.line(fault.partition(":")[0]), fault) for fault in faults})
    return tuple(f"line {line}: {fault}" for line, fault in placed)


def _syntax_fault(error: tomllib.TOMLDecodeError, text: str) -> str:
    found = _AT_LINE.search(str(error))
    line = int(found.group(1)) if found else len(text.splitlines())
    return f"line {line}: not TOML: {str(error).partition(' (at')[0]}"
