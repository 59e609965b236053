"""The bytes that a signature by certificate is made over: which version, as what, in which ledger, and by whom.

Format `entry-signature/v1` of docs/formats.md. Made by the ledger alone and never by a client, so that what is signed
is what is stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

_FORMAT = "medical-record-ledger/entry-signature/v1"
_NO_VIEW = "-"


@dataclass(frozen=True, slots=True)
class SignedVersion:
    """One version of an entry, and who signs it."""

    origin: str
    record_id: UUID
    entry_id: UUID
    version: int
    template: str
    template_version: int
    body_sha256: bytes
    """SHA-256 of the body, opened, of the event that brought the version: with all that it says."""
    view_sha256: bytes
    """SHA-256 of the view that the signer saw at the login's confirmation; empty where the client rendered none."""
    signer_id: UUID


def signed_bytes(of: SignedVersion) -> bytes:
    """Its one spelling."""
    lines = (
        _FORMAT,
        of.origin,
        f"record {of.record_id}",
        f"entry {of.entry_id}",
        f"version {of.version}",
        f"template {of.template} {of.template_version}",
        f"body {of.body_sha256.hex()}",
        f"view {of.view_sha256.hex() or _NO_VIEW}",
        f"signer {of.signer_id}",
    )
    return "".join(f"{line}\n" for line in lines).encode()
