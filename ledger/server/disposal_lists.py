"""Destruction lists, which are kept for ever."""

from __future__ import annotations

from ledger.api.v1 import disposal_pb2 as messages
from ledger.api.v1.common_pb2 import Actor as ActorMessage
from ledger.api.v1.disposal_values_pb2 import CoveredRecord, DisposalListPhase, ListedRecord, ReportedRecord
from ledger.application.ledger import Ledger
from ledger.application.message_codec import set_timestamp, to_message
from ledger.application.views_of_state import DisposalListView
from ledger.server.arguments import required_uuid


class DisposalLists:
    """Handlers of DisposalService that are not commands."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def get_disposal_list(self, request: messages.GetDisposalListRequest) -> messages.GetDisposalListResponse:
        """A list as it stands."""
        list_id = required_uuid(request.list_id, "list_id")
        view = await self._ledger.disposal_list(request.hospital, list_id)
        return messages.GetDisposalListResponse(list=list_message(view))


def list_message(view: DisposalListView) -> messages.DisposalList:
    """The list with its records, the people and the report."""
    state = view.state
    message = messages.DisposalList(
        list_id=str(view.list_id),
        phase=DisposalListPhase.Value(f"DISPOSAL_LIST_PHASE_{state.phase}"),
        title=state.title,
        records=[to_message(each, ListedRecord) for each in state.records],
        supervisors=[to_message(each, ActorMessage) for each in state.supervisors],
        outcomes=[to_message(each, ReportedRecord) for each in state.outcomes],
        covered=[to_message(each, CoveredRecord) for each in state.covered],
    )
    for name in ("proposed_by", "approved_by", "approver"):
        actor = getattr(state, name)
        if actor is not None:
            getattr(message, name).CopyFrom(to_message(actor, ActorMessage))
    for name in ("drawn_up_at", "approved_at", "authorised_at", "executed_at"):
        at = getattr(state, name)
        if at is not None:
            set_timestamp(getattr(message, name), at)
    return message
