"""`python -m benchmarks.sealing`: turns of the whole command path without and with sealing; table and JSON.

Entries on records that exist, and commands that begin a record, each at 1 and 64 in flight. The target is for entries:
a hospital writes dozens of them for each record that it begins. Exit status 0 where it is reached, 1 where it is
missed, 2 where the turns lie on both sides of it.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.foreign_cpu import ForeignCpu
from benchmarks.sealing.clear_bodies import ClearBodies
from benchmarks.sealing.load import Caller, Rate
from ledger.application.ledger import Ledger
from ledger.cli.bodies import bodies_with_keys
from ledger.cli.service_secrets import make_secrets, secret_settings
from ledger.config import Settings, load
from ledger.embedded.postgres import EmbeddedPostgres
from ledger.store.migrate import migrate

TARGET = 0.9
TURNS = int(os.environ.get("LEDGER_TEST_TURNS", "5"))
SECONDS = 2.0
RESULT = Path(__file__).parents[1] / "results" / "sealing.json"
_CLEAR, _SEALED = "clear", "sealed"
_ROLES = ("MIGRATE", "APPEND", "KEYS")


@dataclass(frozen=True)
class Pair:
    """Without and with sealing, one after the other."""

    clear: Rate
    sealed: Rate
    foreign_cores: float
    """What others used of the machine meanwhile."""

    @property
    def ratio(self) -> float:
        """With over without."""
        return self.sealed.per_second / self.clear.per_second


@dataclass(frozen=True)
class Row:
    """The turns of one load."""

    load: str
    in_flight: int
    pairs: tuple[Pair, ...]

    @property
    def median(self) -> float:
        """Median ratio."""
        return statistics.median(pair.ratio for pair in self.pairs)

    @property
    def verdict(self) -> str:
        """reached, missed or NOISY against TARGET; beginnings have none."""
        if self.load != "entries":
            return "-"
        low, high = min(pair.ratio for pair in self.pairs), max(pair.ratio for pair in self.pairs)
        if low < TARGET <= high:
            return "NOISY"
        return "reached" if low >= TARGET else "missed"


async def _measure(settings: Settings) -> list[Row]:
    await migrate(settings.postgres_migrate_url)
    async with bodies_with_keys(settings) as bodies:
        nothing = ClearBodies()
        without = await Ledger.open(settings, nothing, nothing)
        sealing = await Ledger.open(settings, bodies.sealer, bodies.opener)
        try:
            for hospital in (_CLEAR, _SEALED):
                await without.add_hospital(hospital, 1, "")
            await sealing.hospitals()
            clear, sealed = Caller(without, _CLEAR), Caller(sealing, _SEALED)
            rows: list[Row] = []
            for in_flight in (1, 64):
                rows.append(await _row("entries", in_flight, clear.entries, sealed.entries))
                rows.append(await _row("beginnings", in_flight, clear.beginnings, sealed.beginnings))
            return rows
        finally:
            await without.close()
            await sealing.close()


Turn = Callable[[int, float], Awaitable[Rate]]


async def _row(load: str, in_flight: int, clear: Turn, sealed: Turn) -> Row:
    for each in (clear, sealed):
        await each(in_flight, 0.5)  # warm
    pairs: list[Pair] = []
    for _ in range(TURNS):
        foreign = ForeignCpu()
        without, with_sealing = await clear(in_flight, SECONDS), await sealed(in_flight, SECONDS)
        pairs.append(Pair(without, with_sealing, foreign.cores()))
    return Row(load, in_flight, tuple(pairs))


def _print(rows: list[Row], console: Console) -> None:
    table = Table("load", "in flight", "clear/s", "sealed/s", "ratio", "min..max", "CPU µs", "foreign cores", "verdict")
    for row in rows:
        ratios = [pair.ratio for pair in row.pairs]
        cpu = [
            statistics.median(each)
            for each in zip(*((p.clear.cpu_us, p.sealed.cpu_us) for p in row.pairs), strict=True)
        ]
        table.add_row(
            row.load,
            str(row.in_flight),
            f"{statistics.median(pair.clear.per_second for pair in row.pairs):,.0f}",
            f"{statistics.median(pair.sealed.per_second for pair in row.pairs):,.0f}",
            f"{row.median:.2f}",
            f"{min(ratios):.2f}..{max(ratios):.2f}",
            f"{cpu[0]:.0f} -> {cpu[1]:.0f}",
            f"{statistics.median(pair.foreign_cores for pair in row.pairs):.1f}",
            row.verdict,
        )
    console.print(table)


def main() -> int:
    """Runs the benchmark."""
    with tempfile.TemporaryDirectory(prefix="ledger-bench-") as made:
        folder = Path(made)
        folder.chmod(0o711)
        make_secrets(folder)
        with EmbeddedPostgres(folder / "postgres") as server:
            urls = {f"LEDGER_POSTGRES_{role}_URL": server.superuser_url for role in _ROLES}
            rows = asyncio.run(_measure(load({**urls, **secret_settings(folder)})))
            version = server.major
    _print(rows, Console(width=140))
    told = [{**asdict(row), "median": round(row.median, 3), "verdict": row.verdict} for row in rows]
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps({"postgresql": version, "seconds": SECONDS, "rows": told}, indent=1) + "\n")
    verdicts = {row.verdict for row in rows}
    return 1 if "missed" in verdicts else 2 if "NOISY" in verdicts else 0


if __name__ == "__main__":
    sys.exit(main())
