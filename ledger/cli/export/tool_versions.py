"""Which tools made a piece of evidence."""

from __future__ import annotations

import platform
from importlib.metadata import version


def tool_versions() -> list[tuple[str, str]]:
    """Name and version of each tool that touched the proof."""
    return [
        ("medical-record-ledger", version("medical-record-ledger")),
        ("cryptography", version("cryptography")),
        ("Python", platform.python_version()),
    ]
