"""The one loader of SQL: named statements and numbered migration steps from the `.sql` files of this package."""

import re
from functools import cache
from importlib.resources import files
from typing import LiteralString, cast

from psycopg.sql import SQL, Composable, Identifier

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)
_PACKAGE = "ledger.store"
_STEP = re.compile(r"^(\d{4})_\w+\.sql$")


def schema_of(hospital: str) -> str:
    """The schema of a hospital's ledger; always to be quoted, for hyphens are kept."""
    return f"h_{hospital}"


def views_schema_of(hospital: str) -> str:
    """The schema in which a hospital's views are built."""
    return f"v_{hospital}"


@cache
def statements(file: str, hospital: str | None = None) -> dict[str, bytes]:
    """The statements of `sql/<file>.sql` by name, qualified with the hospital's schema where one is named."""
    schema = Identifier(schema_of(hospital) if hospital else "ledger_control")
    return {name: render(text, schema=schema) for name, text in templates(file).items() if _renders(text)}


@cache
def templates(file: str) -> dict[str, str]:
    """The statements of `sql/<file>.sql` by name, as written."""
    parts = _NAME.split(_text("sql", f"{file}.sql"))
    return {name: text.strip() for name, text in zip(parts[1::2], parts[2::2], strict=True)}


def render(template: str, **names: Composable) -> bytes:
    """A statement with its identifiers and literals put in, quoted."""
    return SQL(cast("LiteralString", template)).format(**names).as_bytes(None)


@cache
def steps(kind: str) -> tuple[str, ...]:
    """The migration steps of `control` or `hospital`, step n at index n - 1."""
    folder = files(_PACKAGE).joinpath("sql", kind)
    found = sorted(entry.name for entry in folder.iterdir() if _STEP.match(entry.name))
    numbers = [int(name[:4]) for name in found]
    if numbers != list(range(1, len(found) + 1)):
        raise ValueError(f"migration steps of {kind} are not numbered without gaps: {numbers}")
    return tuple(_text("sql", kind, name) for name in found)


def _renders(template: str) -> bool:
    return "{role}" not in template and "{database}" not in template


def _text(*path: str) -> str:
    return files(_PACKAGE).joinpath(*path).read_text(encoding="utf-8")
