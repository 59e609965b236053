"""A copy as PDF. Chinese is set in a font of Adobe's that every reader has, so that no font lies in the file."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from io import BytesIO
from itertools import groupby
from typing import Any

from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer

from ledger.cli.printed_copy.copied_record import CopiedEntry, CopiedRecord
from ledger.cli.printed_copy.entry_text import Line

_LATIN, _CHINESE = "Helvetica", "STSong-Light"
_MARGIN = 20 * mm
_FOOT = 10 * mm
_SIZES = {"head": 7.5, "title": 13, "heading": 10.5, "text": 10}


def pdf_copy(copied: CopiedRecord) -> bytes:
    """The whole file; the same bytes for the same copy."""
    pdfmetrics.registerFont(UnicodeCIDFont(_CHINESE))
    # A page says how many there are, so that a missing one is noticed: the first run counts them.
    _, pages = _build(copied, 0)
    data, _ = _build(copied, pages)
    return data


def _build(copied: CopiedRecord, pages: int) -> tuple[bytes, int]:
    head = [_paragraph(text, "head") for text in copied.page_head]
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
        title=copied.page_head[0],
        invariant=1,
    )

    def frame(canvas: Canvas, page: Any) -> None:
        top = A4[1] - _FOOT
        for each in head:
            top -= each.wrap(width, A4[1])[1]
            each.drawOn(canvas, _MARGIN, top)
        canvas.line(_MARGIN, top - 2 * mm, A4[0] - _MARGIN, top - 2 * mm)
        canvas.setFont(_LATIN, _SIZES["head"])
        canvas.drawRightString(A4[0] - _MARGIN, _FOOT, f"Page {page.page} of {pages}")

    document.build(list(_story(copied)), onFirstPage=frame, onLaterPages=frame)
    return out.getvalue(), document.page


def _story(copied: CopiedRecord) -> Iterable[Paragraph | Spacer]:
    yield from (_paragraph(note, "text") for note in copied.notes)
    for entry in copied.entries:
        yield Spacer(0, 5 * mm)
        yield from _entry(entry)


def _entry(entry: CopiedEntry) -> Iterable[Paragraph]:
    yield _paragraph(entry.title, "title")
    for line in entry.lines:
        yield _line(line)


def _line(line: Line) -> Paragraph:
    said = f"{line.label}: {line.text}" if line.label else line.text
    return _paragraph(said, "heading" if line.heading else "text")


def _paragraph(text: str, kind: str) -> Paragraph:
    size = _SIZES[kind]
    runs = [("".join(shown), font) for font, shown in _runs(text)]
    # Chinese has no spaces at which a line could end.
    wrap = "CJK" if any(font == _CHINESE for _, font in runs) else None
    style = ParagraphStyle(kind, fontName=_LATIN, fontSize=size, leading=size * 1.4, wordWrap=wrap, splitLongWords=1)
    return Paragraph("".join(f'<font name="{font}">{escape(shown)}</font>' for shown, font in runs), style)


def _runs(text: str) -> Iterable[tuple[str, list[str]]]:
    """The text in runs of one font. What neither font holds is spelled out: a copy drops no character in silence."""
    shown = ((_font(each), each) if _font(each) else (_LATIN, f"[U+{ord(each):04X}]") for each in text)
    for font, group in groupby(shown, key=lambda pair: pair[0]):
        yield font, [each for _, each in group]


def _font(character: str) -> str:
    if character in "\t\n\r":
        return _LATIN
    if not character.isprintable():
        return ""
    for font, encoding in ((_LATIN, "cp1252"), (_CHINESE, "gbk")):
        try:
            character.encode(encoding)
        except UnicodeEncodeError:
            continue
        return font
    return ""
