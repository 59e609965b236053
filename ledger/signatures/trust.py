"""Whom a hospital trusts to say who signs: its anchors, its time authorities, and its register of certificates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding


@dataclass(frozen=True)
class HospitalTrust:
    """What one hospital's signatures are checked by."""

    anchors: tuple[x509.Certificate, ...]
    signers: Mapping[UUID, frozenset[bytes]]
    """By actor the SHA-256 of each certificate that is that person's."""
    time_anchors: tuple[x509.Certificate, ...] = ()
    token_required: bool = False
    evidence_age_max: timedelta = timedelta(hours=24)
    anchors_sha256: bytes = field(init=False)

    def __post_init__(self) -> None:
        digest = anchors_digest((*self.anchors, *self.time_anchors))
        object.__setattr__(self, "anchors_sha256", digest)


def fingerprint(certificate: x509.Certificate) -> bytes:
    """SHA-256 of its DER."""
    return sha256(certificate.public_bytes(Encoding.DER)).digest()


def anchors_digest(anchors: Iterable[x509.Certificate]) -> bytes:
    """SHA-256 over the anchors' digests in ascending order, each once."""
    return sha256(b"".join(sorted({fingerprint(each) for each in anchors}))).digest()
