"""Whose ledger an origin names."""

from __future__ import annotations

import re

_ORIGIN = re.compile(r".+/(?P<hospital>[a-z][a-z0-9-]{1,30})/[1-9][0-9]*")


def hospital_of(origin: str) -> str:
    """The hospital in `<prefix>/<hospital>/<n>`; empty for text of another form."""
    found = _ORIGIN.fullmatch(origin)
    return found["hospital"] if found else ""
