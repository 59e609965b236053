"""What a record must hold for a command to name anything of it.

`decide` refuses a command that names nothing known by the command's own demands. These say the same before anything is
named, so that the list of allowed actions offers no unsealing where nothing is sealed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ledger.domain.course_state import Newborn
from ledger.domain.decision import Facts
from ledger.domain.keeping_values import SealMode
from ledger.domain.newborns import listed_about
from ledger.domain.refusal import Violation
from ledger.domain.state import Entry, RecordState
from ledger.domain.state_guards import NOT_FULLY_SEALED, NOT_HELD, OPEN_TRANSFERS, StateGuard
from ledger.domain.values import EntryState, Phase


def _some(rule: str, demand: str, found: Callable[[RecordState], object]) -> StateGuard:
    def faults(record: RecordState, _: Facts) -> Iterator[Violation]:
        if not found(record):
            yield Violation("record_id", rule, demand)

    return StateGuard(rule, demand, faults)


def _changeable(record: RecordState) -> Iterator[Entry]:
    """Entries that no hold, no seal of an original and no window keeps from being changed."""
    kept = {each.entry_id for hold in record.overlays.holds.values() for each in hold.versions}
    for seal in record.overlays.seals.values():
        kept |= {each.entry_id for each in seal.versions if seal.mode is SealMode.ORIGINAL}
    window = record.overlays.reopening if record.phase is Phase.REOPENED else None
    for entry in record.entries.values():
        named = window is None or entry.entry_id in window.entry_ids
        if not entry.retracted and entry.entry_id not in kept and named:
            yield entry


def _amendable(record: RecordState) -> bool:
    return any(entry.state is not EntryState.DRAFT for entry in _changeable(record))


def _time_changeable(record: RecordState, facts: Facts) -> Iterator[Violation]:
    kept = [*NOT_HELD.faults(record, facts), *NOT_FULLY_SEALED.faults(record, facts)]
    if kept and not _amendable(record):
        yield from kept


def _changeable_newborns(record: RecordState, *, withdrawn: bool) -> Iterator[Newborn]:
    """Newborns, taken back or not, about whom no hold and no seal of an original lists anything."""
    seals = (seal for seal in record.overlays.seals.values() if seal.mode is SealMode.ORIGINAL)
    keeping = (*record.overlays.holds.values(), *seals)
    for born in record.newborns.values():
        if born.withdrawn is withdrawn and not any(listed_about(record, each, born.subject_id) for each in keeping):
            yield born


def _linkable(record: RecordState) -> bool:
    stands = not record.archiving.in_error
    return any((stands and not each.withdrawn) or each.patient_id is not None for each in record.newborns.values())


def _stands(record: RecordState) -> bool:
    return any(not each.retracted and each.state is not EntryState.DRAFT for each in record.entries.values())


def _outdated(record: RecordState) -> bool:
    return any(each.outdated for each in (*record.overlays.copies.values(), *record.transfers.values()))


ENTRY_AMENDABLE = _some("NO_ENTRY", "some entry stands that nothing keeps from being amended", _amendable)
ENTRY_RETRACTABLE = _some(
    "NO_ENTRY", "some entry or draft stands that nothing keeps from being retracted", lambda it: any(_changeable(it))
)
ENTRY_WAITS = _some(
    "NO_ENTRY",
    "some entry waits for a superior's signature",
    lambda it: any(not each.retracted and each.state is EntryState.AUTHORED for each in it.entries.values()),
)
ENTRY_HELD = _some("NO_ENTRY", "it holds an entry", lambda it: it.entries)
ENTRY_FINISHED = _some(
    "NO_ENTRY",
    "some entry was finished, be it retracted since",
    lambda it: any(each.state is not EntryState.DRAFT for each in it.entries.values()),
)
ENTRY_STANDS = _some("NO_ENTRY", "some finished entry stands", _stands)
TIME_CHANGEABLE = StateGuard("HELD", "some time stands that no hold and no seal keeps", _time_changeable)
CONSULTANT_AWAITED = _some(
    "NO_CONSULTATION",
    "some consultation waits for the consultant",
    lambda it: any(each.arrived_at is None and each.withdrawn_at is None for each in it.consultations.values()),
)
ANSWER_AWAITED = _some(
    "NO_CONSULTATION",
    "some consultation waits for its answer",
    lambda it: any(not each.answered and each.withdrawn_at is None for each in it.consultations.values()),
)
HOLD_STANDS = _some("NO_HOLD", "a hold stands", lambda it: it.overlays.holds)
SEAL_STANDS = _some("NO_SEAL", "a seal stands", lambda it: it.overlays.seals)
LOAN_RUNS = _some("NO_LOAN", "it is on loan", lambda it: it.overlays.loans)
SCAN_THERE = _some("NO_SCAN", "a scanned paper is there", lambda it: it.overlays.papers)
REQUEST_WAITS = _some(
    "NO_REQUEST",
    "a request of the patient waits for its answer",
    lambda it: any(each.granted is None for each in it.overlays.requests.values()),
)
HOLDER_WAITS = _some("NOTHING_TO_TELL", "somebody holds what was changed since", _outdated)
MISSED_REPORTED = _some("NOT_REPORTED", "a deadline was reported as missed", lambda it: it.overlays.missed)
OFFER_OUT = _some(
    "NO_TRANSFER",
    "an offer is out",
    lambda it: any(each.state in OPEN_TRANSFERS for each in it.transfers.values()),
)
NEWBORN_LINKABLE = _some("NO_NEWBORN", "a newborn stands that was not entered in error, or is linked", _linkable)
NEWBORN_CHANGEABLE = _some(
    "NO_NEWBORN",
    "a newborn stands about whom nothing is held or sealed",
    lambda it: any(_changeable_newborns(it, withdrawn=False)),
)
NEWBORN_RESTORABLE = _some(
    "NO_NEWBORN",
    "a newborn was taken back about whom nothing is held or sealed",
    lambda it: any(_changeable_newborns(it, withdrawn=True)),
)
OFFERED_ONCE = _some("NO_TRANSFER", "it was offered to some hospital", lambda it: it.transfers)
