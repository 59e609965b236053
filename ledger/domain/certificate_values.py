"""What a signature by certificate brings, and what was found when it was checked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ledger.domain.refusal import Violation
from ledger.domain.values import Actor

CMS_BYTES_MAX = 64 * 1024
"""Bytes of one signature with the certificates, evidence and time token inside it."""
EVIDENCE_MAX = 8
"""Pieces of revocation evidence beside a signature: one for each certificate of a long chain."""
EVIDENCE_BYTES_MAX = 256 * 1024
"""Bytes of all of them: with the signature they fit into one body."""


@dataclass(frozen=True)
class RevocationEvidence:
    """An OCSP response or a list of revoked certificates (CRL), as its authority signed it."""

    method: str
    """`ocsp` or `crl`."""
    der: bytes


@dataclass(frozen=True)
class CheckedCertificate:
    """What the ledger found when it checked a signature: by whose certificate it is, and by which anchors."""

    subject: str
    """Names as RFC 4514 writes them."""
    issuer: str
    serial: str
    """Hexadecimal, lower case."""
    certificate_sha256: bytes
    not_before: datetime
    not_after: datetime
    checked_at: datetime
    """By the ledger's clock."""
    revocation: str
    """What showed that it is not revoked: `ocsp` or `crl`."""
    evidence_at: datetime
    """From when that is."""
    anchor_sha256: bytes
    """The trusted certificate at which the chain ends."""
    anchors_sha256: bytes
    """Over all that the hospital trusted then, see docs/formats.md."""
    proven_at: datetime | None = None
    """The time token's time; None = the signature has none."""
    time_authority: str = ""
    """Who signed the time token."""


@dataclass(frozen=True)
class CertificateVerdict:
    """What a check outside the core found: everything is right, or every fault by name."""

    signed_bytes: bytes
    """What the ledger says was to be signed."""
    checked: CheckedCertificate | None
    faults: tuple[Violation, ...] = ()


@dataclass(frozen=True)
class Certified:
    """A signature by certificate over one version of an entry."""

    signer: Actor
    checked: CheckedCertificate
    record_version: int
    """Version of the record at which it was added."""
