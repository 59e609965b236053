"""Named statements from the `.sql` files beside a view or the runner, with quoted identifiers put in."""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import LiteralString, cast

from psycopg.sql import SQL, Composable

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


@cache
def templates(package: str, file: str) -> Mapping[str, str]:
    """The statements of `<file>.sql` in a package by name, as written."""
    parts = _NAME.split(files(package).joinpath(f"{file}.sql").read_text(encoding="utf-8"))
    return {name: text.strip() for name, text in zip(parts[1::2], parts[2::2], strict=True)}


def render(template: str, names: Mapping[str, Composable]) -> bytes:
    """A statement with its identifiers quoted and put in."""
    return SQL(cast("LiteralString", template)).format(**names).as_bytes(None)


def views_schema(hospital: str) -> str:
    """The schema that holds a hospital's views; always to be quoted, for hyphens are kept."""
    return f"v_{hospital}"
