"""What a view is: tables whose rows are folded, event by event, from single streams.

Every row belongs to ONE stream and begins with its id. The published stream keeps the order within a stream and no
other, so a fold over one stream's events gives the same rows however the partitions interleave: the content is a
function of the set of events. What a reader wants to see across streams is joined when it is asked for.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from ledger.views.event import ViewEvent

Row = tuple[Any, ...]
"""A NamedTuple of a table: key columns first, then `version`, the stream's version that set the row."""


class RowKey(NamedTuple):
    """Which row of which table."""

    table: str
    key: tuple[Any, ...]


class Change(NamedTuple):
    """A row as it stands after an event."""

    table: str
    row: Row


class Erased(NamedTuple):
    """All rows of a stream in a table go. The table's `.sql` has the statement `erase_<name>`."""

    table: str
    stream_id: UUID


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a view. Its `.sql` has the statements `load_<name>` and `store_<name>`, one array per column."""

    name: str
    make_row: Callable[[Iterable[Any]], Row]
    key_columns: int


class View(Protocol):
    """One picture of a hospital's ledger. Pure: no clock, no connection, nothing kept between two calls."""

    @property
    def name(self) -> str:
        """Name in snake case; prefix of its tables."""
        ...

    @property
    def schema_version(self) -> int:
        """Grows with every change of tables or meaning; another one than the stored makes the runner rebuild."""
        ...

    @property
    def package(self) -> str:
        """Python package that holds `<name>.sql`."""
        ...

    @property
    def tables(self) -> tuple[Table, ...]:
        """Its tables, which the statement `create` makes."""
        ...

    def touches(self, event: ViewEvent) -> Iterable[RowKey]:
        """The rows that `apply` has to see; nothing for an event that the view ignores."""
        ...

    def apply(self, event: ViewEvent, rows: Mapping[RowKey, Row]) -> Iterable[Change | Erased]:
        """The rows that the event changes, given those that it touches and that exist.

        Events of one stream come in order of version. Any exception stops the event's record, not the view.
        """
        ...
