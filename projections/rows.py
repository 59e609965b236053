"""The rows of one generation of a view, loaded and stored in sets."""

from collections import defaultdict
from collections.abc import Iterable

import psycopg

from ledger.views.view import Row, RowKey, Table, View
from projections.connections import Connection
from projections.fold import Folded, Planned
from projections.tables import writing_statements

ROW_REFUSED = (psycopg.DataError, psycopg.IntegrityError, psycopg.errors.ProgramLimitExceeded)
"""What PostgreSQL says of a value it will never take. A too large index row is an OperationalError by its class only:
to begin again, as after a lost connection, would meet it for ever."""


class RowTables:
    """Loads what a batch needs with one statement per table, and stores whole rows with one."""

    def __init__(self, hospital: str, view: View, generation: int) -> None:
        self._statements = writing_statements(hospital, view, generation)
        self._tables: dict[str, Table] = {table.name: table for table in view.tables}

    async def load(self, connection: Connection, planned: Iterable[Planned]) -> dict[RowKey, Row]:
        """Those rows that the planned events need and that exist."""
        rows: dict[RowKey, Row] = {}
        for name, keys in _by_table({key for item in planned for key in item.keys}):
            columns = [list(column) for column in zip(*(key.key for key in keys), strict=True)]
            cursor = await connection.execute(self._statements[f"load_{name}"], columns)
            table = self._tables[name]
            for values in await cursor.fetchall():
                rows[RowKey(name, values[: table.key_columns])] = table.make_row(values)
        return rows

    async def store(self, connection: Connection, folded: Folded) -> None:
        """Erases what goes, then writes whole rows, new ones and others."""
        for name in {each.table for each in folded.erased}:
            streams = [each.stream_id for each in folded.erased if each.table == name]
            await connection.execute(self._statements[f"erase_{name}"], (streams,))
        for name, keys in _by_table(folded.changed):
            columns = [list(column) for column in zip(*(folded.changed[key] for key in keys), strict=True)]
            await connection.execute(self._statements[f"store_{name}"], columns)


def _by_table(keys: Iterable[RowKey]) -> Iterable[tuple[str, list[RowKey]]]:
    found: defaultdict[str, list[RowKey]] = defaultdict(list)
    for key in keys:
        found[key.table].append(key)
    return found.items()
