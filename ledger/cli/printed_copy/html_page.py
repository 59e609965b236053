"""A copy as one HTML file: no script, nothing fetched. Its head is repeated on every page when it is printed."""

from __future__ import annotations

from html import escape

from ledger.cli.printed_copy.copied_record import CopiedEntry, PrintedPages
from ledger.cli.printed_copy.entry_text import Line

MARK_CHARACTERS_MAX = 200
"""Of a longer mark each page shows the beginning: a head taller than a quarter of a page is repeated by no browser."""
_STYLE = """
@page { margin: 1.5cm; @bottom-right { content: "Page " counter(page) " of " counter(pages); font: 8pt sans-serif; } }
body { font: 11pt/1.5 "Noto Serif CJK SC", "Songti SC", SimSun, serif; margin: 1.5cm; }
@media print { body { margin: 0; } }
table { border-collapse: collapse; width: 100%; }
thead { display: table-header-group; }
th, td { overflow-wrap: anywhere; text-align: left; }
th { border-bottom: 1px solid; font: 8pt/1.4 sans-serif; padding-bottom: 4pt; }
td { padding: 4pt 0 12pt; vertical-align: top; }
h2 { font-size: 13pt; margin: 0; } h3 { font-size: 11pt; margin: 6pt 0 0; } p { margin: 0; }
"""


def html_copy(copied: PrintedPages) -> bytes:
    """The whole file, in UTF-8."""
    *lines, mark = copied.page_head
    whole = () if len(mark) <= MARK_CHARACTERS_MAX else (f"Mark: {mark}",)
    head = "<br>".join(escape(line) for line in (*lines, f"{mark[:MARK_CHARACTERS_MAX]}…" if whole else mark))
    # A head of a table stands on every printed page, in every browser; a row is an entry.
    notes = map(escape, (*whole, *copied.notes))
    rows = "\n".join(f"<tr><td>{each}</td></tr>" for each in (*notes, *map(_entry, copied.entries)))
    return (
        '<!DOCTYPE html>\n<html lang="zh-CN"><head><meta charset="utf-8">'
        f"<title>{escape(copied.page_head[0])}</title><style>{_STYLE}</style></head>\n"
        f"<body><table><thead><tr><th>{head}</th></tr></thead>\n<tbody>\n{rows}\n</tbody></table></body></html>\n"
    ).encode()


def _entry(entry: CopiedEntry) -> str:
    return f"<h2>{escape(entry.title)}</h2>" + "".join(map(_line, entry.lines))


def _line(line: Line) -> str:
    if line.heading:
        return f"<h3>{escape(line.text)}</h3>"
    label = f"<b>{escape(line.label)}:</b> " if line.label else ""
    return f"<p>{label}{escape(line.text)}</p>"
