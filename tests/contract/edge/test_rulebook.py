"""Rule packs and templates added while the service runs, over both protocols."""

from __future__ import annotations

from uuid import uuid4

import pytest

from ledger.api.v1 import common_pb2 as common
from ledger.api.v1 import course_pb2 as course
from ledger.api.v1 import keeping_pb2 as keeping
from ledger.api.v1 import rulebook_pb2 as rulebook
from tests.contract.edge.clients import EdgeClient, RpcFailed
from tests.contract.edge.requests import PHYSICIAN, open_record
from tests.contract.edge.rulebook_requests import HOUSE, add_pack, add_templates, choose, context, triage_note

SERVICE = "RulebookService"
ARCHIVE = "{ roles = ['archive'], source = 'rule of the house', unconfirmed = false }"


async def test_a_pack_is_added_shown_and_chosen_without_a_restart(client: EdgeClient) -> None:
    """A record registered after the choice goes by it: its class, its deadlines, its template."""
    await client.call(f"{SERVICE}/AddTemplates", add_templates())
    added = await client.call(f"{SERVICE}/AddRulePack", add_pack())
    before = await open_record(client)
    assert (await _pack_in_force(client)).id == "cn-2010"
    chosen = await client.call(f"{SERVICE}/ChooseRulePack", choose())
    assert chosen.receipt.record_id == added.receipt.record_id, "one rulebook"
    in_force = await _pack_in_force(client)
    assert (in_force.id, list(in_force.layers), in_force.added_by.name) == ("house", ["cn-2010@1"], "Ms Hu")
    after = await open_record(client)
    assert (await client.call("RecordService/RecordEntry", triage_note(after.record_id))).receipt.events == 1
    rules = [await _deadlines(client, each.record_id) for each in (before, after)]
    assert ["triage" in each for each in rules] == [False, True]


async def test_who_holds_an_office_is_said_by_the_pack_in_force(client: EdgeClient) -> None:
    """Also for a record that was registered before it was chosen: an old record waits for no role that is gone."""
    before = await open_record(client)
    archive = common.Actor(id=str(uuid4()), name="Ms Gao", role="archive")
    ask = keeping.ExtendRetentionRequest(
        context=context(archive), record_id=before.record_id, retain_until="2190-01-01", cause="link"
    )
    assert ("context.actor.role", "ROLE_NOT_ALLOWED") in await _refused(client, ask)
    renamed = HOUSE.replace("[retention", f"[roles]\nextend_retention = {ARCHIVE}\n[retention", 1)
    await client.call(f"{SERVICE}/AddTemplates", add_templates())
    await client.call(f"{SERVICE}/AddRulePack", add_pack(renamed))
    await client.call(f"{SERVICE}/ChooseRulePack", choose())
    ask.context.CopyFrom(context(archive))
    # Only the phase is against it now.
    assert await _refused(client, ask) == [("", "PHASE_NOT_ALLOWED")]


async def _refused(client: EdgeClient, request: keeping.ExtendRetentionRequest) -> list[tuple[str, str]]:
    with pytest.raises(RpcFailed) as refused:
        await client.call("KeepingService/ExtendRetention", request)
    return refused.value.violations


async def test_a_shown_pack_says_where_each_figure_is_from(client: EdgeClient) -> None:
    """Those of the layer and those below it, terms of retention and loans as well as deadlines."""
    await client.call(f"{SERVICE}/AddTemplates", add_templates())
    await client.call(f"{SERVICE}/AddRulePack", add_pack())
    ask = rulebook.GetRulePackRequest(hospital="north", pack_id="house")
    found = await client.call(f"{SERVICE}/GetRulePack", ask)
    assert (found.text, found.time_zone, found.calendar_until) == (HOUSE, "Asia/Shanghai", "2026-12-31")
    figures = {each.name: (each.figure, each.unit, each.source, each.unconfirmed) for each in found.figures}
    assert figures["retention.INPATIENT"] == (40, "years", "rule of the house", False)
    assert figures["deadline.triage"] == (30, "minutes", "rule of the house", False)
    assert figures["keeping.loan_months"] == (1, "months", "one hospital's rule: 1 month", True)
    assert all(source for _, _, source, _ in figures.values())


async def test_a_broken_pack_is_refused_with_every_fault_and_its_line(client: EdgeClient) -> None:
    """Nothing is added; shapes and figures in one answer; the same of templates."""
    await client.call(f"{SERVICE}/AddTemplates", add_templates())
    broken = HOUSE.replace("years = 40", "years = 0").replace("figure = 30", "figure = 0")
    broken = broken.replace("version = 1", "version = 1\ncalendar = 1", 1)
    with pytest.raises(RpcFailed) as refused:
        await client.call(f"{SERVICE}/AddRulePack", add_pack(broken))
    assert (refused.value.code, refused.value.reason) == ("INVALID_ARGUMENT", "VALIDATION_FAILED")
    assert refused.value.violations == [("text", "BAD_RULE_PACK")] * 3
    wrong = [broken[: broken.index(each)].count("\n") + 1 for each in ("calendar = 1", "years = 0", "figure = 0")]
    lines = [int(each.removeprefix("line ").partition(":")[0]) for each in refused.value.texts]
    assert sorted(lines) == wrong
    with pytest.raises(RpcFailed) as refused:
        await client.call(f"{SERVICE}/AddTemplates", add_templates("[[template]]\n"))
    assert refused.value.violations == [("text", "BAD_TEMPLATES")] * 3
    listed = await client.call(f"{SERVICE}/ListRulePacks", rulebook.ListRulePacksRequest(hospital="north"))
    assert {each.id for each in listed.packs} == {"cn-2010", "core-2018", "us-generic"}


async def test_the_same_again_adds_nothing_and_other_content_is_refused(client: EdgeClient) -> None:
    """Under the same command id, under another one, and with another text."""
    await client.call(f"{SERVICE}/AddTemplates", add_templates())
    request = add_pack()
    first = await client.call(f"{SERVICE}/AddRulePack", request)
    assert (await client.call(f"{SERVICE}/AddRulePack", request)).receipt.repeated
    again = (await client.call(f"{SERVICE}/AddRulePack", add_pack())).receipt
    assert (again.events, again.record_id) == (0, first.receipt.record_id)
    with pytest.raises(RpcFailed) as refused:
        await client.call(f"{SERVICE}/AddRulePack", add_pack(HOUSE.replace("40", "41")))
    assert (refused.value.code, refused.value.violations) == ("ALREADY_EXISTS", [("text", "PACK_EXISTS")])


async def test_an_unknown_pack_version_is_refused(client: EdgeClient) -> None:
    """To choose and to look at."""
    with pytest.raises(RpcFailed) as refused:
        await client.call(f"{SERVICE}/ChooseRulePack", choose("cn-2010", 9))
    assert (refused.value.code, refused.value.violations) == ("NOT_FOUND", [("version", "UNKNOWN_RULE_PACK")])
    ask = rulebook.GetRulePackRequest(hospital="north", pack_id="cn-2010", version=9)
    with pytest.raises(RpcFailed) as unknown:
        await client.call(f"{SERVICE}/GetRulePack", ask)
    assert (unknown.value.code, unknown.value.reason) == ("NOT_FOUND", "UNKNOWN_RULE_PACK")


async def test_a_template_of_another_pack_is_refused(client: EdgeClient) -> None:
    """A record of the national pack does not take the house's template."""
    await client.call(f"{SERVICE}/AddTemplates", add_templates())
    ward = await open_record(client)
    with pytest.raises(RpcFailed) as refused:
        await client.call("RecordService/RecordEntry", triage_note(ward.record_id))
    assert refused.value.violations == [("content.template", "TEMPLATE_OF_OTHER_PACK")]


async def test_a_physician_does_not_change_the_rules(client: EdgeClient) -> None:
    """The pack in force names the roles that may."""
    request = add_templates()
    request.context.CopyFrom(context(PHYSICIAN))
    with pytest.raises(RpcFailed) as refused:
        await client.call(f"{SERVICE}/AddTemplates", request)
    assert (refused.value.code, refused.value.violations) == (
        "FAILED_PRECONDITION",
        [("context.actor.role", "ROLE_NOT_ALLOWED")],
    )


async def _pack_in_force(client: EdgeClient) -> rulebook.RulePackSummary:
    found = await client.call(f"{SERVICE}/GetRulePack", rulebook.GetRulePackRequest(hospital="north"))
    assert found.pack.in_force
    return found.pack


async def _deadlines(client: EdgeClient, record_id: str) -> set[str]:
    ask = course.GetDeadlinesRequest(hospital="north", record_id=record_id)
    found = await client.call("CourseService/GetDeadlines", ask)
    return {each.rule for each in found.deadlines}
