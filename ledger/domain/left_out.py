"""Why a record that a destruction list names is not destroyed by it."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from ledger.domain.decision import Facts
from ledger.domain.disposal_values import ListedRecord
from ledger.domain.keeping_commands import ApproveDisposal, DestroyRecord
from ledger.domain.keeping_values import DisposalOpinion
from ledger.domain.lifecycle import state_faults
from ledger.domain.state import RecordState

ANOTHER_LIST = "DESTROYED_BY_ANOTHER_LIST"


def against_destruction(record: RecordState, listed: ListedRecord, list_id: UUID, facts: Facts) -> frozenset[str]:
    """Rules that hold against the approval or the destruction of the record now; `facts` are those of its term."""
    if record.archiving.destruction is not None:
        return frozenset({ANOTHER_LIST})
    by_state = (state_faults(each, record, facts) for each in (ApproveDisposal, DestroyRecord))
    return frozenset((*(fault.rule for faults in by_state for fault in faults), *_by_list(record, listed, list_id)))


def _by_list(record: RecordState, listed: ListedRecord, list_id: UUID) -> Iterator[str]:
    disposal = record.archiving.disposal
    if disposal is not None and disposal.opinion is not DisposalOpinion.DESTROY:
        yield "NOT_APPLICABLE"
    if disposal is not None and disposal.record_version >= listed.record_version:
        yield "APPRAISED_SINCE_LIST"
    if disposal is not None and disposal.list_id not in (None, list_id):
        yield "OTHER_LIST"
    if record.overlays.papers:
        # Whoever executes says whether the paper goes too; where it does not, the record stays.
        yield "PAPER_NOT_NAMED"
