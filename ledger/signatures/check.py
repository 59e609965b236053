"""The whole check of one signature by certificate: every fault by its name, or what was found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

from cryptography import x509

from ledger.domain.certificate_values import CertificateVerdict, CheckedCertificate, RevocationEvidence
from ledger.domain.refusal import Violation
from ledger.signatures import object_ids as oid
from ledger.signatures.certificate import nearest_valid, signs_documents, signs_time, validity_rule
from ledger.signatures.chain import chain_to
from ledger.signatures.cms import CmsFault, SignedData, parse_signed_data
from ledger.signatures.revocation import Evidence, EvidenceFault, Standing, load_evidence, revocation_of, standing_rule
from ledger.signatures.rules import RULES
from ledger.signatures.signature_value import signature_rules
from ledger.signatures.time_token import TimeToken, parse_time_token, token_rules
from ledger.signatures.trust import HospitalTrust, fingerprint

AHEAD_MAX = timedelta(minutes=5)
"""How far the clocks of authorities may be ahead of this one."""


@dataclass(frozen=True)
class Given:
    """A signature, and what the ledger knows of what it should be."""

    signed_bytes: bytes
    signer_id: UUID
    cms: bytes
    evidence: tuple[RevocationEvidence, ...]
    recorded_at: datetime
    """When the version was recorded: nothing over it is older."""
    now: datetime


def check_signature(given: Given, trust: HospitalTrust) -> CertificateVerdict:
    """The verdict. It believes nothing that is not proven by the hospital's anchors."""
    found = _Findings()
    checked = _checked(given, trust, found)
    return CertificateVerdict(given.signed_bytes, None if found.faults else checked, tuple(found.faults))


class _Findings:
    def __init__(self) -> None:
        self.faults: list[Violation] = []

    def add(self, field: str, *rules: str | None) -> None:
        """Notes rules that are broken, each once at its field."""
        known = {(each.field, each.rule) for each in self.faults}
        new = (rule for rule in dict.fromkeys(rules) if rule is not None and (field, rule) not in known)
        self.faults += [Violation(field, rule, RULES[rule]) for rule in new]


def _checked(given: Given, trust: HospitalTrust, found: _Findings) -> CheckedCertificate | None:
    try:
        signed = parse_signed_data(given.cms)
    except CmsFault:
        return found.add("cms", "MALFORMED_SIGNATURE")
    certificate, evidence = signed.signers_certificate, _evidence(given, signed, found)
    found.add("cms", "NOT_DETACHED" if signed.content is not None else None)
    if certificate is None:
        return found.add("cms", "NO_SIGNERS_CERTIFICATE")
    found.add("cms", *signature_rules(signed, given.signed_bytes, certificate))
    found.add("cms", *_rules_of_certificate(certificate, given, trust))
    token = _token(signed, found)
    _check_token(token, given, trust, evidence, found)
    if token is not None:
        found.add("cms", validity_rule(certificate, token.at))
    chain = chain_to(certificate, signed.certificates, trust.anchors, nearest_valid(certificate, given.now))
    if chain is None:
        return found.add("cms", "CHAIN_NOT_TRUSTED")
    standing = _check_revocation(chain, evidence, given, trust, found)
    return None if standing is None else _found(given, trust, chain, standing, token)


def _rules_of_certificate(certificate: x509.Certificate, given: Given, trust: HospitalTrust) -> Iterator[str | None]:
    yield validity_rule(certificate, given.now)
    yield None if signs_documents(certificate) else "WRONG_KEY_USAGE"
    own = trust.signers.get(given.signer_id, frozenset())
    yield None if fingerprint(certificate) in own else "NOT_THE_ACTORS_CERTIFICATE"


def _evidence(given: Given, signed: SignedData, found: _Findings) -> list[Evidence]:
    inside = [*(("crl", each) for each in signed.crls), *(("ocsp", each) for each in signed.ocsp_responses)]
    beside = [(each.method, each.der) for each in given.evidence]
    named = [*(("cms", *each) for each in inside), *((f"evidence[{at}]", *each) for at, each in enumerate(beside))]
    read: list[Evidence] = []
    for field, method, der in named:
        try:
            read.append(load_evidence(method, der))
        except EvidenceFault:
            found.add(field, "MALFORMED_EVIDENCE")
    return read


def _check_revocation(
    chain: Sequence[x509.Certificate],
    evidence: Sequence[Evidence],
    given: Given,
    trust: HospitalTrust,
    found: _Findings,
) -> Standing | None:
    """Notes each certificate below the anchor that is revoked, or of which nothing shows that it is not."""
    of_signer: Standing | None = None
    for certificate, issuer in pairwise(chain):
        said = revocation_of(certificate, issuer, evidence, given.now)
        rule, standing = standing_rule(said, given.now, trust.evidence_age_max, AHEAD_MAX)
        found.add("evidence", rule)
        of_signer = standing if certificate is chain[0] else of_signer
    return of_signer


def _token(signed: SignedData, found: _Findings) -> TimeToken | None:
    values = signed.signer.unsigned.get(oid.TIME_STAMP_TOKEN)
    if values is None:
        return None
    try:
        (only,) = values
        return parse_time_token(only.der)
    except ValueError:  # or several where one is meant
        return found.add("cms", "MALFORMED_TIME_TOKEN")


def _check_token(
    token: TimeToken | None, given: Given, trust: HospitalTrust, evidence: Sequence[Evidence], found: _Findings
) -> None:
    if token is None:
        malformed = any(each.rule == "MALFORMED_TIME_TOKEN" for each in found.faults)
        return found.add("cms", "TIME_TOKEN_REQUIRED" if trust.token_required and not malformed else None)
    signature = parse_signed_data(given.cms).signer.signature
    found.add("cms", *token_rules(token, signature))
    found.add("cms", None if signs_time(token.authority) else "TIME_TOKEN_WRONG_USAGE")
    in_time = given.recorded_at - AHEAD_MAX <= token.at <= given.now + AHEAD_MAX
    found.add("cms", None if in_time else "TIME_TOKEN_OUT_OF_TIME")
    found.add("cms", "TIME_AUTHORITY_NOT_VALID" if validity_rule(token.authority, token.at) else None)
    at = nearest_valid(token.authority, token.at)
    chain = chain_to(token.authority, token.signed.certificates, trust.time_anchors, at) if trust.time_anchors else None
    if chain is None:
        return found.add("cms", "TIME_AUTHORITY_NOT_TRUSTED")
    pairs = pairwise(chain)
    # Of a time authority no evidence is demanded: the operator takes its anchor out. What is given is believed.
    said = (each for below, above in pairs for each in revocation_of(below, above, evidence, given.now))
    return found.add("cms", "TIME_AUTHORITY_REVOKED" if any(each.revoked for each in said) else None)


def _found(
    given: Given, trust: HospitalTrust, chain: Sequence[x509.Certificate], standing: Standing, token: TimeToken | None
) -> CheckedCertificate:
    certificate = chain[0]
    return CheckedCertificate(
        subject=certificate.subject.rfc4514_string(),
        issuer=certificate.issuer.rfc4514_string(),
        serial=f"{certificate.serial_number:x}",
        certificate_sha256=fingerprint(certificate),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        checked_at=given.now,
        revocation=standing.method,
        evidence_at=standing.since,
        anchor_sha256=fingerprint(chain[-1]),
        anchors_sha256=trust.anchors_sha256,
        proven_at=None if token is None else token.at,
        time_authority="" if token is None else token.authority.subject.rfc4514_string(),
    )
