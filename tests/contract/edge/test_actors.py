"""The actor register over both protocols: ids that tell nothing, and people found again by their source."""

import asyncio
from uuid import UUID

import pytest

from ledger.api.v1 import common_pb2 as common
from ledger.api.v1 import records_pb2 as records
from tests.contract.edge.clients import EdgeClient, RpcFailed
from tests.contract.edge.conftest import RunningEdge
from tests.contract.edge.requests import PHYSICIAN, open_record, record_entry, register_patient

RPC = "PatientService/RegisterActor"


def imported(
    hospital: str = "north", id_: str = "p-7", name: str = "Dr. Wu", **actor: str
) -> records.RegisterActorRequest:
    """A person who comes from another system."""
    return records.RegisterActorRequest(
        hospital=hospital,
        actor=common.Actor(name=name, role="physician", **actor),
        source=common.SourceItem(system="urn:his", type="Practitioner", id=id_),
    )


async def test_an_actor_is_registered_once(client: EdgeClient) -> None:
    """The register answers whether anything changed."""
    request = records.RegisterActorRequest(hospital="north", actor=PHYSICIAN)
    first = await client.call(RPC, request)
    second = await client.call(RPC, request)
    assert (first.changed, second.changed) == (True, False)
    assert second.actor.name == PHYSICIAN.name


async def test_an_imported_person_keeps_a_random_id(client: EdgeClient) -> None:
    """The same source gets the id that it got first, also under another name; the id itself is random."""
    answers = await asyncio.gather(*(client.call(RPC, imported()) for _ in range(20)))
    assert len({each.actor.id for each in answers}) == 1
    assert [each.changed for each in answers].count(True) == 1
    assert UUID(answers[0].actor.id).version == 4
    renamed = await client.call(RPC, imported(name="Dr. Wu-Li"))
    assert (renamed.changed, renamed.actor.id) == (True, answers[0].actor.id)
    other = await client.call(RPC, imported(id_="p-8"))
    assert other.actor.id != answers[0].actor.id


async def test_an_id_cannot_be_worked_out_from_its_source(client: EdgeClient, edge: RunningEdge) -> None:
    """Two hospitals give one source two ids, and the register itself does not hold the source in the clear."""
    north, south = [await client.call(RPC, imported(hospital)) for hospital in ("north", "south")]
    assert north.actor.id != south.actor.id
    rows = await edge.registers()
    assert rows
    assert not any("urn:his" in str(row) or "p-7" in str(row) for row in rows)


async def test_a_source_belongs_to_one_actor(client: EdgeClient) -> None:
    """Somebody registered by id may take a source that is free, and keeps it; one that is taken is refused."""
    known = imported(id=PHYSICIAN.id)
    assert (await client.call(RPC, known)).actor.id == PHYSICIAN.id
    assert (await client.call(RPC, imported())).actor.id == PHYSICIAN.id
    with pytest.raises(RpcFailed) as refused:
        await client.call(RPC, imported(id="5d6a1a77-13b9-4d8e-9b0c-5a1f1c1f0a01"))
    assert (refused.value.code, refused.value.violations) == ("ALREADY_EXISTS", [("source", "SOURCE_ELSEWHERE")])


async def test_every_fault_of_a_person_is_told_at_once(client: EdgeClient, edge: RunningEdge) -> None:
    """No name, texts above their limits, an id that is not random, half a source: one refusal, nothing kept."""
    request = records.RegisterActorRequest(
        hospital="north",
        actor=common.Actor(id="5d6a1a77-13b9-5d8e-9b0c-5a1f1c1f0a01", role="r" * 900_000, licence="l" * 129),
        source=common.SourceItem(system="s" * 401, id="p-7"),
    )
    with pytest.raises(RpcFailed) as refused:
        await client.call(RPC, request)
    assert refused.value.code == "INVALID_ARGUMENT"
    assert set(refused.value.violations) == {
        ("actor.id", "NOT_RANDOM"),
        ("actor.name", "REQUIRED"),
        ("actor.role", "TOO_LONG"),
        ("actor.licence", "TOO_LONG"),
        ("source.system", "TOO_LONG"),
        ("source.type", "REQUIRED"),
    }
    assert not await edge.registers()


async def test_whoever_acts_or_signs_is_named(client: EdgeClient, edge: RunningEdge) -> None:
    """A body holds the name as signed: an id alone, whose name the register may lose, is not taken."""
    unnamed = register_patient()
    unnamed.context.actor.name = ""
    with pytest.raises(RpcFailed) as refused:
        await client.call("PatientService/RegisterPatient", unnamed)
    assert refused.value.violations == [("context.actor.name", "REQUIRED")]
    assert await edge.ledger.head("north") == 0

    ward = await open_record(client)
    entry = record_entry(ward.record_id)
    entry.attestation.signer.name = " "
    with pytest.raises(RpcFailed) as refused:
        await client.call("RecordService/RecordEntry", entry)
    assert refused.value.violations == [("attestation.signer.name", "REQUIRED")]
    assert await edge.ledger.head("north") == 6
