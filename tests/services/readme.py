"""The blocks of code in README.md, so that a test can do what it tells a reader to do."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

_README = Path(__file__).parents[2] / "README.md"


def code_block(heading: str, language: str = "") -> str:
    """The first block of a language under a heading."""
    section = _README.read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    found = re.search(rf"^```{language}\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    assert found is not None, f"no {language or 'plain'} block under {heading}"
    return found.group(1)


def command_lines(block: str) -> list[list[str]]:
    """The commands of a shell block, in words, without comments."""
    return [shlex.split(line, comments=True) for line in block.replace("\\\n", " ").splitlines() if line.strip()]
