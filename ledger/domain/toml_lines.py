"""The line on which a key of a TOML text stands: tomllib reads values and forgets where they were."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

_NAME = r'(?:[A-Za-z0-9_-]+|"[^"]*")'
_TABLE = re.compile(rf"\s*\[({_NAME}(?:\.{_NAME})*)\]\s*(?:#.*)?")
_TABLES = re.compile(rf"\s*\[\[({_NAME}(?:\.{_NAME})*)\]\]\s*(?:#.*)?")
_KEY = re.compile(rf"\s*({_NAME}(?:\.{_NAME})*)\s*=")
_AT_LINE = re.compile(r"line (\d+)")


class NotToml(ValueError):
    """The text is not TOML; says the line."""


def key_lines(text: str) -> dict[str, int]:
    """Lines, from 1, by path: `keeping.loan_days`, `deadline[2].figure`, `template[1].section[0]`."""
    lines: dict[str, int] = {}
    counts: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if found := _TABLES.fullmatch(line):
            name = _inside(_plain(found.group(1)), counts)
            table = f"{name}[{counts.get(name, 0)}]"
            counts[name] = counts.get(name, 0) + 1
            lines.setdefault(table, number)
        elif found := _TABLE.fullmatch(line):
            table = _plain(found.group(1))
            lines.setdefault(table, number)
        elif found := _KEY.match(line):
            name = _plain(found.group(1))
            lines.setdefault(f"{table}.{name}" if table else name, number)
    return lines


def line_of(path: str, lines: Mapping[str, int]) -> int:
    """The line of the key, else of the table that lacks it, else of the list's first table, else 1."""
    wanted = path
    while wanted and wanted not in lines:
        wanted = wanted.rpartition(".")[0] or (wanted.partition("[")[0] if "[" in wanted else "")
    return lines.get(wanted, 1)


def placed(faults: Iterable[str], line: Callable[[str], int]) -> tuple[str, ...]:
    """Each fault, `path: what`, once, with its line, in the order of the lines."""
    found = sorted({(line(fault.partition(":")[0]), fault) for fault in faults})
    return tuple(f"line {number}: {fault}" for number, fault in found)


def parsed(text: str) -> dict[str, Any]:
    """The data of a TOML text. Raises NotToml with the line."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise NotToml(_syntax_fault(error, text)) from error
    except (ValueError, RecursionError) as error:
        # What its grammar allows and Python does not: numbers of thousands of digits, lists in lists in lists.
        raise NotToml("line 1: not TOML: a number is too long, or lists lie too deep in each other") from error


def _syntax_fault(error: tomllib.TOMLDecodeError, text: str) -> str:
    found = _AT_LINE.search(str(error))
    line = int(found.group(1)) if found else len(text.splitlines())
    return f"line {line}: not TOML: {str(error).partition(' (at')[0]}"


def _inside(name: str, counts: Mapping[str, int]) -> str:
    """The path of a list inside a list: inside the last table of the outer one."""
    outer, dot, last = name.rpartition(".")
    if not dot:
        return name
    outer = _inside(outer, counts)
    return f"{outer}[{counts[outer] - 1}].{last}" if outer in counts else f"{outer}.{last}"


def _plain(name: str) -> str:
    return name.replace('"', "")
