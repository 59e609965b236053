"""What a record accepts now, as the contract's message."""

from __future__ import annotations

from uuid import UUID

from ledger.api.v1.common_pb2 import Violation
from ledger.api.v1.course_pb2 import AllowedAction, GetAllowedActionsRequest, GetAllowedActionsResponse
from ledger.application.ledger import Ledger
from ledger.domain.allowed_actions import Action
from ledger.domain.values import Actor
from ledger.server.arguments import invalid, required_uuid

NOBODY = UUID(int=0)


class AllowedActions:
    """The handler of CourseService.GetAllowedActions."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def get_allowed_actions(self, request: GetAllowedActionsRequest) -> GetAllowedActionsResponse:
        """Every command on the record, allowed or not, and why not."""
        record_id = required_uuid(request.record_id, "record_id")
        outlook = await self._ledger.outlook(request.hospital)
        version, actions = await outlook.allowed_actions(record_id, _asker(request), request.purpose)
        return GetAllowedActionsResponse(record_version=version, actions=[_action(each) for each in actions])


def _asker(request: GetAllowedActionsRequest) -> Actor | None:
    """Who asks, if that was said; without an id nobody is one of two persons yet."""
    if not request.role and not request.actor_id:
        return None
    if not request.role:
        raise invalid("role", "REQUIRED", "in which role the person acts")
    person = required_uuid(request.actor_id, "actor_id") if request.actor_id else NOBODY
    return Actor(person, role=request.role)


def _action(action: Action) -> AllowedAction:
    reasons = [Violation(field=each.field, rule=each.rule, text=each.text) for each in action.reasons]
    return AllowedAction(action=action.name, allowed=not reasons, reasons=reasons)
