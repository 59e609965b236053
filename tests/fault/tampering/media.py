"""Every medium by the name that the declaration gives it; each group is opened when it is first needed."""

from __future__ import annotations

from collections.abc import Callable

from tests.fault.tampering.file_media import log_media, proof_media
from tests.fault.tampering.key_media import key_media
from tests.fault.tampering.ledger_media import ledger_media
from tests.fault.tampering.medium import Medium
from tests.fault.tampering.package_media import package_media
from tests.fault.tampering.stored_state import Stored
from tests.fault.tampering.stream_media import stream_media
from tests.fault.tampering.view_media import view_media

_GROUPS: dict[str, Callable[[Stored], dict[str, Medium]]] = {
    "ledger": ledger_media,
    "keys": key_media,
    "log": log_media,
    "proofs": proof_media,
    "package": package_media,
    "stream": stream_media,
    "views": view_media,
}


class Media:
    """All of one stored state."""

    def __init__(self, stored: Stored) -> None:
        self._stored = stored
        self._opened: dict[str, dict[str, Medium]] = {}

    def of(self, group: str, name: str) -> Medium:
        """One medium of a group."""
        if group not in self._opened:
            self._opened[group] = _GROUPS[group](self._stored)
        return self._opened[group][name]
