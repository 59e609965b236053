"""One X.509 certificate: read once and for all, and what it says it may be used for."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

T = TypeVar("T", bound=x509.ExtensionType)


class CertificateFault(ValueError):
    """Not a certificate that can be read."""


def load_certificate(der: bytes) -> x509.Certificate:
    """The certificate. Raises CertificateFault, also for what its library would find only later."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        for part in _READ_LATE:
            getattr(certificate, part)
    except (ValueError, x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise CertificateFault from error
    return certificate


def extension(certificate: x509.Certificate, kind: type[T]) -> x509.Extension[T] | None:
    """The extension of that kind, where the certificate has one."""
    try:
        return certificate.extensions.get_extension_for_class(kind)
    except x509.ExtensionNotFound:
        return None


def validity_rule(certificate: x509.Certificate, at: datetime) -> str | None:
    """What the certificate's own dates hold against that moment."""
    if at < certificate.not_valid_before_utc:
        return "CERTIFICATE_NOT_YET_VALID"
    return "CERTIFICATE_EXPIRED" if at > certificate.not_valid_after_utc else None


def nearest_valid(certificate: x509.Certificate, at: datetime) -> datetime:
    """The moment nearest to `at` at which the certificate was valid."""
    return min(max(at, certificate.not_valid_before_utc), certificate.not_valid_after_utc)


def signs_documents(certificate: x509.Certificate) -> bool:
    """Whether its usage is the signature of documents, and not that of servers or of other certificates."""
    usage, extended = extension(certificate, x509.KeyUsage), extension(certificate, x509.ExtendedKeyUsage)
    if usage is None or not (usage.value.digital_signature or usage.value.content_commitment):
        return False
    return extended is None or any(each in _OF_DOCUMENTS for each in extended.value)


def signs_time(certificate: x509.Certificate) -> bool:
    """Whether it is a time authority's: that usage alone, and critical (RFC 3161, 2.3)."""
    extended = extension(certificate, x509.ExtendedKeyUsage)
    return extended is not None and extended.critical and list(extended.value) == [_TIME]


def signs_ocsp(certificate: x509.Certificate) -> bool:
    """Whether an authority lets it answer for what the authority has revoked, without being asked about itself."""
    extended = extension(certificate, x509.ExtendedKeyUsage)
    delegated = extended is not None and ExtendedKeyUsageOID.OCSP_SIGNING in extended.value
    return delegated and extension(certificate, x509.OCSPNoCheck) is not None


_READ_LATE = ("issuer", "subject", "extensions", "not_valid_before_utc", "not_valid_after_utc")
_TIME = ExtendedKeyUsageOID.TIME_STAMPING
_OF_DOCUMENTS = frozenset(
    {
        ExtendedKeyUsageOID.EMAIL_PROTECTION,
        ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
        x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36"),  # documentSigning, RFC 9336
        x509.ObjectIdentifier("1.3.6.1.4.1.311.10.3.12"),  # Microsoft's name of the same
    }
)
