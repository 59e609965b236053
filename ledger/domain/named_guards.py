"""What must be there for a command on a record to name anything.

`decide` refuses a command that names nothing known by the command's own demands. These say the same before anything is
named, so that the list of allowed actions offers no unsealing where nothing is sealed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ledger.domain.command_guards import is_finished
from ledger.domain.consultation_guards import CONSULTATION
from ledger.domain.course_state import Newborn
from ledger.domain.deadlines import deadlines, false_reports
from ledger.domain.decision import Facts
from ledger.domain.keeping_state import Missed
from ledger.domain.keeping_values import DisposalOpinion, SealMode
from ledger.domain.loan_guards import may_be_renewed
from ledger.domain.newborns import entries_about, listed_about
from ledger.domain.refusal import Violation
from ledger.domain.sealed_versions import behind
from ledger.domain.state import Entry, RecordState
from ledger.domain.state_guards import NOT_FULLY_SEALED, NOT_HELD, OPEN_TRANSFERS, StateGuard
from ledger.domain.transfer_state import ANSWERABLE, UNANSWERED, run_out
from ledger.domain.values import EntryState, Phase


def _some_by(rule: str, demand: str, found: Callable[[RecordState, Facts], object]) -> StateGuard:
    def faults(record: RecordState, facts: Facts) -> Iterator[Violation]:
        if not found(record, facts):
            yield Violation("record_id", rule, demand)

    return StateGuard(rule, demand, faults)


def _some(rule: str, demand: str, found: Callable[[RecordState], object]) -> StateGuard:
    return _some_by(rule, demand, lambda record, _: found(record))


def _addable(record: RecordState, template: str | None = None) -> bool:
    """Whether a new entry may be added: in a window of a template that it names alone (None = of any)."""
    if record.phase is not Phase.REOPENED or record.overlays.reopening is None:
        return True
    named = record.overlays.reopening.templates
    return bool(named) if template is None else template in named


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


def _newborn_withdrawable(record: RecordState) -> bool:
    others = sum(not each.withdrawn for each in record.newborns.values()) > 1
    changeable = _changeable_newborns(record, withdrawn=False)
    return any(others or not any(entries_about(record, each.subject_id)) for each in changeable)


def _shown(record: RecordState) -> bool:
    return any(not each.retracted and is_finished(record, each) for each in record.entries.values())


def _missed(record: RecordState, facts: Facts) -> bool:
    missed = (each for each in deadlines(record, facts.pack, facts.now) if each.missed(facts.now))
    return any(Missed(each.rule, each.subject_id, each.due_at) not in record.overlays.missed for each in missed)


def _lists_to_approve_for(record: RecordState, facts: Facts) -> bool:
    disposal = record.archiving.disposal
    # What is kept waits for no list.
    if disposal is None or disposal.opinion is not DisposalOpinion.DESTROY:
        return True
    approved_for = disposal.list_id if disposal.approved_by is not None else None
    return bool(facts.open_lists - {approved_for})


def _approved_list_open(record: RecordState, facts: Facts) -> bool:
    disposal = record.archiving.disposal
    return disposal is None or disposal.approved_by is None or disposal.list_id in facts.open_lists


def _outdated(record: RecordState) -> bool:
    return any(
        each.outdated
        for each in (*record.overlays.copies.values(), *record.overlays.loans.values(), *record.transfers.values())
    )


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
ENTRY_SHOWN = _some("NO_ENTRY", "some entry stands that a copy may show", _shown)
TEMPLATE_NAMED = _some("NOT_NAMED", "in a window: the reopening names some template", _addable)
CONSULTATION_NAMED = _some(
    "NOT_NAMED",
    f"in a window: the reopening names the template {CONSULTATION}",
    lambda record: _addable(record, CONSULTATION),
)
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
SEAL_BEHIND = _some(
    "NOTHING_TO_SEAL",
    "something came since a seal was placed or extended",
    lambda it: any(behind(it, each) for each in it.overlays.seals.values()),
)
LOAN_RENEWABLE = _some_by(
    "NO_RENEWAL_LEFT",
    "some loan may be renewed",
    lambda it, facts: any(may_be_renewed(each, it, facts) for each in it.overlays.loans.values()),
)
LOAN_RUNS = _some("NO_LOAN", "it is on loan", lambda it: it.overlays.loans)
PAPER_HERE = _some(
    "NO_PAPER", "a scanned paper is in the house", lambda it: any(each.is_here for each in it.overlays.papers.values())
)
REQUEST_WAITS = _some(
    "NO_REQUEST",
    "a request of the patient waits for its answer",
    lambda it: any(each.granted is None for each in it.overlays.requests.values()),
)
HOLDER_WAITS = _some("NOTHING_TO_TELL", "somebody holds what was changed since", _outdated)
DEADLINE_MISSED = _some_by("NOT_MISSED", "some deadline was missed and nobody has reported it", _missed)
REPORT_FALSE = _some_by(
    "NOT_REPORTED",
    "a deadline was reported as missed and, by the record as it is now, was not",
    lambda it, facts: false_reports(it, facts.pack, facts.now),
)
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
NEWBORN_WITHDRAWABLE = _some(
    "NO_NEWBORN",
    "a newborn stands about whom nothing is held or sealed, and another one too, or no entry about it",
    _newborn_withdrawable,
)
OFFER_RUN_OUT = _some_by(
    "NO_TRANSFER",
    "an offer has run out that its recipient has not fetched",
    lambda it, facts: any(each.state in UNANSWERED and run_out(each, facts.now) for each in it.transfers.values()),
)
ANSWER_TO_OFFER = _some(
    "NO_TRANSFER",
    "some offer may still be answered",
    lambda it: any(each.state in ANSWERABLE for each in it.transfers.values()),
)
LIST_NAMES_IT = _some_by(
    "LIST_NOT_OPEN",
    "where it is to be destroyed: an approved destruction list names it, drawn up since it was appraised",
    _lists_to_approve_for,
)
LIST_STILL_OPEN = _some_by(
    "LIST_NOT_OPEN", "the destruction list that it was approved for is not reported yet", _approved_list_open
)
