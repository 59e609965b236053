"""A signature by certificate stands beside a login, over the one version that it was made for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ledger.domain.allowed_actions import allowed_actions
from ledger.domain.certificate_values import (
    CMS_BYTES_MAX,
    EVIDENCE_BYTES_MAX,
    EVIDENCE_MAX,
    CertificateVerdict,
    Certified,
    RevocationEvidence,
)
from ledger.domain.commands import AmendEntry
from ledger.domain.course_commands import CertifyEntry, CountersignEntry
from ledger.domain.course_events import EntryCertified
from ledger.domain.refusal import RefusalKind, Violation
from ledger.domain.sealed_versions import acts_since
from ledger.domain.values import AmendmentKind, EntryState
from tests.unit.domain.given import (
    CHECKED,
    CLOCK,
    NOW,
    PHYSICIAN,
    RECORD,
    RESULT,
    SUPERIOR,
    TRAINEE,
    Stream,
    active,
    facts,
    note,
    signed,
)
from tests.unit.domain.refusals import certify, seal

pytestmark = pytest.mark.unit
LIST = RevocationEvidence("crl", b"list")


def test_it_is_added_to_the_version_with_everything_that_proves_it() -> None:
    """Bytes, signature, evidence and what was checked stand in the event; the version's state is as before."""
    stream = active()
    entry_id = stream.entry()
    stream.when(CertifyEntry(RECORD, entry_id, 1, b"cms", (LIST,)))
    event = stream.events[-1]
    assert isinstance(event, EntryCertified)
    assert CHECKED.checked is not None
    kept = (event.signed_bytes, event.cms, event.evidence, event.checked)
    assert kept == (CHECKED.signed_bytes, b"cms", (LIST,), CHECKED.checked)
    last = stream.record.entries[entry_id].last
    assert last.certified == (Certified(PHYSICIAN, CHECKED.checked, stream.record.version),)
    assert last.state is EntryState.SIGNED


def test_an_amendment_has_none_of_it() -> None:
    """The new version was never seen by the card; the older one keeps what it has."""
    stream = active()
    entry_id = stream.entry()
    stream.when(certify(entry_id))
    stream.when(AmendEntry(RECORD, entry_id, AmendmentKind.CORRECTION, "a slip", note("Better."), signed()))
    first, second = stream.record.entries[entry_id].versions
    assert (len(first.certified), second.certified) == (1, ())
    assert stream.refused(certify(entry_id))[1] == [("entry_version", "VERSION_CHANGED")]
    stream.when(certify(entry_id, version=2))


def test_author_and_superior_each_add_their_own() -> None:
    """Both names stand; nobody adds one for somebody who signed nothing."""
    stream = active()
    entry_id = stream.entry(signer=TRAINEE)
    assert stream.refused(certify(entry_id), actor=SUPERIOR)[1] == [("context.actor", "NOT_SIGNER")]
    stream.when(certify(entry_id), actor=TRAINEE)
    assert stream.refused(certify(entry_id), actor=TRAINEE)[1] == [("context.actor", "ALREADY_CERTIFIED")]
    stream.when(CountersignEntry(RECORD, entry_id, 1, signed(SUPERIOR)))
    stream.when(certify(entry_id), actor=SUPERIOR)
    last = stream.record.entries[entry_id].last
    assert [each.signer for each in last.certified] == [TRAINEE, SUPERIOR]
    assert last.state is EntryState.COUNTERSIGNED


def test_what_the_check_found_is_refused_with_every_fault_of_it() -> None:
    """Beside what the record itself holds against it, and nothing is written."""
    stream = active()
    faults = tuple(Violation("cms", rule, "") for rule in ("SIGNATURE_INVALID", "CERTIFICATE_EXPIRED"))
    verdict = CertificateVerdict(b"", None, faults)
    kind, found = stream.refused(certify(stream.entry()), certificate=verdict)
    assert (kind, found) == (RefusalKind.INVALID, [("cms", "SIGNATURE_INVALID"), ("cms", "CERTIFICATE_EXPIRED")])


@pytest.mark.parametrize(
    ("cms", "evidence", "fault"),
    [
        (b"", (), ("cms", "REQUIRED")),
        (b"x" * (CMS_BYTES_MAX + 1), (), ("cms", "TOO_LARGE")),
        (b"x", (LIST,) * (EVIDENCE_MAX + 1), ("evidence", "TOO_MANY")),
        (b"x", (replace(LIST, der=b"x" * (EVIDENCE_BYTES_MAX + 1)),), ("evidence", "TOO_LARGE")),
        (b"x", (LIST, replace(LIST, method="scvp")), ("evidence[1].method", "UNKNOWN_VALUE")),
    ],
)
def test_what_is_missing_too_large_or_unknown_is_refused_unread(
    cms: bytes, evidence: tuple[RevocationEvidence, ...], fault: tuple[str, str]
) -> None:
    """Nothing of it is looked into: the check was not asked."""
    stream = active()
    command = CertifyEntry(RECORD, stream.entry(), 1, cms, evidence)
    assert stream.refused(command, certificate=None) == (RefusalKind.INVALID, [fault])


def test_the_largest_that_is_let_in_is_kept() -> None:
    """The limits are what they say."""
    stream = active()
    largest = (replace(LIST, der=b"x" * (EVIDENCE_BYTES_MAX // EVIDENCE_MAX)),) * EVIDENCE_MAX
    stream.when(CertifyEntry(RECORD, stream.entry(), 1, b"x" * CMS_BYTES_MAX, largest))
    assert stream.last_events == ["EntryCertified"]


def test_a_login_of_an_earlier_system_is_none_here() -> None:
    """Nobody here saw it: what it stands behind gets no certificate, and waits for none."""
    stream = active()
    entry_id = stream.entry(historical=True, signer=PHYSICIAN)
    assert stream.refused(certify(entry_id))[1] == [("context.actor", "NOT_SIGNER")]
    assert not is_offered(stream)


def is_offered(stream: Stream) -> bool:
    """Whether the list of allowed actions offers a card to somebody."""
    actions = {each.name: each.reasons for each in allowed_actions(stream.record, facts())}
    return actions["CertifyEntry"] == ()


def test_a_seal_sees_a_signature_that_was_added_since() -> None:
    """As a countersignature: the seal can be extended by it."""
    stream = active()
    entry_id = stream.entry()
    seal(stream)
    (sealed,) = stream.record.overlays.seals.values()
    assert acts_since(stream.record, sealed) == []
    stream.when(certify(entry_id), now=NOW + timedelta(minutes=1))
    assert [of.entry_id for of, _ in acts_since(stream.record, sealed)] == [entry_id]


def test_what_a_program_signed_waits_for_nobodys_card() -> None:
    """A result that a system brought is no button for anybody."""
    stream = active()
    stream.entry(RESULT, signer=CLOCK)
    assert not is_offered(stream)
    stream.entry(signer=TRAINEE)
    assert is_offered(stream)
