"""CMS SignedData (RFC 5652) with one signer and signed attributes: the form of a signature and of a time token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509

from ledger.signatures import object_ids as oid
from ledger.signatures.certificate import extension, load_certificate
from ledger.signatures.der import (
    INTEGER,
    OCTETS,
    OID,
    SEQUENCE,
    SET,
    DerFault,
    Element,
    context,
    elements,
    framed,
    integer,
    only,
    parts,
)

CERTIFICATES_MAX = 16
"""Certificates in one SignedData."""


class CmsFault(ValueError):
    """Not SignedData in DER with one signer, signed attributes and readable certificates."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signed, and what beside the content."""

    issuer: bytes
    """DER of the issuer's name; empty where the key identifier says who it is."""
    serial: int
    key_identifier: bytes
    digest: bytes
    """Object id of the digest's algorithm."""
    attributes: bytes
    """The signed attributes as they are signed: DER of a SET."""
    signed: dict[bytes, list[Element]]
    algorithm: bytes
    signature: bytes
    unsigned: dict[bytes, list[Element]]

    def is_of(self, certificate: x509.Certificate) -> bool:
        """Whether it names this certificate."""
        if self.issuer:
            return (certificate.issuer.public_bytes(), certificate.serial_number) == (self.issuer, self.serial)
        found = extension(certificate, x509.SubjectKeyIdentifier)
        return found is not None and found.value.digest == self.key_identifier


@dataclass(frozen=True, slots=True)
class SignedData:
    """What a SignedData holds."""

    content_type: bytes
    content: bytes | None
    """None where it is detached."""
    certificates: tuple[x509.Certificate, ...]
    crls: tuple[bytes, ...]
    ocsp_responses: tuple[bytes, ...]
    signer: Signer

    @property
    def signers_certificate(self) -> x509.Certificate | None:
        """The certificate that the signer names, where it is there."""
        return next((each for each in self.certificates if self.signer.is_of(each)), None)


def parse_signed_data(data: bytes) -> SignedData:
    """Raises CmsFault."""
    try:
        return _signed_data(data)
    except ValueError as error:  # also of a certificate that cannot be read
        raise CmsFault from error


def _signed_data(data: bytes) -> SignedData:
    kind, wrapped = parts(only(data, SEQUENCE), SEQUENCE)
    (inner,) = parts(wrapped, context(0))
    if (kind.tag, kind.content) != (OID, oid.SIGNED_DATA):
        raise DerFault
    _, _, encapsulated, *others = parts(inner, SEQUENCE)
    content_type, content = _content(encapsulated)
    certificates, revocation, signers = _by_tag(others)
    (signer,) = elements(signers)
    crls, ocsp_responses = _evidence(elements(revocation))
    return SignedData(content_type, content, _certificates(certificates), crls, ocsp_responses, _signer(signer))


def _by_tag(others: Sequence[Element]) -> tuple[bytes, bytes, bytes]:
    """The content of certificates and revocation, which may be absent, and of the signers, which may not."""
    tags = [each.tag for each in others]
    if tags not in ([SET], [context(0), SET], [context(1), SET], [context(0), context(1), SET]):
        raise DerFault
    found = {each.tag: each.content for each in others}
    return found.get(context(0), b""), found.get(context(1), b""), found[SET]


def _content(encapsulated: Element) -> tuple[bytes, bytes | None]:
    kind, *explicit = parts(encapsulated, SEQUENCE)
    if kind.tag != OID or len(explicit) > 1:
        raise DerFault
    octets = [only(each.content, OCTETS) for each in explicit if _is(each, context(0))]
    return kind.content, octets[0].content if octets else None


def _certificates(data: bytes) -> tuple[x509.Certificate, ...]:
    found = elements(data)
    if len(found) > CERTIFICATES_MAX:
        raise DerFault
    return tuple(load_certificate(each.der) for each in found)


def _evidence(found: Sequence[Element]) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    crls = tuple(each.der for each in found if each.tag == SEQUENCE)
    others = [elements(each.content) for each in found if each.tag == context(1)]
    return crls, tuple(said[0].der for kind, *said in others if kind.content == oid.OCSP_RESPONSE and len(said) == 1)


def _signer(element: Element) -> Signer:
    version, sid, digest, attributes, algorithm, signature, *unsigned = parts(element, SEQUENCE)
    if version.tag != INTEGER or attributes.tag != context(0) or signature.tag != OCTETS or len(unsigned) > 1:
        raise DerFault
    issuer, serial, key_identifier = _named(sid)
    return Signer(
        issuer=issuer,
        serial=serial,
        key_identifier=key_identifier,
        digest=_algorithm(digest),
        attributes=framed(SET, attributes.content),
        signed=_attributes(attributes.content),
        algorithm=_algorithm(algorithm),
        signature=signature.content,
        unsigned=_attributes(b"".join(each.content for each in unsigned if _is(each, context(1)))),
    )


def _named(sid: Element) -> tuple[bytes, int, bytes]:
    if sid.tag == context(0, constructed=False):
        return b"", 0, sid.content
    issuer, serial = parts(sid, SEQUENCE)
    return issuer.der, integer(serial), b""


def _algorithm(element: Element) -> bytes:
    kind, *_ = parts(element, SEQUENCE)
    if kind.tag != OID:
        raise DerFault
    return kind.content


def _attributes(data: bytes) -> dict[bytes, list[Element]]:
    found: dict[bytes, list[Element]] = {}
    written = elements(data)
    # In DER's order alone: whoever puts them into it before verifying must find the same signature.
    if [each.der for each in written] != sorted(each.der for each in written):
        raise DerFault
    for each in written:
        kind, values = parts(each, SEQUENCE)
        if kind.tag != OID or kind.content in found:
            raise DerFault
        found[kind.content] = parts(values, SET)
    return found


def _is(element: Element, tag: int) -> bool:
    if element.tag != tag:
        raise DerFault
    return True
