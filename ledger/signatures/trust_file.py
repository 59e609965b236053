"""The operator's file that says whose certificates sign entries, by hospital; docs/operations.md shows one."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from cryptography import x509

from ledger.signatures.trust import HospitalTrust

FILE_BYTES_MAX = 1024 * 1024
EVIDENCE_HOURS_MAX = 24 * 31
_EVIDENCE_HOURS = 24
_KEYS = frozenset({"anchors", "time_anchors", "time_token", "evidence_hours", "signers"})
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_BROKEN = (ValueError, x509.InvalidVersion, x509.DuplicateExtension)


class TrustFileFault(Exception):
    """The file that says whose certificates sign entries cannot be used:"""

    def __init__(self, *faults: str) -> None:
        super().__init__(f"{self.__doc__} {'; '.join(faults)}")
        self.faults = faults


def read_trust(file: Path) -> dict[str, HospitalTrust]:
    """By hospital what its signatures are checked by. Raises TrustFileFault with every fault."""
    try:
        tables = cast("dict[str, object]", tomllib.loads(_bytes_of(file).decode()))
    except (OSError, ValueError) as error:  # TOML's and UTF-8's faults are ValueErrors
        raise TrustFileFault(f"{file.name}: {type(error).__name__}") from error
    faults: list[str] = []
    found = {name: _Table(name, table, file.parent, faults).trust() for name, table in tables.items()}
    if faults:
        raise TrustFileFault(*faults)
    return {name: trust for name, trust in found.items() if trust is not None}


class _Table:
    """One hospital's table, read with every fault noted."""

    def __init__(self, name: str, table: object, folder: Path, faults: list[str]) -> None:
        self._name = name
        self._values: Mapping[str, Any] = cast("Mapping[str, Any]", table) if isinstance(table, dict) else {}
        self._folder = folder
        self._faults = faults
        for key in sorted(set(self._values) - _KEYS):
            self._fault(key, "unknown")

    def trust(self) -> HospitalTrust | None:
        """None where there is a fault."""
        before = len(self._faults)
        anchors, time_anchors = self._certificates("anchors"), self._certificates("time_anchors")
        stamped, hours = self._values.get("time_token", "optional"), self._values.get("evidence_hours", _EVIDENCE_HOURS)
        if not anchors:
            self._fault("anchors", "a PEM file with at least one certificate is required")
        if stamped not in ("optional", "required") or (stamped == "required" and not time_anchors):
            self._fault("time_token", "optional, or required with time_anchors")
        if type(hours) is not int or not 1 <= hours <= EVIDENCE_HOURS_MAX:
            self._fault("evidence_hours", f"a whole number from 1 to {EVIDENCE_HOURS_MAX}")
            hours = _EVIDENCE_HOURS
        signers = self._signers()
        if len(self._faults) > before:
            return None
        return HospitalTrust(anchors, signers, time_anchors, stamped == "required", timedelta(hours=hours))

    def _certificates(self, key: str) -> tuple[x509.Certificate, ...]:
        name: object = self._values.get(key, "")
        if not isinstance(name, str):
            self._fault(key, "the name of a PEM file")
            return ()
        try:
            return tuple(x509.load_pem_x509_certificates(_bytes_of(self._folder / name))) if name else ()
        except (OSError, *_BROKEN) as error:
            self._fault(key, type(error).__name__)
            return ()

    def _signers(self) -> dict[UUID, frozenset[bytes]]:
        table: object = self._values.get("signers", {})
        found: dict[UUID, frozenset[bytes]] = {}
        owners: dict[str, str] = {}
        for actor, digests in cast("Mapping[str, Any]", table if isinstance(table, dict) else {"": table}).items():
            named = cast("list[object]", digests) if isinstance(digests, list) else [digests]
            texts = [each for each in named if isinstance(each, str) and _DIGEST.fullmatch(each)]
            if not _is_id(actor) or len(texts) < len(named):
                self._fault(f"signers.{actor}", "an actor's id with the SHA-256 of certificates in hexadecimal")
                continue
            # A certificate is one person's: else nobody could say who of the two signed.
            if any(owners.setdefault(each, actor) != actor for each in texts):
                self._fault(f"signers.{actor}", "a certificate of somebody else, too")
            found[UUID(actor)] = frozenset(bytes.fromhex(each) for each in texts)
        return found

    def _fault(self, key: str, text: str) -> None:
        self._faults.append(f"{self._name}.{key}: {text}")


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _bytes_of(file: Path) -> bytes:
    with file.open("rb") as opened:
        data = opened.read(FILE_BYTES_MAX + 1)
    if len(data) > FILE_BYTES_MAX:
        raise ValueError("too large")
    return data
