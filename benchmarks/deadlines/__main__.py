"""`python -m benchmarks.deadlines`: 100 due among 10^4, 10^5 and 10^6 open deadlines; table and JSON.

Exit status 0 where the target is reached, 1 where it is missed, 2 where it is within the noise.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.deadlines.open_deadlines import fill
from benchmarks.foreign_cpu import ForeignCpu
from consumers.deadline_clock.clock_tables import ClockTables
from ledger.embedded.postgres import EmbeddedPostgres
from ledger.store.hospitals import add_hospital
from ledger.store.migrate import migrate
from projections.connections import Pool, connection_pool

OPEN = (10_000, 100_000, 1_000_000)
DUE = 100
TARGET = 2.0
"""Finding 100 due among a hundred times as many open ones costs at most so many times as much."""
TURNS = 5
LOOKS = 200
FOREIGN_CORES_MAX = 0.2
REPEATS_MAX = 5
HOSPITAL = "north"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
RESULT = Path(__file__).parents[1] / "results" / "deadlines.json"


class WrongCount(Exception):
    """A look did not find what is due."""


@dataclass(frozen=True)
class Turn:
    """One turn of many looks."""

    milliseconds: float
    """The fastest tenth of its looks stays below: what others did to the machine meanwhile is not the table's cost."""
    foreign_cores: float


@dataclass(frozen=True)
class Row:
    """The turns with so many open."""

    open: int
    turns: tuple[Turn, ...]

    @property
    def median(self) -> float:
        """Milliseconds of the median turn."""
        return statistics.median(each.milliseconds for each in self.turns)


async def _measure(server: EmbeddedPostgres) -> list[Row]:
    url = server.superuser_url
    await migrate(url)
    await add_hospital(url, HOSPITAL, origin_prefix="ledger.bench")
    async with connection_pool(url) as pool:
        tables = ClockTables(HOSPITAL, pool.connection)
        await tables.prepare()
        return [await _row(pool, tables, count) for count in OPEN]


async def _row(pool: Pool, tables: ClockTables, count: int) -> Row:
    async with pool.connection() as connection:
        await fill(connection, HOSPITAL, count, DUE, NOW)
    await _turn(tables)  # warm
    return Row(count, tuple([await _undisturbed(tables) for _ in range(TURNS)]))


async def _undisturbed(tables: ClockTables) -> Turn:
    """One turn; a disturbed one is measured again, a few times."""
    turn = await _turn(tables)
    for _ in range(REPEATS_MAX):
        if turn.foreign_cores <= FOREIGN_CORES_MAX:
            break
        turn = await _turn(tables)
    return turn


async def _turn(tables: ClockTables) -> Turn:
    foreign = ForeignCpu()
    spent: list[float] = []
    for _ in range(LOOKS):
        began = time.perf_counter()
        found = await tables.due(NOW, DUE + 1)
        spent.append((time.perf_counter() - began) * 1000)
        if len(found) != DUE:
            raise WrongCount(len(found))
    return Turn(statistics.quantiles(spent, n=10)[0], foreign.cores())


def _verdict(row: Row, first: Row) -> str:
    """reached, missed, or NOISY where the turns lie on both sides of the target."""
    ratios = [each.milliseconds / first.median for each in row.turns]
    if min(ratios) <= TARGET < max(ratios):
        return "NOISY"
    return "reached" if max(ratios) <= TARGET else "missed"


def _print(rows: list[Row], console: Console) -> None:
    table = Table("open", "due", "ms, median", "ratio", "min..max", "target", "verdict")
    for row in rows:
        ratios = [each.milliseconds / rows[0].median for each in row.turns]
        table.add_row(
            f"{row.open:,}",
            str(DUE),
            f"{row.median:.3f}",
            f"{row.median / rows[0].median:.2f}",
            f"{min(ratios):.2f}..{max(ratios):.2f}",
            f"{TARGET:.1f}",
            _verdict(row, rows[0]),
        )
    console.print(table)


def main() -> int:
    """Runs the benchmark."""
    with tempfile.TemporaryDirectory(prefix="ledger-bench-") as made:
        folder = Path(made)
        folder.chmod(0o711)
        with EmbeddedPostgres(folder / "postgres") as server:
            rows = asyncio.run(_measure(server))
            version = server.major
    _print(rows, Console())
    verdicts = [_verdict(row, rows[0]) for row in rows]
    told = [
        {
            "open": row.open,
            "ratio": round(row.median / rows[0].median, 3),
            "turns": [asdict(each) for each in row.turns],
        }
        for row in rows
    ]
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps({"postgresql": version, "due": DUE, "target": TARGET, "rows": told}, indent=1) + "\n")
    return 1 if "missed" in verdicts else 2 if "NOISY" in verdicts else 0


if __name__ == "__main__":
    sys.exit(main())
