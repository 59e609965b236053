"""Value types of a hospital's rulebook. Field names are those of protos/ledger/api/v1/rulebook_values.proto."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PackLayer:
    """A pack that another is laid over, whole as it was then."""

    id: str
    version: int
    text: str
    sha256: bytes
    """Of the text in UTF-8, 32 bytes."""


@dataclass(frozen=True)
class TemplateName:
    """One version of a template."""

    id: str
    version: int
