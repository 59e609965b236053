"""A signature by certificate is believed for what the hospital's anchors prove, and each fault has its own name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given as hypothetically
from hypothesis import strategies as st

from ledger.domain.certificate_values import CertificateVerdict, CheckedCertificate, RevocationEvidence
from ledger.signatures import object_ids as oid
from ledger.signatures.check import Given, check_signature
from ledger.signatures.der import SEQUENCE, framed
from ledger.signatures.rules import RULES
from ledger.signatures.trust import HospitalTrust, anchors_digest
from tests.unit.signatures.authority import (
    AT,
    COLLEAGUE,
    DAY,
    DOCTOR,
    FROM,
    HOUR,
    UNTIL,
    Making,
    Party,
    World,
    authority,
    certified,
    extended,
    person,
    usage,
    world,
)

pytestmark = pytest.mark.unit

BYTES = b"medical-record-ledger/entry-signature/v1\nversion 1\n"


def trust(*own: Party, **changes: object) -> HospitalTrust:
    """North's trust, in which the doctor's certificates are these too."""
    of = world()
    signers = {
        DOCTOR: frozenset({of.doctor.sha256, *(each.sha256 for each in own)}),
        COLLEAGUE: frozenset({of.colleague.sha256}),
    }
    made = HospitalTrust((of.root.certificate,), signers, (of.time_root.certificate,))
    return replace(made, **changes)  # pyright: ignore[reportArgumentType]


def making(signer: Party | None = None, content: bytes = BYTES) -> Making:
    """What the doctor's card signs."""
    return Making(signer or world().doctor, content, (world().issuing,))


def crl_of(issuer: Party, *revoked: Party) -> RevocationEvidence:
    """A list beside the signature."""
    return RevocationEvidence("crl", world().crl(issuer, *revoked))


def evidence() -> tuple[RevocationEvidence, ...]:
    """What shows that neither the doctor's certificate nor the issuing authority's is revoked."""
    return (crl_of(world().issuing), crl_of(world().root))


def asked(made: Making, *shown: RevocationEvidence, **changes: object) -> Given:
    """What the ledger asks of a signature over its bytes."""
    given = Given(BYTES, DOCTOR, made.der(), shown or evidence(), AT - 2 * HOUR, AT)
    return replace(given, **changes)  # pyright: ignore[reportArgumentType]


def rules(verdict: CertificateVerdict) -> set[str]:
    """The names of its faults."""
    assert (verdict.checked is None) == bool(verdict.faults)
    assert all(each.text == RULES[each.rule] for each in verdict.faults)
    return {each.rule for each in verdict.faults}


def test_a_signature_under_the_hospitals_anchors_is_taken_and_says_by_whom_it_is() -> None:
    """What was verified is kept: whose certificate, by which authority and anchors, from when the evidence is."""
    of = world()
    verdict = check_signature(asked(making()), trust())
    assert verdict == CertificateVerdict(
        BYTES,
        CheckedCertificate(
            subject="CN=Dr. Wu",
            issuer="CN=Issuing of North",
            serial=f"{of.doctor.certificate.serial_number:x}",
            certificate_sha256=of.doctor.sha256,
            not_before=FROM,
            not_after=UNTIL,
            checked_at=AT,
            revocation="crl",
            evidence_at=AT - HOUR,
            anchor_sha256=of.root.sha256,
            anchors_sha256=anchors_digest((of.root.certificate, of.time_root.certificate)),
        ),
    )


@pytest.mark.parametrize("pss", [False, True])
def test_an_rsa_card_signs_in_both_paddings(pss: bool) -> None:
    """Older cards pad as PKCS #1 v1.5, newer ones as PSS."""
    made = replace(making(world().colleague), pss=pss)
    assert check_signature(asked(made, signer_id=COLLEAGUE), trust()).faults == ()


def test_evidence_may_lie_inside_the_signature() -> None:
    """A client that collects the evidence itself sends one file."""
    of = world()
    inside = replace(making(), crls=(of.crl(of.root),), ocsp_responses=(of.ocsp(of.doctor),))
    verdict = check_signature(replace(asked(inside), evidence=()), trust())
    assert verdict.checked is not None
    assert verdict.checked.revocation == "ocsp"


def test_a_time_token_proves_when() -> None:
    """Its time and its authority are kept."""
    verdict = check_signature(asked(making().with_token(world().clock)), trust(token_required=True))
    assert verdict.checked is not None
    assert (verdict.checked.proven_at, verdict.checked.time_authority) == (AT - HOUR, "CN=Clock of North")


def _doctors(**changes: datetime) -> tuple[Making, Party]:
    own = person("Dr. Wu", world().issuing, **changes)
    return making(own), own


def _with(own: Party) -> tuple[Making, Party]:
    return making(own), own


def _lookalike() -> Party:
    return authority("Issuing of North", authority("Root of North"))


CERTIFICATES: dict[str, tuple[Callable[[], tuple[Making, Party]], set[str]]] = {
    "expired": (lambda: _doctors(not_after=AT - HOUR), {"CERTIFICATE_EXPIRED"}),
    "not yet valid": (lambda: _doctors(not_before=AT + HOUR), {"CERTIFICATE_NOT_YET_VALID"}),
    "for encryption": (lambda: _with(person("Dr. Wu", world().issuing, "key_encipherment")), {"WRONG_KEY_USAGE"}),
    "a server's": (
        lambda: _with(
            certified(
                "ward.example",
                world().issuing,
                (usage("digital_signature"), True),
                extended(ExtendedKeyUsageOID.SERVER_AUTH),
            )
        ),
        {"WRONG_KEY_USAGE"},
    ),
    "of another authority": (
        lambda: _with(person("Dr. Wu", authority("Root of South"))),
        {"CHAIN_NOT_TRUSTED"},
    ),
    "of an authority of the same name": (
        lambda: (replace(making(own := person("Dr. Wu", fake := _lookalike())), others=(fake,)), own),
        {"CHAIN_NOT_TRUSTED"},
    ),
    "issued by somebody who is no authority": (
        lambda: (
            replace(making(own := person("Dr. Wu", world().doctor)), others=(world().doctor, world().issuing)),
            own,
        ),
        {"CHAIN_NOT_TRUSTED"},
    ),
    "an anchor itself": (lambda: _with(world().root), {"CHAIN_NOT_TRUSTED", "WRONG_KEY_USAGE"}),
}


@pytest.mark.parametrize("case", CERTIFICATES)
def test_a_certificate_that_may_not_sign_is_named_by_its_fault(case: str) -> None:
    """Whatever is wrong with it is said, and nothing beside."""
    make, expected = CERTIFICATES[case]
    made, own = make()
    assert rules(check_signature(asked(made), trust(own))) == expected


def test_the_certificate_of_somebody_else_signs_for_nobody() -> None:
    """A valid signature by a colleague's card is no signature of the doctor, and says so."""
    assert rules(check_signature(asked(making(world().colleague)), trust())) == {"NOT_THE_ACTORS_CERTIFICATE"}


MESSAGES: dict[str, tuple[Callable[[], Making], set[str]]] = {
    "over another version": (lambda: making(content=BYTES.replace(b"1\n", b"2\n")), {"OTHER_CONTENT"}),
    "that holds its content": (lambda: replace(making(), encapsulated=BYTES), {"NOT_DETACHED"}),
    "of another content type": (lambda: replace(making(), said_type=oid.SIGNED_DATA), {"OTHER_CONTENT_TYPE"}),
    "by a digest that is not known": (
        lambda: replace(making(), digest=b"\x2b\x0e\x03\x02\x1a"),
        {"ALGORITHM_NOT_SUPPORTED"},
    ),
    "by an algorithm of another key": (lambda: replace(making(), algorithm=oid.RSA), {"ALGORITHM_NOT_SUPPORTED"}),
    "by two digests": (
        lambda: replace(making(), algorithm=bytes.fromhex("2a8648ce3d040304")),
        {"ALGORITHM_NOT_SUPPORTED"},
    ),
    "with its attributes in another order": (lambda: replace(making(), backwards=True), {"MALFORMED_SIGNATURE"}),
    "without the authority between": (lambda: replace(making(), others=()), {"CHAIN_NOT_TRUSTED"}),
}


@pytest.mark.parametrize("case", MESSAGES)
def test_a_message_that_proves_nothing_is_named_by_its_fault(case: str) -> None:
    """Of a message too each fault has its name."""
    make, expected = MESSAGES[case]
    assert rules(check_signature(asked(make()), trust())) == expected


def _of_key(public: CertificatePublicKeyTypes) -> Party:
    """A certificate over a key that is not made by this program, with a signature by another one."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Dr. Wu")])
    issuer = world().issuing
    builder = x509.CertificateBuilder(issuer.certificate.subject, name, public, 5, FROM, UNTIL)
    builder = builder.add_extension(usage("digital_signature"), critical=True)
    return Party(builder.sign(issuer.key, hashes.SHA256()), world().doctor.key)


@pytest.mark.parametrize(
    ("make", "rule"),
    [
        (lambda: ed25519.Ed25519PrivateKey.generate().public_key(), "ALGORITHM_NOT_SUPPORTED"),
        (lambda: rsa.generate_private_key(65537, 1024).public_key(), "ALGORITHM_NOT_SUPPORTED"),  # noqa: S505
        (lambda: ec.generate_private_key(ec.SECP192R1()).public_key(), "SIGNATURE_INVALID"),
    ],
    ids=["ed25519", "short rsa", "short curve"],
)
def test_a_key_of_another_kind_ends_in_a_verdict(make: Callable[[], CertificatePublicKeyTypes], rule: str) -> None:
    """Neither is it taken nor does the check break on it."""
    own = _of_key(make())
    assert rule in rules(check_signature(asked(making(own)), trust(own)))


def test_every_fault_of_a_signature_is_named_at_once() -> None:
    """Who mends one does not meet the next only then."""
    own = person("Dr. Wu", authority("Root of South"), "key_encipherment", not_after=AT - HOUR)
    found = rules(check_signature(asked(making(own, b"other"), signer_id=COLLEAGUE), trust(token_required=True)))
    assert found == {
        "OTHER_CONTENT",
        "CERTIFICATE_EXPIRED",
        "WRONG_KEY_USAGE",
        "NOT_THE_ACTORS_CERTIFICATE",
        "TIME_TOKEN_REQUIRED",
        "CHAIN_NOT_TRUSTED",
    }


def _crl(of: World, at: datetime, until: datetime) -> RevocationEvidence:
    return RevocationEvidence("crl", of.crl(of.issuing, at=at, until=until))


def _partial(of: World) -> RevocationEvidence:
    """A list of authorities alone, in which a person cannot stand."""
    point = x509.IssuingDistributionPoint(
        full_name=None,
        relative_name=None,
        only_contains_user_certs=False,
        only_contains_ca_certs=True,
        only_some_reasons=None,
        indirect_crl=False,
        only_contains_attribute_certs=False,
    )
    builder = x509.CertificateRevocationListBuilder(of.issuing.certificate.subject, AT - HOUR, AT + DAY)
    signed = builder.add_extension(point, critical=True).sign(of.issuing.key, hashes.SHA256())
    return RevocationEvidence("crl", signed.public_bytes(Encoding.DER))


def _ocsp(status: ocsp.OCSPCertStatus, by: Party | None = None) -> RevocationEvidence:
    return RevocationEvidence("ocsp", world().ocsp(world().doctor, status, by))


GOOD, REVOKED, UNKNOWN = ocsp.OCSPCertStatus.GOOD, ocsp.OCSPCertStatus.REVOKED, ocsp.OCSPCertStatus.UNKNOWN
EVIDENCE: dict[str, tuple[Callable[[World], tuple[RevocationEvidence, ...]], set[str]]] = {
    "by a list": (lambda of: (crl_of(of.issuing, of.doctor), crl_of(of.root)), {"CERTIFICATE_REVOKED"}),
    "by a response": (lambda of: (_ocsp(REVOKED), crl_of(of.root)), {"CERTIFICATE_REVOKED"}),
    "in one of two": (
        lambda of: (_ocsp(GOOD), crl_of(of.issuing, of.doctor), crl_of(of.root)),
        {"CERTIFICATE_REVOKED"},
    ),
    "above it": (lambda of: (crl_of(of.issuing), crl_of(of.root, of.issuing)), {"CERTIFICATE_REVOKED"}),
    "not shown at all": (lambda of: (crl_of(of.root),), {"NO_REVOCATION_EVIDENCE"}),
    "not shown above it": (lambda of: (crl_of(of.issuing),), {"NO_REVOCATION_EVIDENCE"}),
    "not known": (lambda of: (_ocsp(UNKNOWN), crl_of(of.root)), {"NO_REVOCATION_EVIDENCE"}),
    "said by another authority": (
        lambda of: (RevocationEvidence("crl", of.crl(of.time_root)), crl_of(of.root)),
        {"NO_REVOCATION_EVIDENCE"},
    ),
    "said by a forged list": (
        lambda of: (RevocationEvidence("crl", of.crl(Party(of.issuing.certificate, of.doctor.key))), crl_of(of.root)),
        {"NO_REVOCATION_EVIDENCE"},
    ),
    "said by who may not answer": (lambda of: (_ocsp(GOOD, of.colleague), crl_of(of.root)), {"NO_REVOCATION_EVIDENCE"}),
    "said by a partial list": (lambda of: (_partial(of), crl_of(of.root)), {"NO_REVOCATION_EVIDENCE"}),
    "said of a colleague": (
        lambda of: (RevocationEvidence("ocsp", of.ocsp(of.colleague)), crl_of(of.root)),
        {"NO_REVOCATION_EVIDENCE"},
    ),
    "too long ago": (lambda of: (_crl(of, AT - 2 * DAY, AT + DAY), crl_of(of.root)), {"EVIDENCE_NOT_CURRENT"}),
    "until an hour ago": (lambda of: (_crl(of, AT - 3 * HOUR, AT - HOUR), crl_of(of.root)), {"EVIDENCE_NOT_CURRENT"}),
    "from tomorrow on": (lambda of: (_crl(of, AT + DAY, AT + 2 * DAY), crl_of(of.root)), {"EVIDENCE_NOT_CURRENT"}),
    "in no list": (lambda of: (RevocationEvidence("crl", b"\x30\x00"), *evidence()), {"MALFORMED_EVIDENCE"}),
    "in no response": (lambda of: (RevocationEvidence("ocsp", b"\x30\x00"), *evidence()), {"MALFORMED_EVIDENCE"}),
}


@pytest.mark.parametrize("case", EVIDENCE)
def test_what_is_not_shown_to_stand_is_not_taken_to_stand(case: str) -> None:
    """Revoked, by whichever word; or not shown to be valid now, by the authority itself."""
    make, expected = EVIDENCE[case]
    assert rules(check_signature(asked(making(), *make(world())), trust())) == expected


TOKENS: dict[str, tuple[Callable[[World], Making], set[str]]] = {
    "over another signature": (lambda of: making().with_token(of.clock, over=b"x"), {"TIME_TOKEN_OF_OTHER_SIGNATURE"}),
    "of before the entry": (lambda of: making().with_token(of.clock, AT - 3 * HOUR), {"TIME_TOKEN_OUT_OF_TIME"}),
    "of tomorrow": (lambda of: making().with_token(of.clock, AT + DAY), {"TIME_TOKEN_OUT_OF_TIME"}),
    "by a doctor": (
        lambda of: making().with_token(of.doctor),
        {"TIME_TOKEN_WRONG_USAGE", "TIME_AUTHORITY_NOT_TRUSTED"},
    ),
    "by another authority": (
        lambda of: making().with_token(certified("Clock", of.root, extended(ExtendedKeyUsageOID.TIME_STAMPING))),
        {"TIME_AUTHORITY_NOT_TRUSTED"},
    ),
    "by an authority that had expired": (
        lambda of: making().with_token(
            certified("Clock", of.time_root, extended(ExtendedKeyUsageOID.TIME_STAMPING), not_after=AT - 2 * HOUR)
        ),
        {"TIME_AUTHORITY_NOT_VALID"},
    ),
    "with another's signature": (
        lambda of: making().with_token(Party(of.clock.certificate, of.doctor.key)),
        {"TIME_TOKEN_INVALID"},
    ),
    "that is none": (lambda of: replace(making(), token=b"\x30\x00"), {"MALFORMED_TIME_TOKEN"}),
    "that is missing": (lambda of: making(), {"TIME_TOKEN_REQUIRED"}),
}


@pytest.mark.parametrize("case", TOKENS)
def test_a_time_that_is_not_proven_is_not_taken(case: str) -> None:
    """The token is one for this signature, by a time authority that the hospital trusts, of a time that can be."""
    make, expected = TOKENS[case]
    assert rules(check_signature(asked(make(world())), trust(token_required=True))) == expected


def test_a_revoked_time_authority_proves_no_time() -> None:
    """Where evidence of it is given it is believed, though none is demanded."""
    shown = (*evidence(), crl_of(world().time_root, world().clock))
    verdict = check_signature(asked(making().with_token(world().clock), *shown), trust())
    assert rules(verdict) == {"TIME_AUTHORITY_REVOKED"}


def test_a_certificate_that_was_not_valid_at_the_proven_time_did_not_sign() -> None:
    """Valid when it is checked is not enough."""
    own = person("Dr. Wu", world().issuing, not_before=AT - timedelta(minutes=30))
    verdict = check_signature(asked(making(own).with_token(world().clock)), trust(own))
    assert rules(verdict) == {"CERTIFICATE_NOT_YET_VALID"}


def test_without_time_anchors_no_time_token_is_believed() -> None:
    """What nobody can check is refused, not passed over."""
    verdict = check_signature(asked(making().with_token(world().clock)), trust(time_anchors=()))
    assert rules(verdict) == {"TIME_AUTHORITY_NOT_TRUSTED"}


@hypothetically(st.integers(0, 99_999), st.integers(0, 7))
def test_a_cut_or_a_flipped_bit_never_makes_another_signature(share: int, bit: int) -> None:
    """Of whatever is sent a verdict comes back; one that accepts says the same of certificate and time as the whole."""
    whole = making().with_token(world().clock).der()
    at = share * len(whole) // 100_000  # a signature by ECDSA is not always of the same length
    assert rules(check_signature(asked(making(), cms=whole[:at]), trust())) == {"MALFORMED_SIGNATURE"}
    flipped = bytearray(whole)
    flipped[at] ^= 1 << bit
    verdict = check_signature(asked(making(), cms=bytes(flipped)), trust())
    if verdict.checked is None:
        assert rules(verdict)
    else:
        said = (verdict.checked.certificate_sha256, verdict.checked.proven_at)
        assert said in {(world().doctor.sha256, AT - HOUR), (world().doctor.sha256, None)}


@hypothetically(st.binary(max_size=200))
def test_no_bytes_make_the_check_fail_otherwise_than_by_a_verdict(noise: bytes) -> None:
    """Noise as a signature, inside one as its token, as a list and as a response."""
    shown = (RevocationEvidence("crl", noise), RevocationEvidence("ocsp", noise))
    assert rules(check_signature(asked(making(), *shown, cms=noise), trust())) >= {"MALFORMED_SIGNATURE"}
    inside = replace(making(), token=framed(SEQUENCE, noise), crls=(framed(SEQUENCE, noise),))
    assert "MALFORMED_TIME_TOKEN" in rules(check_signature(asked(inside), trust()))
