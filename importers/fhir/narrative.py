"""Plain text of FHIR narratives and attachments."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from html.parser import HTMLParser

from typing_extensions import override

from importers.fhir.json_value import text
from ledger.api.v1.common_pb2 import Attachment

_BLOCKS = frozenset({"br", "div", "h1", "h2", "h3", "h4", "h5", "h6", "li", "p", "table", "tr", "ul", "ol", "pre"})
_CELLS = frozenset({"td", "th"})


class _Text(HTMLParser):
    """Collects text; a block begins a new line, a cell a new column."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.parts.append("\n" if tag in _BLOCKS else "\t" if tag in _CELLS else "")

    @override
    def handle_endtag(self, tag: str) -> None:
        self.parts.append("\n" if tag in _BLOCKS else "")

    @override
    def handle_data(self, data: str) -> None:
        self.parts.append(data)


def plain(xhtml: str) -> str:
    """The text of an XHTML narrative, block by block, without empty lines."""
    parser = _Text()
    parser.feed(xhtml)
    parser.close()
    lines = (re.sub(r"[ \t\u00a0]+", " ", line).strip() for line in "".join(parser.parts).splitlines())
    return "\n".join(line for line in lines if line)


def attached_text(attachment: object) -> str:
    """The text of an attachment that carries plain text, XHTML or HTML; empty for everything else."""
    media_type = text(attachment, "contentType").partition(";")[0].strip()
    data = _bytes(attachment)
    if data is None or not media_type.startswith("text/"):
        return ""
    try:
        decoded = data.decode()
    except UnicodeDecodeError:
        return ""
    return plain(decoded) if media_type in ("text/html", "text/xhtml") else decoded.strip()


def referred(attachment: object, place: str) -> Attachment | None:
    """An attachment whose bytes are not text, by digest; None where the file does not hold them."""
    data = _bytes(attachment)
    if not data or attached_text(attachment):
        return None
    return Attachment(
        sha256=hashlib.sha256(data).digest(),
        size=len(data),
        media_type=text(attachment, "contentType") or "application/octet-stream",
        title=text(attachment, "title"),
        location=text(attachment, "url") or place,
    )


def _bytes(attachment: object) -> bytes | None:
    try:
        return base64.b64decode(text(attachment, "data"), validate=True)
    except (binascii.Error, ValueError):
        return None
