"""The decision on a signature by certificate. It adds to a version that stands; an amendment begins without one."""

from __future__ import annotations

from ledger.domain.certificate_values import CMS_BYTES_MAX, EVIDENCE_BYTES_MAX, EVIDENCE_MAX, RevocationEvidence
from ledger.domain.course_commands import CertifyEntry
from ledger.domain.course_events import EntryCertified
from ledger.domain.decision import Decision, Facts
from ledger.domain.faults import Faults
from ledger.domain.guards import begin, expect, on_record
from ledger.domain.refusal import RefusalKind
from ledger.domain.state import RecordState, StreamState

EVIDENCE_METHODS = frozenset({"ocsp", "crl"})


def certify_entry(command: CertifyEntry, state: StreamState | None, facts: Facts) -> Decision:
    """The signature was checked before, outside the core; here the record says whether it may stand."""
    record = expect(state, RecordState, "record_id")
    faults = begin(command, record, facts)
    check_evidence(command.cms, command.evidence, faults)
    verdict = facts.certificate
    if verdict is not None:
        faults.note_all(verdict.faults, RefusalKind.INVALID)
    faults.refuse_if_any()
    assert verdict is not None  # noqa: S101 - whatever the guards let pass was checked
    assert verdict.checked is not None  # noqa: S101 - its absence is a fault of the check
    event = EntryCertified(
        meta=facts.meta(),
        entry_id=command.entry_id,
        entry_version=command.entry_version,
        signed_bytes=verdict.signed_bytes,
        cms=command.cms,
        evidence=command.evidence,
        checked=verdict.checked,
    )
    return on_record(command.record_id, event)


def check_evidence(cms: bytes, evidence: tuple[RevocationEvidence, ...], faults: Faults) -> None:
    """Notes what is missing, too much, or of a kind that is not known: nothing of that is looked into."""
    faults.require(cms, "cms")
    if len(cms) > CMS_BYTES_MAX:
        faults.add("cms", "TOO_LARGE", f"at most {CMS_BYTES_MAX} bytes")
    if len(evidence) > EVIDENCE_MAX:
        faults.add("evidence", "TOO_MANY", f"at most {EVIDENCE_MAX}")
    if sum(len(each.der) for each in evidence) > EVIDENCE_BYTES_MAX:
        faults.add("evidence", "TOO_LARGE", f"at most {EVIDENCE_BYTES_MAX} bytes in all")
    for index, each in enumerate(evidence):
        if each.method not in EVIDENCE_METHODS:
            faults.add(f"evidence[{index}].method", "UNKNOWN_VALUE", "ocsp or crl")


DECISIONS = {CertifyEntry: certify_entry}
