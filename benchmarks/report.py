"""A benchmark's rows as a table for people and as JSON for those who compare."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine, versions
from benchmarks.pairs import Measured, Pair, Row
from benchmarks.verdict import exit_status

RESULTS = Path(__file__).parent / "results"
_WIDTH = 170


def report(name: str, rows: Sequence[Row], facts: Mapping[str, object], results: Path = RESULTS) -> int:
    """Prints and keeps the rows of one benchmark; its exit status. `facts` say what the run was made with."""
    console = Console(width=_WIDTH)
    console.print(_table(rows))
    for row in rows:
        if row.why_not:
            console.print(f"{row.name}: not measured: {row.why_not}")
    told = {"machine": machine(), "versions": versions(), **facts, "rows": [_told(row) for row in rows]}
    results.mkdir(exist_ok=True)
    (results / f"{name}.json").write_text(json.dumps(told, indent=1) + "\n")
    return exit_status(row.verdict for row in rows)


def _table(rows: Sequence[Row]) -> Table:
    table = Table(
        "row", "unit", "baseline", "", "product", "figure", "min..max", "target", "CPU µs", "disturbed", "verdict"
    )
    for row in rows:
        table.add_row(*_cells(row))
    return table


def _cells(row: Row) -> list[str]:
    target = str(row.target) if row.target else "-"
    if not row.pairs:
        return [row.name, row.unit, row.baseline, *("",) * 4, target, "", "", row.verdict]
    figures = row.figures
    products = [each.product for each in row.pairs]
    return [
        row.name,
        row.unit,
        row.baseline or "-",
        _median([each.baseline for each in row.pairs if each.baseline]),
        _median(products),
        f"{row.median:.3g}",
        f"{min(figures):.3g}..{max(figures):.3g}",
        target,
        f"{statistics.median(each.cpu_us for each in products):,.1f}",
        f"{row.disturbed} of {len(row.pairs)}",
        row.verdict,
    ]


def _median(sides: Sequence[Measured]) -> str:
    if not sides:
        return ""
    value = statistics.median(each.value for each in sides)
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _told(row: Row) -> dict[str, object]:
    median = {"median": round(row.median, 4), "min": min(row.figures), "max": max(row.figures)} if row.pairs else {}
    return {
        "name": row.name,
        "baseline": row.baseline,
        "unit": row.unit,
        "target": str(row.target) if row.target else None,
        "verdict": row.verdict,
        "why_not": row.why_not,
        "disturbed_pairs": row.disturbed,
        **median,
        "pairs": [_pair(each) for each in row.pairs],
    }


def _pair(pair: Pair) -> dict[str, object]:
    return {"figure": pair.figure, **asdict(pair)}
