"""A hospital's rule packs, as the contract's messages."""

from __future__ import annotations

from ledger.api.v1 import rulebook_pb2 as messages
from ledger.api.v1.common_pb2 import Actor as ActorMessage
from ledger.application.errors import UnknownRulePack
from ledger.application.ledger import Ledger
from ledger.application.message_codec import set_timestamp, to_message
from ledger.domain.hospital_rules import HospitalRules, pack_and_data
from ledger.domain.pack_figures import Figure
from ledger.domain.pack_roles import NoRoles
from ledger.domain.rule_pack import BadRulePack, RulePack
from ledger.domain.rulebook import PackName, PackText


class Rulebook:
    """Handlers of RulebookService that are not commands."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def list_rule_packs(self, request: messages.ListRulePacksRequest) -> messages.ListRulePacksResponse:
        """Every pack; there are as few as the rulebook's limits allow."""
        rules = await self._ledger.rules(request.hospital)
        book = await self._ledger.rulebook_id(request.hospital)
        packs = [_summary(each, rules) for each in rules.all_packs()]
        return messages.ListRulePacksResponse(packs=packs, rulebook_id=str(book or ""))

    async def get_rule_pack(self, request: messages.GetRulePackRequest) -> messages.GetRulePackResponse:
        """One pack with its text and figures."""
        rules = await self._ledger.rules(request.hospital)
        pack = rules.pack_text(_wanted(request, rules))
        if pack is None:
            raise UnknownRulePack
        read = _read(pack)
        return messages.GetRulePackResponse(
            pack=_summary(pack, rules),
            text=pack.text,
            figures=[_figure(each) for each in read.figures] if read else (),
            time_zone=read.deadlines.calendar.zone if read else "",
            calendar_until=last_dated_day(read) if read else "",
        )


def last_dated_day(pack: RulePack | NoRoles) -> str:
    """Until when the pack's calendar knows the days off; empty where it knows of none."""
    until = None if isinstance(pack, NoRoles) else pack.deadlines.calendar.dated_until
    return until.isoformat() if until else ""


def _wanted(request: messages.GetRulePackRequest, rules: HospitalRules) -> PackName:
    if not request.pack_id:
        return rules.in_force or ("", 0)
    versions = [each.version for each in rules.all_packs() if each.id == request.pack_id]
    return request.pack_id, request.version or max(versions, default=0)


def _summary(pack: PackText, rules: HospitalRules) -> messages.RulePackSummary:
    message = messages.RulePackSummary(
        id=pack.id,
        version=pack.version,
        sha256=pack.sha256,
        layers=[f"{each.id}@{each.version}" for each in pack.layers],
        in_force=rules.in_force == pack.name,
        readable=_read(pack) is not None,
    )
    added = rules.book.packs.get(pack.name)
    if added is not None:
        message.added_by.CopyFrom(to_message(added.added_by, ActorMessage))
        set_timestamp(message.added_at, added.added_at)
    return message


def _read(pack: PackText) -> RulePack | None:
    """The pack; None where this release cannot read it."""
    try:
        return pack_and_data(pack)[0]
    except BadRulePack:
        return None


def _figure(each: Figure) -> messages.RuleFigure:
    return messages.RuleFigure(
        name=each.name, figure=each.figure, unit=each.unit, source=each.source, unconfirmed=each.unconfirmed
    )
