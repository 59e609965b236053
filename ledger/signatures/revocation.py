"""What OCSP responses and revocation lists say of a certificate: they are given, never fetched.

Taken are full lists that the issuer signs itself, and responses signed by the issuer or by whom it lets answer. Partial
and indirect lists are passed over: what they leave out would read as not revoked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import ocsp

from ledger.signatures.certificate import CertificateFault, extension, load_certificate, signs_ocsp, validity_rule
from ledger.signatures.der import SEQUENCE, only, parts

Evidence = x509.CertificateRevocationList | ocsp.OCSPResponse
_STRONG = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
_UNREADABLE = (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, UnsupportedAlgorithm)


class EvidenceFault(ValueError):
    """Not a successful OCSP response or a revocation list that can be read."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What one piece of evidence says of one certificate."""

    method: str
    revoked: bool
    since: datetime
    """From when it is."""
    until: datetime | None

    def is_current(self, now: datetime, age_max: timedelta, ahead_max: timedelta) -> bool:
        """Whether it says how things are now."""
        recent = self.since - ahead_max <= now <= self.since + age_max
        return recent and (self.until is None or now <= self.until)


def load_evidence(method: str, der: bytes) -> Evidence:
    """The response or list. Raises EvidenceFault."""
    try:
        if method == "crl":
            return x509.load_der_x509_crl(der)
        response = ocsp.load_der_ocsp_response(der)
        if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            raise EvidenceFault
    except _UNREADABLE as error:
        raise EvidenceFault from error
    return response


def revocation_of(
    certificate: x509.Certificate, issuer: x509.Certificate, evidence: Sequence[Evidence], now: datetime
) -> list[Standing]:
    """What the evidence says of the certificate; what is not about it, or not its authority's word, says nothing."""
    found: list[Standing] = []
    for each in evidence:
        try:
            if isinstance(each, x509.CertificateRevocationList):
                found += _listed(each, certificate, issuer)
            else:
                found += _answered(each, certificate, issuer, now)
        except _UNREADABLE:
            continue  # unreadable at the place that matters, it says nothing: then evidence is missing, by name
    return found


def standing_rule(
    standings: Iterable[Standing], now: datetime, age_max: timedelta, ahead_max: timedelta
) -> tuple[str | None, Standing | None]:
    """What is against the certificate; and the newest word that it is not revoked, where nothing is."""
    said = sorted(standings, key=lambda each: each.since, reverse=True)
    # However old the word, nobody takes a revocation back: what was only on hold waits for newer evidence outside.
    if any(each.revoked for each in said):
        return "CERTIFICATE_REVOKED", None
    current = next((each for each in said if each.is_current(now, age_max, ahead_max)), None)
    if current is None:
        return ("EVIDENCE_NOT_CURRENT" if said else "NO_REVOCATION_EVIDENCE"), None
    return None, current


def _listed(
    crl: x509.CertificateRevocationList, certificate: x509.Certificate, issuer: x509.Certificate
) -> Iterator[Standing]:
    usage = extension(issuer, x509.KeyUsage)
    whole = crl.next_update_utc is not None and not any(each.critical for each in crl.extensions)
    ours = crl.issuer == issuer.subject == certificate.issuer and (usage is None or usage.value.crl_sign)
    if not whole or not ours or not isinstance(crl.signature_hash_algorithm, _STRONG):
        return
    key = issuer.public_key()
    if isinstance(key, (rsa.RSAPublicKey, ec.EllipticCurvePublicKey)) and crl.is_signature_valid(key):
        entry = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
        yield Standing("crl", entry is not None, crl.last_update_utc, crl.next_update_utc)


def _answered(
    response: ocsp.OCSPResponse, certificate: x509.Certificate, issuer: x509.Certificate, now: datetime
) -> Iterator[Standing]:
    if not any(_signed_by(response, each) for each in (issuer, *_delegates(response, issuer, now))):
        return
    for each in response.responses:
        if _is_about(each, certificate, issuer) and each.certificate_status is not ocsp.OCSPCertStatus.UNKNOWN:
            revoked = each.certificate_status is ocsp.OCSPCertStatus.REVOKED
            yield Standing("ocsp", revoked, each.this_update_utc, each.next_update_utc)


def _delegates(response: ocsp.OCSPResponse, issuer: x509.Certificate, now: datetime) -> Iterator[x509.Certificate]:
    """Whom the issuer lets answer in its place, of those whose certificates come along."""
    for each in response.certificates:
        try:
            certificate = load_certificate(each.public_bytes(serialization.Encoding.DER))
            certificate.verify_directly_issued_by(issuer)
        except (CertificateFault, ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            continue  # one certificate too many says nothing; whether some right one signed is asked of the others
        if signs_ocsp(certificate) and validity_rule(certificate, now) is None:
            yield certificate


def _signed_by(response: ocsp.OCSPResponse, certificate: x509.Certificate) -> bool:
    chosen, key = response.signature_hash_algorithm, certificate.public_key()
    if not isinstance(chosen, _STRONG):
        return False
    try:
        match key:
            case rsa.RSAPublicKey():
                key.verify(response.signature, response.tbs_response_bytes, padding.PKCS1v15(), chosen)
            case ec.EllipticCurvePublicKey():
                key.verify(response.signature, response.tbs_response_bytes, ec.ECDSA(chosen))
            case _:
                return False
    except InvalidSignature:
        return False
    return True


def _is_about(single: ocsp.OCSPSingleResponse, certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    chosen = single.hash_algorithm
    name, key = _digest(chosen, issuer.subject.public_bytes()), _digest(chosen, _key_bits(issuer))
    named = (single.serial_number, single.issuer_name_hash, single.issuer_key_hash)
    return named == (certificate.serial_number, name, key) and certificate.issuer == issuer.subject


def _key_bits(certificate: x509.Certificate) -> bytes:
    """The bits of the public key alone, which an OCSP certificate id hashes."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    _, bits = parts(only(certificate.public_key().public_bytes(serialization.Encoding.DER, form), SEQUENCE), SEQUENCE)
    return bits.content[1:]


def _digest(algorithm: hashes.HashAlgorithm, data: bytes) -> bytes:
    digest = hashes.Hash(algorithm)
    digest.update(data)
    return digest.finalize()
