"""A copy as PDF: the same bytes for the same copy and font."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from io import BytesIO
from itertools import groupby
from pathlib import Path
from typing import Any

from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer

from ledger.cli.printed_copy.copied_record import PrintedPages
from ledger.cli.printed_copy.copy_fonts import LATIN, CopyFonts, copy_fonts
from ledger.cli.printed_copy.entry_text import Line

_MARGIN = 20 * mm
_FOOT = 10 * mm
_SIZES = {"head": 7.5, "title": 13, "heading": 10.5, "text": 10}


def pdf_copy(copied: PrintedPages, font: Path | None = None) -> bytes:
    """The whole file; `font` is a TrueType font for Chinese that is embedded. Raises UnusableFont."""
    pages = _Pages(copied, copy_fonts(font))
    # A page says how many there are, so that a missing one is noticed: the first run counts them.
    _, count = pages.build(0)
    data, _ = pages.build(count)
    return data


@dataclass(frozen=True)
class _Pages:
    copied: PrintedPages
    fonts: CopyFonts

    def build(self, count: int) -> tuple[bytes, int]:
        """The file whose pages say that there are so many, and how many there are."""
        head = [self._paragraph(text, "head") for text in self.copied.page_head]
        width = A4[0] - 2 * _MARGIN
        height = sum(each.wrap(width, A4[1])[1] for each in head)
        out = BytesIO()
        document = SimpleDocTemplate(
            out,
            pagesize=A4,
            topMargin=_FOOT + height + 6 * mm,
            leftMargin=_MARGIN,
            rightMargin=_MARGIN,
            bottomMargin=_MARGIN,
            title=self.copied.page_head[0],
            invariant=1,
        )

        def frame(canvas: Canvas, page: Any) -> None:
            top = A4[1] - _FOOT
            for each in head:
                top -= each.wrap(width, A4[1])[1]
                each.drawOn(canvas, _MARGIN, top)
            canvas.line(_MARGIN, top - 2 * mm, A4[0] - _MARGIN, top - 2 * mm)
            canvas.setFont(LATIN, _SIZES["head"])
            canvas.drawRightString(A4[0] - _MARGIN, _FOOT, f"Page {page.page} of {count}")

        document.build(list(self._story()), onFirstPage=frame, onLaterPages=frame)
        return out.getvalue(), document.page

    def _story(self) -> Iterable[Paragraph | Spacer]:
        yield from (self._paragraph(note, "text") for note in self.copied.notes)
        for entry in self.copied.entries:
            yield Spacer(0, 5 * mm)
            yield self._paragraph(entry.title, "title")
            yield from map(self._line, entry.lines)

    def _line(self, line: Line) -> Paragraph:
        said = f"{line.label}: {line.text}" if line.label else line.text
        return self._paragraph(said, "heading" if line.heading else "text")

    def _paragraph(self, text: str, kind: str) -> Paragraph:
        size = _SIZES[kind]
        runs = list(self._runs(text))
        # Chinese has no spaces at which a line could end.
        wrap = "CJK" if any(font != LATIN for font, _ in runs) else None
        leading = size * (1.2 if kind == "head" else 1.4)
        style = ParagraphStyle(kind, fontName=LATIN, fontSize=size, leading=leading, wordWrap=wrap, splitLongWords=1)
        return Paragraph("".join(f'<font name="{font}">{escape(shown)}</font>' for font, shown in runs), style)

    def _runs(self, text: str) -> Iterable[tuple[str, str]]:
        """The text in runs of one font. What no font holds is spelled out: no character is dropped in silence."""
        fonts = [(self.fonts.of(each), each) for each in text]
        shown = [(font, each) if font else (LATIN, f"[U+{ord(each):04X}]") for font, each in fonts]
        for font, group in groupby(shown, key=lambda pair: pair[0]):
            yield font, "".join(each for _, each in group)
