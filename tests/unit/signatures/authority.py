"""A certificate authority, its OCSP responder, revocation lists and a time authority, for tests: all made here."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ledger.signatures import object_ids as oid
from ledger.signatures.der import GENERALIZED_TIME, INTEGER, NULL, OCTETS, OID, SEQUENCE, SET, context, framed

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FROM, UNTIL = datetime(2020, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)
"""Also around the clock of whoever runs the tests."""
DOCTOR, COLLEAGUE = UUID(int=1), UUID(int=7)
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class Party:
    """Somebody with a certificate and its key."""

    certificate: x509.Certificate
    key: Key

    @property
    def der(self) -> bytes:
        """The certificate."""
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def sha256(self) -> bytes:
        """Its fingerprint."""
        return sha256(self.der).digest()


def usage(*named: str) -> x509.KeyUsage:
    """A key usage with these bits."""
    bits = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{each: each in named for each in bits})


def certified(
    name: str,
    issuer: Party | None = None,
    *extensions: tuple[x509.ExtensionType, bool],
    authority: bool = False,
    not_before: datetime = FROM,
    not_after: datetime = UNTIL,
    key: Key | None = None,
) -> Party:
    """A certificate, by itself where nobody issues it."""
    own = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    named, signing = (issuer.certificate.subject, issuer.key) if issuer else (subject, own)
    builder = x509.CertificateBuilder(
        named, subject, own.public_key(), x509.random_serial_number(), not_before, not_after
    ).add_extension(x509.BasicConstraints(authority, None), critical=True)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return Party(builder.sign(signing, hashes.SHA256()), own)


def authority(name: str, issuer: Party | None = None) -> Party:
    """A certificate authority."""
    return certified(name, issuer, (usage("key_cert_sign", "crl_sign"), True), authority=True)


def person(name: str, issuer: Party, *bits: str, **changes: datetime | Key) -> Party:
    """Somebody who signs documents, or with other usages."""
    return certified(name, issuer, (usage(*(bits or ("content_commitment",))), True), **changes)  # pyright: ignore[reportArgumentType]


def extended(purpose: x509.ObjectIdentifier) -> tuple[x509.ExtensionType, bool]:
    """An extended key usage, critical."""
    return x509.ExtendedKeyUsage([purpose]), True


@dataclass(frozen=True)
class World:
    """A hospital's authorities and people."""

    root: Party = field(default_factory=lambda: authority("Root of North"))
    issuing: Party = field(init=False)
    doctor: Party = field(init=False)
    colleague: Party = field(init=False)
    responder: Party = field(init=False)
    time_root: Party = field(default_factory=lambda: authority("Time Root"))
    clock: Party = field(init=False)

    def __post_init__(self) -> None:
        def put(name: str, party: Party) -> None:
            object.__setattr__(self, name, party)

        put("issuing", authority("Issuing of North", self.root))
        put("doctor", person("Dr. Wu", self.issuing))
        put("colleague", person("Dr. Li", self.issuing, key=rsa.generate_private_key(65537, 2048)))
        nocheck = (x509.OCSPNoCheck(), False)
        put("responder", certified("Responder", self.issuing, extended(ExtendedKeyUsageOID.OCSP_SIGNING), nocheck))
        put("clock", certified("Clock of North", self.time_root, extended(ExtendedKeyUsageOID.TIME_STAMPING)))

    def crl(self, issuer: Party, *revoked: Party, at: datetime = AT - HOUR, until: datetime = AT + DAY) -> bytes:
        """An issuer's list of what it revoked."""
        builder = x509.CertificateRevocationListBuilder(issuer.certificate.subject, at, until)
        for each in revoked:
            entry = x509.RevokedCertificateBuilder(each.certificate.serial_number, at - HOUR).build()
            builder = builder.add_revoked_certificate(entry)
        return builder.sign(issuer.key, hashes.SHA256()).public_bytes(Encoding.DER)

    def ocsp(
        self,
        of: Party,
        status: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD,
        by: Party | None = None,
        *,
        at: datetime = AT - HOUR,
        until: datetime | None = AT + DAY,
    ) -> bytes:
        """A response about somebody, by the responder that the issuing authority lets answer."""
        signer = by or self.responder
        revoked = at - HOUR if status is ocsp.OCSPCertStatus.REVOKED else None
        builder = ocsp.OCSPResponseBuilder().add_response(
            of.certificate, self.issuing.certificate, hashes.SHA256(), status, at, until, revoked, None
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, signer.certificate)
        builder = builder.certificates([signer.certificate])
        return builder.sign(signer.key, hashes.SHA256()).public_bytes(Encoding.DER)


@cache
def world() -> World:
    """One for all tests: making keys takes longer than checking."""
    return World()


@dataclass(frozen=True)
class Making:
    """What a signing client puts into a SignedData, every part of which a test may change."""

    signer: Party
    content: bytes
    others: tuple[Party, ...] = ()
    content_type: bytes = oid.DATA
    said_type: bytes | None = None
    said_digest: bytes | None = None
    encapsulated: bytes | None = None
    digest: bytes = oid.SHA256
    algorithm: bytes | None = None
    pss: bool = False
    token: bytes | None = None
    crls: tuple[bytes, ...] = ()
    ocsp_responses: tuple[bytes, ...] = ()
    backwards: bool = False
    """With the signed attributes in the reverse of DER's order."""
    made: bytes = b""
    """The signature, where it was made before."""

    def with_token(self, by: Party, at: datetime = AT - HOUR, over: bytes | None = None) -> Making:
        """With a time token over the signature; ECDSA signs otherwise every time, so the signature is fixed first."""
        signature = self.signature()
        return replace(self, made=signature, token=time_token(by, over or signature, at))

    def signature(self) -> bytes:
        """The signer's signature."""
        if self.made:
            return self.made
        key, data = self.signer.key, framed(SET, self.attributes())
        if isinstance(key, rsa.RSAPrivateKey):
            hashed = hashes.SHA256()
            scheme = padding.PSS(padding.MGF1(hashed), 32) if self.pss else padding.PKCS1v15()
            return key.sign(data, scheme, hashed)
        return key.sign(data, ec.ECDSA(hashes.SHA256()))

    def attributes(self) -> bytes:
        """The signed attributes."""
        digest = self.said_digest or sha256(self.content).digest()
        made = (
            attribute(oid.CONTENT_TYPE, framed(OID, self.said_type or self.content_type)),
            attribute(oid.MESSAGE_DIGEST, framed(OCTETS, digest)),
        )
        return b"".join(sorted(made, reverse=self.backwards))

    def _algorithm(self) -> bytes:
        if self.algorithm is not None:
            return algorithm(self.algorithm)
        if isinstance(self.signer.key, rsa.RSAPrivateKey):
            return algorithm(oid.RSA_PSS if self.pss else oid.RSA, framed(NULL, b""))
        return algorithm(next(name for name, digest in oid.ECDSA_WITH.items() if digest == oid.SHA256))

    def der(self) -> bytes:
        """The ContentInfo."""
        certificate = self.signer.certificate
        sid = framed(SEQUENCE, certificate.issuer.public_bytes() + number(certificate.serial_number))
        unsigned = b"" if self.token is None else framed(context(1), attribute(oid.TIME_STAMP_TOKEN, self.token))
        signer = framed(
            SEQUENCE,
            number(1)
            + sid
            + algorithm(self.digest)
            + framed(context(0), self.attributes())
            + self._algorithm()
            + framed(OCTETS, self.signature())
            + unsigned,
        )
        inside = b"" if self.encapsulated is None else framed(context(0), framed(OCTETS, self.encapsulated))
        responses = (framed(context(1), framed(OID, oid.OCSP_RESPONSE) + each) for each in self.ocsp_responses)
        evidence = b"".join((*self.crls, *responses))
        signed = framed(
            SEQUENCE,
            number(1)
            + framed(SET, algorithm(self.digest))
            + framed(SEQUENCE, framed(OID, self.content_type) + inside)
            + framed(context(0), b"".join(each.der for each in (self.signer, *self.others)))
            + (framed(context(1), evidence) if evidence else b"")
            + framed(SET, signer),
        )
        return framed(SEQUENCE, framed(OID, oid.SIGNED_DATA) + framed(context(0), signed))


def time_token(by: Party, over: bytes, at: datetime) -> bytes:
    """A time authority's token."""
    info = framed(
        SEQUENCE,
        number(1)
        + framed(OID, bytes.fromhex("2a0304"))
        + framed(SEQUENCE, algorithm(oid.SHA256) + framed(OCTETS, sha256(over).digest()))
        + number(42)
        + framed(GENERALIZED_TIME, at.strftime("%Y%m%d%H%M%SZ").encode()),
    )
    return Making(by, info, content_type=oid.TIME_STAMP_INFO, encapsulated=info).der()


def attribute(kind: bytes, value: bytes) -> bytes:
    """An attribute of one value."""
    return framed(SEQUENCE, framed(OID, kind) + framed(SET, value))


def algorithm(kind: bytes, parameters: bytes = b"") -> bytes:
    """An AlgorithmIdentifier."""
    return framed(SEQUENCE, framed(OID, kind) + parameters)


def number(value: int) -> bytes:
    """An INTEGER."""
    return framed(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))
