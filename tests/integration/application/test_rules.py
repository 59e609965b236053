"""Which rules count: the hospital's for what is new, a record's own for whatever follows."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest
from google.protobuf.message import Message

from ledger.api.v1 import common_pb2, records_pb2
from ledger.application.ledger import Ledger
from ledger.application.rules_in_force import FRESH_SECONDS, RulesInForce
from ledger.config import Settings
from ledger.domain import hospital_rules
from ledger.domain.defaults import DEFAULT_PACK, shipped_rules
from ledger.domain.hospital_rules import pack_and_data
from ledger.domain.refusal import RefusalKind, Refused
from ledger.domain.rule_pack import BadRulePack, RulePack
from ledger.domain.rulebook import PackText
from ledger.store.reading import EventReader, ReservationRow
from tests.contract.edge import requests
from tests.contract.edge.rulebook_requests import add_pack, add_templates, choose
from tests.integration.application.written import HOSPITAL, execute, record_under_care, registered_patient, superuser
from tests.services.postgres import Database
from tests.services.sealed import open_ledger


async def test_a_record_goes_by_the_rules_of_its_registration(ledger: Ledger, other: Ledger) -> None:
    """The hospital has changed to another pack: an older record is handed in by the old one, a new one by the new."""
    old = await record_under_care(ledger)
    await _on_rulebook(ledger, choose("us-generic"))
    new = await record_under_care(other)
    view = await other.record(HOSPITAL, new)
    assert (view.state.rule_pack, view.state.retention_class) == ("us-generic", "adult")
    assert "course_note" in await _missing(other, str(old))
    assert "course_note" not in await _missing(other, str(new))


async def test_a_pack_of_a_later_release_is_refused(settings: Settings, ledger: Ledger, database: Database) -> None:
    """Nothing is registered under rules that this release cannot apply."""
    await execute(ledger, requests.register_patient())
    await superuser(database.url, "UPDATE ledger_control.hospitals SET rule_pack = 'mars-2199'")
    changed = await open_ledger(settings)
    try:
        with pytest.raises(Refused) as refused:
            await execute(changed, requests.register_patient())
    finally:
        await changed.close()
    assert refused.value.kind is RefusalKind.STATE
    assert [each.rule for each in refused.value.violations] == ["UNKNOWN_RULE_PACK"]


async def _missing(ledger: Ledger, record_id: str) -> str:
    """What is said of a record that is handed in with no entry at all."""
    end = records_pb2.EndCareRequest(
        context=requests.context(), record_id=record_id, disposition=common_pb2.DISPOSITION_HOME
    )
    await execute(ledger, end)
    with pytest.raises(Refused) as refused:
        await execute(ledger, records_pb2.SubmitRecordRequest(context=requests.context(), record_id=record_id))
    return " ".join(f"{each.field} {each.rule} {each.text}" for each in refused.value.violations)


async def test_a_second_is_read_once_for_all_who_ask_at_once(ledger: Ledger) -> None:
    """Every command under way would else read the rulebook when a second is over, all at the same time."""
    tenant = await ledger._tenants.of(HOSPITAL)  # pyright: ignore[reportPrivateUsage]
    reader, seconds = _CountingReader(ledger._readers), [10.0]  # pyright: ignore[reportPrivateUsage]
    rules = RulesInForce(tenant.ledger, reader, tenant.keys, shipped_rules(), DEFAULT_PACK, lambda: seconds[0])
    await asyncio.gather(*(rules.knowing(None) for _ in range(20)))
    assert reader.reads == 1
    seconds[0] += FRESH_SECONDS
    await asyncio.gather(*(rules.knowing(None) for _ in range(20)))
    assert reader.reads == 2


class _CountingReader(EventReader):
    """Counts the looks for the rulebook."""

    reads = 0

    async def reservation(self, hospital: str, kind: str, key: bytes) -> ReservationRow | None:
        self.reads += 1
        return await super().reservation(hospital, kind, key)


async def test_care_goes_on_under_a_pack_that_cannot_be_read(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Care begins and a front end is told what is allowed; the keepers of the release's pack choose another one."""
    patient_id = await registered_patient(ledger)
    record_id = str((await execute(ledger, requests.register_record(patient_id))).record_id)
    for request in (add_templates(), add_pack(), choose()):
        await _on_rulebook(ledger, request)

    def of_a_later_release(text: PackText) -> tuple[RulePack, Mapping[str, Any]]:
        if text.id == "house":
            raise BadRulePack(("shape: no such key",))
        return pack_and_data(text)

    monkeypatch.setattr(hospital_rules, "pack_and_data", of_a_later_release)
    assert await _rules_broken(ledger, requests.register_record(patient_id, 2)) == ["UNREADABLE_RULE_PACK"]
    await execute(ledger, requests.start_care(record_id))
    outlook = await ledger.outlook(HOSPITAL)
    _, actions = await outlook.allowed_actions(UUID(record_id))
    assert "RecordEntry" in {each.name for each in actions if not each.reasons}
    await _on_rulebook(ledger, choose("cn-2010"))
    await execute(ledger, requests.register_record(patient_id, 2))


async def _on_rulebook(ledger: Ledger, request: Message) -> None:
    name = type(request).__name__.removesuffix("Request")
    await ledger.execute(f"ledger.api.v1.RulebookService/{name}", request)


async def _rules_broken(ledger: Ledger, request: Message) -> list[str]:
    with pytest.raises(Refused) as refused:
        await execute(ledger, request)
    return [each.rule for each in refused.value.violations]
