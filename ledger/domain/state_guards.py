"""Guards on the record's state alone: they say, without any command, what is allowed now and why not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from ledger.domain.decision import Facts
from ledger.domain.keeping_values import DisposalOpinion, SealMode
from ledger.domain.mandatory_entries import MandatoryRule
from ledger.domain.missing_entries import FINAL, missing_entries
from ledger.domain.refusal import Violation
from ledger.domain.retention import open_stays, term_over
from ledger.domain.state import Entry, RecordState
from ledger.domain.subjects import about
from ledger.domain.values import EntryState, IdentityStatus, Phase, TransferState

RESTRICTED_PURPOSES = frozenset({"TREAT", "ETREAT", "RECORDMGT", "HLEGAL", "CLMATTCH", "HPAYMT", "PATRQT"})
"""Purposes (HL7 PurposeOfUse) left where use is restricted: care, storage, law, claims, the patient's own request."""

HANDOVER_PURPOSES = frozenset({"ETREAT", "HLEGAL", "CLMATTCH", "PATRQT"})
"""Those left for a record that leaves the hospital, where nobody can restrict its use any more: an emergency, law,
claims, and what the patient consents to or asks for."""

OPEN_TRANSFERS = frozenset(
    {
        TransferState.PROPOSED,
        TransferState.PACKAGED,
        TransferState.OFFERED,
        TransferState.DELIVERED,
        TransferState.VERIFIED,
    }
)

PHYSICIAN_IN_CHARGE = "physician_in_charge"
"""What AcceptDeficiency names in the place of a template where nobody can be named who was in charge."""

CARE_GOES_ON = frozenset({Phase.REGISTERED, Phase.ACTIVE})
"""Phases in which the patient is treated as whom the record names."""


@dataclass(frozen=True)
class StateGuard:
    """What a command demands of the record. `rule` is the code of the refusal, `demand` what people read."""

    rule: str
    demand: str
    faults: Callable[[RecordState, Facts], Iterable[Violation]]


def _guard(rule: str, demand: str, holds: Callable[[RecordState, Facts], bool]) -> StateGuard:
    def faults(record: RecordState, facts: Facts) -> Iterable[Violation]:
        return () if holds(record, facts) else (Violation("record_id", rule, demand),)

    return StateGuard(rule, demand, faults)


def _missing(record: RecordState, facts: Facts) -> Iterator[tuple[str, int, MandatoryRule]]:
    # Care that an earlier system gave is documented there; nobody can write its documents now.
    if not (record.historical and record.care_historical):
        yield from missing_entries(record, facts.pack.mandatory, facts.pack.short_stay)


def lacks(record: RecordState, facts: Facts, named: str) -> bool:
    """Whether what AcceptDeficiency names by template is owed, and neither there nor accepted as never written."""
    if named == PHYSICIAN_IN_CHARGE:
        return bool(SOMEBODY_IN_CHARGE.faults(record, facts))
    return any(template == named for template, _, _ in _missing(record, facts))


def _mandatory_missing(record: RecordState, facts: Facts) -> Iterable[Violation]:
    for template, times, rule in _missing(record, facts):
        wanted = f"{times} signed entries {template} are" if times > 1 else f"a signed {template} is"
        text = f"{wanted} required ({rule.id}: {rule.described()})"
        yield Violation("record_id", "MISSING_ENTRY", text)


def _unsigned(record: RecordState, _: Facts) -> Iterable[Violation]:
    for entry in record.entries.values():
        if (
            entry.state is not EntryState.DRAFT
            and _waits(entry)
            and entry.entry_id not in record.archiving.deficiencies
        ):
            yield Violation(f"entries[{entry.entry_id}]", "NOT_SIGNED", "waits for a signature")


def _deficient(record: RecordState, facts: Facts) -> bool:
    settled = record.archiving.deficiencies
    waiting = (each.entry_id for each in record.entries.values() if each.state is EntryState.AUTHORED)
    if any(each not in settled for each in waiting) or any(_missing(record, facts)):
        return True
    return lacks(record, facts, PHYSICIAN_IN_CHARGE)


def _signed(entry: Entry) -> bool:
    """Whether somebody qualified has signed it, or it was taken over as an earlier system held it."""
    finished = entry.state in FINAL or (entry.last.historical and entry.state is not EntryState.DRAFT)
    return finished and not entry.retracted


def _waits(entry: Entry) -> bool:
    # What an earlier system holds is taken as it is: nobody can sign today what was written then.
    return not entry.retracted and not entry.last.historical and entry.state not in FINAL


def _drafts(record: RecordState, _: Facts) -> Iterable[Violation]:
    for entry in record.entries.values():
        if entry.state is EntryState.DRAFT:
            yield Violation(f"entries[{entry.entry_id}]", "OPEN_DRAFT", "a draft is signed or retracted first")


def _original_sealed(record: RecordState) -> bool:
    return any(seal.mode is SealMode.ORIGINAL for seal in record.overlays.seals.values())


def _sealed_after_care(record: RecordState) -> bool:
    # Who is treated under a stranger's name does not wait for the other side: the versions that are sealed stay as they
    # are, and that the record is another's lies beside the seal until an extension lists it.
    return record.phase not in CARE_GOES_ON and _original_sealed(record)


def _fully_sealed(record: RecordState) -> bool:
    originals = [seal for seal in record.overlays.seals.values() if seal.mode is SealMode.ORIGINAL]
    # What was sealed as a whole stays so, whatever is filed beside it later.
    if any(seal.whole for seal in originals):
        return True
    sealed = {each.entry_id for seal in originals for each in seal.versions}
    finished = (each for each in record.entries.values() if each.state is not EntryState.DRAFT)
    return bool(sealed) and all(entry.entry_id in sealed for entry in finished)


def _window_open(record: RecordState, facts: Facts) -> bool:
    reopening = record.overlays.reopening
    # Only a reopened record has a window that can be over.
    return reopening is None or reopening.expires_at is None or facts.now <= reopening.expires_at


def _request_lapsed(record: RecordState, facts: Facts) -> bool:
    reopening = record.overlays.reopening
    if reopening is None or reopening.expires_at is not None:
        return False
    return facts.now > reopening.requested_at + timedelta(hours=facts.pack.keeping.reopen_hours)


def _no_reopening(record: RecordState, facts: Facts) -> bool:
    # A request that nobody approved in time stands in the way of nothing, or the record could never be opened again.
    return record.overlays.reopening is None or _request_lapsed(record, facts)


def _led_here(record: RecordState, facts: Facts) -> bool:
    return bool(record.source_system) and any(each and each[0] == record.source_system for each in facts.taken_back)


def _appraised_as_it_is(record: RecordState) -> bool:
    disposal = record.archiving.disposal
    if disposal is None or record.overlays.content_version > disposal.record_version:
        return False
    return all(entry.last.record_version <= disposal.record_version for entry in record.entries.values())


MANDATORY_THERE = StateGuard(
    "MISSING_ENTRY", "every mandatory entry about the patient is there and signed", _mandatory_missing
)
ALL_SIGNED = StateGuard("NOT_SIGNED", "every entry is signed by somebody qualified, or retracted", _unsigned)
NO_DRAFT = StateGuard("OPEN_DRAFT", "no draft is open", _drafts)
QUALITY_PASSED = _guard(
    "QUALITY_NOT_PASSED",
    "quality control has passed it",
    lambda record, _: record.archiving.passed or record.phase is not Phase.SUBMITTED,
)
NOT_PASSED = _guard(
    "ALREADY_PASSED", "quality control has not passed it yet", lambda record, _: not record.archiving.passed
)
SAMPLE_MENDED = _guard(
    "NOT_MENDED",
    "what a sample found last was good enough, or the record was archived again since",
    # By version and not by time: both may bear one moment.
    lambda record, _: (
        record.archiving.sample is None
        or record.archiving.sample.passed
        or record.archiving.rearchived_version > record.archiving.sampled_version
    ),
)
ENTRY_THERE = _guard(
    "NO_ENTRY",
    "it holds a signed entry about the patient that was not retracted, unless an earlier system gave the care",
    lambda record, _: record.care_historical or any(_signed(entry) for entry in about(record)),
)
SOMEBODY_IN_CHARGE = _guard(
    "NOBODY_IN_CHARGE",
    "somebody is in charge, or that nobody was is accepted as a defect, unless an earlier system gave the care",
    lambda record, _: (
        record.responsible is not None
        or record.care_historical
        or PHYSICIAN_IN_CHARGE in record.archiving.never_written
    ),
)
SOMETHING_DEFICIENT = _guard(
    "NOTHING_MISSING",
    "some entry waits for a signature, or something that is owed is missing",
    _deficient,
)
NOT_IN_ERROR = _guard("IN_ERROR", "it was not entered in error", lambda record, _: not record.archiving.in_error)
NO_ENTRIES = _guard("HAS_ENTRIES", "it holds no entry", lambda record, _: not record.entries)
ALL_RETRACTED = _guard(
    "ENTRIES_NOT_RETRACTED",
    "every entry is retracted",
    lambda record, _: all(entry.retracted for entry in record.entries.values()),
)
IDENTITY_MATCHED = _guard(
    "IDENTITY_UNVERIFIED",
    "the patient's identity is established",
    lambda record, _: record.identity is IdentityStatus.MATCHED,
)
IDENTITY_OPEN = _guard(
    "IDENTITY_MATCHED",
    "the patient's identity is not established yet, or may be corrected: somebody identified the patient, or a source "
    "registered the stay whose item about the patient was taken back",
    lambda record, facts: not record.established or record.identified or _led_here(record, facts),
)
IDENTIFIED = _guard(
    "NOT_IDENTIFIED",
    "a provisional person was identified, which can be taken back",
    lambda record, _: record.identified and record.provisional is not None,
)
NOT_HELD = _guard("HELD", "no hold stands", lambda record, _: not record.overlays.holds)
NOT_SEALED = _guard("SEALED", "no seal stands", lambda record, _: not record.overlays.seals)
NOT_FULLY_SEALED = _guard(
    "FULLY_SEALED", "the original is not sealed as a whole", lambda record, _: not _fully_sealed(record)
)
NOT_HELD_AS_A_WHOLE = _guard(
    "HELD",
    "no hold stands that lists everything that there was",
    lambda record, _: not any(each.whole for each in record.overlays.holds.values()),
)
IDENTITY_NOT_HELD = _guard(
    "HELD",
    "of an identification that is corrected: no hold stands",
    lambda record, _: not (record.established and record.overlays.holds),
)
NO_ORIGINAL_SEALED = _guard("SEALED", "no seal of an original stands", lambda record, _: not _original_sealed(record))
ORIGINAL_NOT_SEALED = _guard(
    "SEALED",
    "once care is over: no seal of an original stands",
    lambda record, _: not _sealed_after_care(record),
)
IDENTITY_NOT_SEALED = _guard(
    "SEALED",
    "of an identification that is corrected once care is over: no seal of an original stands",
    lambda record, _: not (record.established and _sealed_after_care(record)),
)
NOT_LENT = _guard("LENT", "it is not on loan", lambda record, _: not record.overlays.loans)
NO_OPEN_TRANSFER = _guard(
    "OPEN_TRANSFER",
    "no transfer is open",
    lambda record, _: all(each.state not in OPEN_TRANSFERS for each in record.transfers.values()),
)
PAPER_ACCOUNTED = _guard(
    "PAPER_NOT_ACCOUNTED",
    "of every paper it was said what became of it",
    lambda record, _: all(paper.outcome is not None for paper in record.overlays.papers.values()),
)
NO_OPEN_STAY = _guard("OPEN_STAY", "no stay of the patient goes on", lambda _, facts: not open_stays(facts))
TERM_OVER = _guard(
    "TERM_NOT_OVER",
    "the retention term is over, counted from the patient's last visit",
    term_over,
)
USE_ALLOWED = _guard(
    "USE_RESTRICTED",
    "where use is restricted: the purpose is said, and is care, storage, law, a claim or the patient's own request",
    lambda record, facts: not record.overlays.restricted or facts.context.purpose in RESTRICTED_PURPOSES,
)
HANDOVER_ALLOWED = _guard(
    "USE_RESTRICTED",
    "where use is restricted: the purpose is said, and is an emergency, law, a claim, or the patient consents (PATRQT)",
    lambda record, facts: not record.overlays.restricted or facts.context.purpose in HANDOVER_PURPOSES,
)
USE_IS_RESTRICTED = _guard("NOT_RESTRICTED", "its use is restricted", lambda record, _: record.overlays.restricted)
NO_REOPENING = _guard("REOPENING_ASKED", "no reopening is under way", _no_reopening)
REQUEST_STANDS = _guard(
    "REQUEST_LAPSED",
    "the request is no older than the pack's longest window",
    lambda record, facts: not _request_lapsed(record, facts),
)
REOPENING_ASKED = _guard(
    "NO_REOPENING", "a reopening was asked for", lambda record, _: record.overlays.reopening is not None
)
WINDOW_OPEN = _guard("WINDOW_OVER", "the window of the reopening is open", _window_open)
NOT_APPRAISED = _guard(
    "ALREADY_APPRAISED", "nobody has appraised it as it is now", lambda record, _: not _appraised_as_it_is(record)
)
APPRAISED_AS_IT_IS = _guard(
    "CHANGED_SINCE_APPRAISAL",
    "nothing was written into it since it was appraised",
    lambda record, _: record.archiving.disposal is None or _appraised_as_it_is(record),
)
NO_OPEN_REQUEST = _guard(
    "OPEN_REQUEST",
    "no request of the patient waits for its answer",
    lambda record, _: all(each.granted is not None for each in record.overlays.requests.values()),
)
APPRAISED = _guard(
    "NOT_APPRAISED", "somebody has appraised it", lambda record, _: record.archiving.disposal is not None
)
DESTRUCTION_APPROVED = _guard(
    "NOT_APPROVED",
    "its destruction was approved",
    lambda record, _: (
        record.archiving.disposal is not None
        and record.archiving.disposal.opinion is DisposalOpinion.DESTROY
        and record.archiving.disposal.approved_by is not None
    ),
)
