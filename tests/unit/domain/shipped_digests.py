"""The digest of every pack and template that is shipped, by id and version: what was shipped once is never changed.

`python -m tests.unit.domain.shipped_digests` adds the lines of new versions to `shipped_digests.txt`. It leaves those
that are there: who has changed the content of a version gives it a new one.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

FROZEN = Path(__file__).with_suffix(".txt")
_DATA = files("ledger.domain").joinpath("data")


def shipped() -> dict[str, str]:
    """From `pack id@version` or `template id@version` to the SHA-256 of what it says; comments say nothing."""
    packs = [_read(each.name) for each in _DATA.iterdir() if each.name.startswith("pack_")]
    kinds = {"pack": packs, "template": _read("templates.toml")["template"]}
    return {
        f"{kind} {each['id']}@{each['version']}": _digest(each) for kind, listed in kinds.items() for each in listed
    }


def frozen() -> dict[str, str]:
    """The same as it was shipped."""
    lines = FROZEN.read_text(encoding="utf-8").splitlines() if FROZEN.exists() else []
    return {name: digest for name, _, digest in (line.rpartition(" ") for line in lines)}


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(_DATA.joinpath(name).read_text(encoding="utf-8"))


def _digest(table: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(table, sort_keys=True, default=str).encode()).hexdigest()


if __name__ == "__main__":
    known = shipped() | frozen()
    FROZEN.write_text("".join(f"{name} {digest}\n" for name, digest in sorted(known.items())), encoding="utf-8")
