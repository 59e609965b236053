"""The table of docs/formats.md that says of every field what is personal is held against what is stored."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg

from ledger.log import log_files
from ledger.log.key_register import line_path
from tests.contract.store.ledgers import Ledger

_PAGE = Path(__file__).parents[3] / "docs" / "formats.md"
_WORD = re.compile(r"[a-z][a-z0-9_]*")


def described() -> dict[str, set[str]]:
    """By each word of a first column the words of its second columns: a table or kind of file, and its fields."""
    section = _PAGE.read_text(encoding="utf-8").partition("## What lies in the clear")[2].partition("\n## ")[0]
    found: dict[str, set[str]] = {}
    where: list[str] = []
    for line in section.splitlines():
        cells = [each.strip() for each in line.strip("|").split("|")]
        if line.startswith("| ") and len(cells) == 5:
            where = _WORD.findall(cells[0]) or where
            for each in where:
                found.setdefault(each, set()).update(_WORD.findall(cells[1]))
    return found


async def test_every_column_has_its_row(ledger: Ledger) -> None:
    """A table or column more, of the registry, the keys or a hospital, is described before it is released."""
    with psycopg.connect(ledger.database.url) as connection:
        columns = connection.execute(
            """SELECT table_name::text, column_name::text FROM information_schema.columns
            WHERE table_schema IN ('ledger_control', 'ledger_keys', 'h_north')"""
        ).fetchall()
    page = described()
    assert len(columns) > 100
    assert [f"{table}.{column}" for table, column in columns if column not in page.get(table, set())] == []


def test_every_file_of_a_log_has_its_row() -> None:
    """Those that `ledger.log` names."""
    kinds = ("CHECKPOINT", "SIGNED", "HEADS", "SEEN", "ENDED", "SUCCEEDED", "KNOWN", "HALTED")
    named = [getattr(log_files, each) for each in kinds] + [line_path(1).partition("/")[0]]
    assert set(named) <= described()["log"]
