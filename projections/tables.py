"""The names of a view's tables: each generation has its own; readers know the live one's by a fixed name."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from psycopg.sql import Composable, Identifier

from ledger.views.statements import render, templates, views_schema
from ledger.views.view import View

_SHARED = ("generations", "checkpoints", "dead_letters", "parked", "faults", "dead_letter_decisions")


@dataclass(frozen=True, slots=True)
class Statements:
    """Rendered statements of one file by name."""

    _templates: Mapping[str, str]
    _names: Mapping[str, Composable]
    _rendered: dict[str, bytes]

    def __getitem__(self, name: str) -> bytes:
        found = self._rendered.get(name)
        if found is None:
            found = self._rendered[name] = render(self._templates[name], self._names)
        return found


@cache
def shared_statements(hospital: str) -> Statements:
    """The runner's own statements on a hospital's views schema."""
    return _shared(hospital, "projector")


@cache
def freshness_statements(hospital: str) -> Statements:
    """The statements of those who wait for a view."""
    return _shared(hospital, "freshness")


def _shared(hospital: str, file: str) -> Statements:
    schema = views_schema(hospital)
    return Statements(templates("projections", file), {name: Identifier(schema, name) for name in _SHARED}, {})


def shared_name(hospital: str, table: str) -> Identifier:
    """A table of the runner's own, which holds rows of all views of a hospital."""
    return Identifier(views_schema(hospital), table)


def exposed_name(hospital: str, view: View, table: str) -> Identifier:
    """The fixed name under which readers find the live generation's table."""
    return Identifier(views_schema(hospital), f"{view.name}_{table}")


def generation_name(hospital: str, view: View, generation: int, table: str) -> Identifier:
    """The table of one generation."""
    return Identifier(views_schema(hospital), f"{view.name}_g{generation}_{table}")


def reading_statements(hospital: str, view: View, beside: Mapping[str, Composable]) -> Statements:
    """A view's statements on its live generation, and on what of others they name."""
    names = {table.name: exposed_name(hospital, view, table.name) for table in view.tables}
    return Statements(templates(view.package, view.name), {**names, **beside}, {})


def writing_statements(hospital: str, view: View, generation: int) -> Statements:
    """A view's statements on one generation."""
    names = {table.name: generation_name(hospital, view, generation, table.name) for table in view.tables}
    return Statements(templates(view.package, view.name), names, {})
