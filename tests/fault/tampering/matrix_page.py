"""docs/tampering.md out of the declaration: `python -m tests.fault.tampering.matrix_page` writes it."""

from __future__ import annotations

from pathlib import Path

from tests.fault.tampering.changes import FLIPS, TRIES, Change
from tests.fault.tampering.declaration import OF_EVERY_RUN, THINGS, Cell, Thing, Verdict

PAGE = Path(__file__).parents[3] / "docs" / "tampering.md"
_INTRODUCTION = f"""# The tamper matrix

What becomes of each change of each stored thing. This page is made from `tests/fault/tampering/declaration.py`
(`python -m tests.fault.tampering.matrix_page`); every cell is a test (`tests/fault/test_tamper_matrix.py`) on a state
that the product itself has stored: PostgreSQL, the log's files, a Kafka topic, views, keys of two generations, a
destroyed record, proof files and a transfer package. A cell flips {FLIPS} bits, or makes another change at up to
{TRIES} places, all generated. PostgreSQL's triggers and constraints are out of the way: shown is what is found when
its owner changes a row.

Cells of messages and views, whose every check makes a topic or builds a view, are tests of `make test-long`,
but for these, which `make test` has too: {"; ".join(f"{name}, {change.value}" for name, change in OF_EVERY_RUN)}.

- **refused**: the checker refuses and its report names the place.
- **unchanged**: it says the very same as before.
- **refused or unchanged**: one or the other, as the change falls.
- **refused or less**: what is still said was said before; something that may be left out was taken away.
- **told**: it holds, and the checker says in words that it cannot see this.

Nothing is accepted and says something else.
"""
_SHORT = {
    Verdict.REFUSED: "refused",
    Verdict.UNCHANGED: "unchanged",
    Verdict.EITHER: "refused or unchanged",
    Verdict.LESS: "refused or less",
    Verdict.TOLD: "told",
}


def page() -> str:
    """The whole page."""
    columns = [change.value for change in Change]
    lines = [f"| stored thing | bytes | checker | {' | '.join(columns)} |", "|---" * (3 + len(columns)) + "|"]
    lines += [_row(thing) for thing in THINGS]
    reasons = [f"- **{thing.name}**: {thing.note}" for thing in THINGS if thing.note]
    left_out = [
        f"- **{thing.name}**, {change.value}: {thing.cell(change).why}."
        for thing in THINGS
        for change in Change
        if thing.cell(change).why
    ]
    parts = [
        _INTRODUCTION,
        "\n".join(lines),
        "## Remarks\n" + "\n".join(reasons),
        "## Cells by name\n" + "\n".join(left_out),
    ]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def _row(thing: Thing) -> str:
    cells = " | ".join(_word(thing.cell(change)) for change in Change)
    return f"| {thing.name} | {thing.what} | {thing.checker} | {cells} |"


def _word(cell: Cell) -> str:
    return _SHORT[cell.verdict] if cell.verdict else "-"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
