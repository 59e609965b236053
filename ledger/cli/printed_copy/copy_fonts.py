"""The fonts of a PDF: Helvetica, which every reader has, and one for Chinese.

A Chinese font that is embedded shows everywhere. Without one Adobe's STSong-Light is named, and the reader sets the
text in a Chinese font of its own: where it has none, it shows nothing.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFError, TTFont

from ledger.cli.printed_copy.copied_record import CopyNotPrinted

LATIN = "Helvetica"
NAMED, _EMBEDDED = "STSong-Light", "embedded"


class UnusableFont(CopyNotPrinted):
    """The font file is not a TrueType font that can be embedded."""


@dataclass(frozen=True)
class CopyFonts:
    """Which font shows a character."""

    chinese: str
    glyphs: Container[int] | None
    """Code points that the embedded font has; None where none is embedded."""

    def of(self, character: str) -> str:
        """Name of the font that shows the character; empty where none does."""
        if character in "\t\n\r" or (character.isprintable() and _encodes(character, "cp1252")):
            return LATIN
        if not character.isprintable():
            return ""
        held = _encodes(character, "gbk") if self.glyphs is None else ord(character) in self.glyphs
        return self.chinese if held else ""


def copy_fonts(embedded: Path | None) -> CopyFonts:
    """The fonts with this file, or with the font that readers bring. Raises UnusableFont."""
    if embedded is None:
        pdfmetrics.registerFont(UnicodeCIDFont(NAMED))
        return CopyFonts(NAMED, None)
    try:
        font: Any = TTFont(_EMBEDDED, str(embedded))
    except (TTFError, OSError) as error:
        raise UnusableFont from error
    pdfmetrics.registerFont(font)
    return CopyFonts(_EMBEDDED, font.face.charToGlyph)


def _encodes(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
