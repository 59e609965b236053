"""What a record accepts now, as the contract's message."""

from __future__ import annotations

from ledger.api.v1.common_pb2 import Violation
from ledger.api.v1.course_pb2 import AllowedAction, GetAllowedActionsRequest, GetAllowedActionsResponse
from ledger.application.ledger import Ledger
from ledger.domain.allowed_actions import Action
from ledger.server.arguments import required_uuid


class AllowedActions:
    """The handler of CourseService.GetAllowedActions."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def get_allowed_actions(self, request: GetAllowedActionsRequest) -> GetAllowedActionsResponse:
        """Every command on the record, allowed or not, and why not."""
        record_id = required_uuid(request.record_id, "record_id")
        version, actions = await (await self._ledger.outlook(request.hospital)).allowed_actions(record_id)
        return GetAllowedActionsResponse(record_version=version, actions=[_action(each) for each in actions])


def _action(action: Action) -> AllowedAction:
    reasons = [Violation(field=each.field, rule=each.rule, text=each.text) for each in action.reasons]
    return AllowedAction(action=action.name, allowed=not reasons, reasons=reasons)
