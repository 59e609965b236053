"""A card signs over the wire: what the ledger gives to sign, what it takes, and what it shows of it ever after."""

from __future__ import annotations

import asyncio
import shutil
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.serialization import Encoding
from prometheus_client import CollectorRegistry

from ledger.api.v1 import course_pb2 as course
from ledger.api.v1.certificate_values_pb2 import RevocationEvidence
from ledger.application.ledger import Ledger
from ledger.cli.export.certified_files import certified_files, without_version
from ledger.cli.main import main
from ledger.cli.printed_copy.entry_text import attested_lines
from ledger.config import Settings
from ledger.server.key_service import RPC
from ledger.signatures.trust import HospitalTrust
from tests.contract.edge.clients import ConnectClient, EdgeClient, GrpcClient, RpcFailed
from tests.contract.edge.conftest import RunningEdge
from tests.contract.edge.requests import PHYSICIAN, open_record
from tests.contract.edge.test_whole_life import SUPERIOR, Life
from tests.services.key_service import fixed_key_service, token_file
from tests.services.sealed import FIXED_KEY, plaintext_of
from tests.unit.signatures.authority import Making, Party, world

_SHORTLY = timedelta(minutes=1)


@pytest.fixture
async def idle_edge(settings: Settings) -> AsyncIterator[RunningEdge]:
    """North has anchors and knows the physician's card; south has none."""
    of = world()
    signers = {UUID(PHYSICIAN.id): frozenset({of.doctor.sha256})}
    trust = HospitalTrust((of.root.certificate,), signers, (of.time_root.certificate,))
    ledger = await Ledger.open(settings, FIXED_KEY, FIXED_KEY, {"north": trust})
    for name in ("north", "south"):
        await ledger.add_hospital(name, 1, "")
    running = RunningEdge(ledger, settings, CollectorRegistry())
    yield running
    await running.stop()
    await ledger.close()


class Desk:
    """A signing client at one entry."""

    def __init__(self, life: Life, entry_id: str) -> None:
        self.life, self.entry_id, self.now = life, entry_id, datetime.now(UTC)

    async def bytes_to_sign(self, signer_id: str = PHYSICIAN.id) -> bytes:
        """What the ledger gives."""
        asked = course.GetBytesToSignRequest(
            hospital="north", record_id=self.life.record_id, entry_id=self.entry_id, signer_id=signer_id
        )
        answer = await self.life.client.call("CourseService/GetBytesToSign", asked)
        return answer.signed_bytes

    def evidence(self) -> list[RevocationEvidence]:
        """Lists of now."""
        of = world()
        until = self.now + timedelta(days=1)
        made = [of.crl(each, at=self.now - _SHORTLY, until=until) for each in (of.issuing, of.root)]
        return [RevocationEvidence(method="crl", der=each) for each in made]

    def signed(self, content: bytes, signer: Party | None = None) -> bytes:
        """By the doctor's card, with a time token."""
        made = Making(signer or world().doctor, content, (world().issuing,))
        return made.with_token(world().clock, self.now).der()

    async def certify(self, cms: bytes, **fields: Any) -> Any:
        """Sends it."""
        fields = {"entry_version": 1, "evidence": self.evidence(), **fields}
        return await self.life.course("CertifyEntry", entry_id=self.entry_id, cms=cms, **fields)


async def desk_of(client: EdgeClient) -> Desk:
    """At a note that the physician signed by login."""
    ward = await open_record(client)
    return Desk(Life(client, ward.record_id), (await ward.enter()).entry_id)


async def test_a_card_signs_what_the_ledger_gives_and_the_record_shows_it(
    client: GrpcClient | ConnectClient, edge: RunningEdge
) -> None:
    """Whose certificate, when it was checked and proven: in the record, in the printed copy, as files for others."""
    desk = await desk_of(client)
    cms = desk.signed(await desk.bytes_to_sign())
    assert (await desk.certify(cms)).receipt.events == 1
    (entry,) = (await desk.life.read()).entries
    (certified,) = entry.versions[0].certified
    assert certified.signer == PHYSICIAN
    assert (certified.checked.subject, certified.checked.revocation) == ("CN=Dr. Wu", "crl")
    printed = {line.label: line.text for line in attested_lines(entry.versions[0], ZoneInfo("UTC"))}
    assert "of CN=Issuing of North, CN=Dr. Wu, checked at" in printed["Electronic signature"]
    assert "CN=Clock of North" in printed["Electronic signature"]
    rows = await edge.ledger.read_stream("north", UUID(desk.life.record_id), 0, 100)
    opened = {row.envelope: plaintext_of(row.envelope, row.body) for row in rows}
    files = certified_files(opened)
    assert sorted(name.rpartition(f"{desk.entry_id}-v1-4.")[2] for name in files) == ["1.crl", "2.crl", "cms", "signed"]
    assert files[f"{desk.entry_id}-v1-4.cms"] == cms
    assert without_version(opened) == []


async def test_what_is_signed_names_the_version_the_body_and_the_signer(client: EdgeClient, edge: RunningEdge) -> None:
    """To the letter, as docs/formats.md says; the body is the event's as stored, opened."""
    desk = await desk_of(client)
    (row,) = await edge.ledger.read_stream("north", UUID(desk.life.record_id), 2, 1)
    body = sha256(plaintext_of(row.envelope, row.body)).hexdigest()
    assert (await desk.bytes_to_sign()).decode() == (
        "medical-record-ledger/entry-signature/v1\n"
        f"{await edge.ledger.origin_of('north')}\n"
        f"record {desk.life.record_id}\n"
        f"entry {desk.entry_id}\n"
        "version 1\n"
        "template course_note 1\n"
        f"body {body}\n"
        "view -\n"
        f"signer {PHYSICIAN.id}\n"
    )


async def test_every_fault_of_a_signature_is_told_over_the_wire(client: EdgeClient) -> None:
    """Another version's bytes by another's card without evidence: three faults in one answer, and nothing written."""
    desk = await desk_of(client)
    cms = desk.signed(b"another version", world().colleague)
    before = (await desk.life.read()).version
    found = await desk.life.refused(desk.certify(cms, evidence=[]))
    assert sorted(found) == ["NOT_THE_ACTORS_CERTIFICATE", "NO_REVOCATION_EVIDENCE", "OTHER_CONTENT"]
    assert await desk.life.refused(desk.certify(b"noise")) == ["MALFORMED_SIGNATURE"]
    assert await desk.life.refused(desk.certify(cms, actor=SUPERIOR)) == ["NOT_SIGNER"]
    assert (await desk.life.read()).version == before


async def test_the_same_command_again_gets_the_first_answer(client: EdgeClient) -> None:
    """Also once a second one is refused because it was done."""
    desk = await desk_of(client)
    request = course.CertifyEntryRequest(record_id=desk.life.record_id, entry_id=desk.entry_id, entry_version=1)
    request.cms = desk.signed(await desk.bytes_to_sign())
    request.evidence.extend(desk.evidence())
    request.context.hospital, request.context.command_id = "north", str(uuid4())
    request.context.actor.CopyFrom(PHYSICIAN)
    first = await desk.life.client.call("CourseService/CertifyEntry", request)
    again = await desk.life.client.call("CourseService/CertifyEntry", request)
    assert (again.receipt.repeated, again.receipt.position) == (True, first.receipt.position)
    assert await desk.life.refused(desk.certify(request.cms)) == ["ALREADY_CERTIFIED"]


async def test_the_bytes_are_given_to_who_signed_by_login_alone(client: EdgeClient) -> None:
    """Nobody else has anything to sign there; of an entry that is not there nobody has."""
    desk = await desk_of(client)
    assert await desk.life.refused(desk.bytes_to_sign(SUPERIOR.id)) == ["NOT_SIGNER"]
    desk.entry_id = str(uuid4())
    with pytest.raises(RpcFailed) as failure:
        await desk.bytes_to_sign()
    assert failure.value.code == "NOT_FOUND"


async def test_the_program_writes_files_that_openssl_verifies(
    idle_edge: RunningEdge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the anchors and the time of the check, and nothing else of the ledger."""
    idle_edge.queries[RPC] = fixed_key_service().unseal
    await idle_edge.start()
    client = GrpcClient(idle_edge.addresses.grpc)
    desk = await desk_of(client)
    await desk.certify(desk.signed(await desk.bytes_to_sign()))
    await client.close()
    monkeypatch.setenv("LEDGER_UNSEAL_TOKEN_FILE", str(token_file(tmp_path)))
    out = tmp_path / "signatures"
    asked = ["export", "signatures", desk.life.record_id, "--hospital", "north", "--out", str(out)]
    address = ["--address", idle_edge.addresses.grpc]
    exported = await asyncio.to_thread(CliRunner().invoke, main, [*asked, *address])
    assert exported.exit_code == 0, exported.output
    assert exported.output.startswith("1 signature in ")
    name = f"{desk.entry_id}-v1-4"
    assert {each.name for each in out.iterdir()} == {f"{name}.{each}" for each in ("cms", "signed", "1.crl", "2.crl")}
    (tmp_path / "anchors.pem").write_bytes(world().root.certificate.public_bytes(Encoding.PEM))
    if (openssl := shutil.which("openssl")) is None:
        return  # the files were compared; the program is only another pair of eyes
    words = f"cms -verify -binary -inform DER -in {out / name}.cms -content {out / name}.signed -purpose any"
    at = ["-CAfile", str(tmp_path / "anchors.pem"), "-attime", str(int(desk.now.timestamp()))]
    checked = await asyncio.create_subprocess_exec(openssl, *words.split(), *at, "-out", "/dev/null", stderr=PIPE)
    _, said = await asyncio.wait_for(checked.communicate(), 60)
    assert checked.returncode == 0, said
