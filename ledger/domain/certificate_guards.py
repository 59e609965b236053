"""Who may add a signature by certificate to a version, and to which."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from ledger.domain.command_guards import NOT_PERSONS, CommandGuard, entry_of
from ledger.domain.decision import Facts
from ledger.domain.refusal import Violation
from ledger.domain.state import EntryVersion, RecordState
from ledger.domain.state_guards import StateGuard
from ledger.domain.values import Attestation

BY_LOGIN = "session"


def own_attestation(version: EntryVersion, signer_id: UUID) -> Attestation | None:
    """What that person confirmed of a version by login, as its author or as the superior; None = nothing."""
    found = (each for each in _logins(version) if each.signer is not None and each.signer.id == signer_id)
    return next(found, None)


def is_certified(version: EntryVersion, signer_id: UUID) -> bool:
    """Whether that person's certificate signed the version before."""
    return any(each.signer.id == signer_id for each in version.certified)


def _not_signer(command: Any, record: RecordState, facts: Facts) -> Iterable[Violation]:
    entry = entry_of(command, record)
    if entry is not None and own_attestation(entry.last, facts.context.actor.id) is None:
        yield Violation("context.actor", SIGNER_AGAIN.rule, SIGNER_AGAIN.demand)


def _certified_before(command: Any, record: RecordState, facts: Facts) -> Iterable[Violation]:
    entry = entry_of(command, record)
    if entry is not None and is_certified(entry.last, facts.context.actor.id):
        yield Violation("context.actor", NOT_CERTIFIED.rule, NOT_CERTIFIED.demand)


def _certificates_off(_: RecordState, facts: Facts) -> Iterable[Violation]:
    if not facts.certifies:
        yield Violation("cms", CERTIFICATES_ON.rule, CERTIFICATES_ON.demand)


def _nothing_certifiable(record: RecordState, _: Facts) -> Iterable[Violation]:
    if not any(_waits_for_certificate(each.last) for each in record.entries.values() if not each.retracted):
        yield Violation("record_id", SOME_CERTIFIABLE.rule, SOME_CERTIFIABLE.demand)


def _waits_for_certificate(version: EntryVersion) -> bool:
    """Whether some person's login stands behind the version, and no certificate beside it."""
    signers = (each.signer for each in _logins(version))
    persons = (each for each in signers if each is not None and each.role not in NOT_PERSONS)
    return any(not is_certified(version, each.id) for each in persons)


def _logins(version: EntryVersion) -> Iterator[Attestation]:
    """What was confirmed by login here; what an earlier system says of its own logins nobody confirmed here."""
    for each in (version.attestation, version.countersignature):
        if each is not None and each.method == BY_LOGIN and not version.historical:
            yield each


CERTIFICATES_ON = StateGuard(
    "CERTIFICATES_OFF", "the hospital's anchors and its register of certificates are set", _certificates_off
)
SIGNER_AGAIN = CommandGuard("NOT_SIGNER", "who signed this version by login adds the own certificate", _not_signer)
NOT_CERTIFIED = CommandGuard(
    "ALREADY_CERTIFIED", "the own certificate has not signed this version yet", _certified_before
)
SOME_CERTIFIABLE = StateGuard(
    "NOTHING_TO_CERTIFY", "some version that stands was signed by login alone", _nothing_certifiable
)
