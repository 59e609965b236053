"""README's first session, word for word, against `ledger up`; the tools that need no proto files; what it checks."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc.aio

from ledger.api.v1 import common_pb2 as common
from ledger.api.v1.stream_pb2 import GetStatusRequest
from ledger.api.v1.stream_pb2_grpc import OperationsServiceStub
from ledger.server.method import services as contract
from ledger.trust.checkpoint import Checkpoint, parse_checkpoint
from ledger.trust.note import Note, parse_note
from tests.eventually import eventually, eventually_async
from tests.integration.consumers.hospitals import Hospitals
from tests.services.readme import code_block, command_lines
from tests.services.whole_service import WholeService
from tests.unit.importers.fhir_files import composition, encounter, observation, patient, write

_PROJECT = Path(__file__).parents[2]
_BUF = ".venv/bin/buf"
_TRANSFER_SECONDS_MAX = 60.0


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, cwd=_PROJECT, timeout=120, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout} {done.stderr}"
    return done.stdout


def _buf_curl(service: WholeService, method: str, data: str = "{}") -> dict[str, Any]:
    options = ["--protocol", "grpc", "--http2-prior-knowledge", "-d", data]
    return json.loads(_run([_BUF, "curl", *options, f"http://{service.grpc}/{method}"]))


def test_the_commands_of_the_readme(running_service: WholeService, tmp_path: Path) -> None:
    """Each line after `ledger up` ends with 0 and shows what was imported; then the same over Python."""
    folder = write(tmp_path, (patient(), encounter(), observation(), composition(Plan="rest")))
    exported, up, *others = command_lines(code_block("A first session"))
    assert (exported[0], up[:2]) == ("export", [".venv/bin/ledger", "up"])
    # What the reader has on fixed ports and in folders of the checkout, the test has elsewhere.
    placed = {
        "127.0.0.1:7080": running_service.facts["http"].removeprefix("http://"),
        "127.0.0.1:7070": running_service.grpc,
        ".ledger/demo/input/enumerated/fhir_r4": str(folder),
        ".ledger/up": str(running_service.folder),
    }
    said: dict[str, str] = {}
    for command in others:
        words = [_placed(word, placed) for word in command]
        if words[0] == _BUF:
            eventually(lambda: "departments" in _run(words), what="the board has the import")  # noqa: B023 - at once
        said[" ".join(words[:2])] = _run(words)
    assert set(said) == {".venv/bin/ledger import", ".venv/bin/ledger status", "curl -X", f"{_BUF} curl"}
    assert "the counts add up" in said[".venv/bin/ledger import"]
    assert "department_board" in said[".venv/bin/ledger status"]
    assert len(json.loads(said["curl -X"])["records"]) == 1
    (department,) = json.loads(said[f"{_BUF} curl"])["departments"]
    assert department["department"]
    session = _placed(code_block("A first session", "python"), placed)
    assert 'case_number: "README-' in _run([sys.executable, "-c", session])


def _placed(text: str, placed: dict[str, str]) -> str:
    for written, real in placed.items():
        text = text.replace(written, real)
    return text


def test_buf_curl_needs_no_proto_files(running_service: WholeService) -> None:
    """Reflection lists every service and describes a method; health is asked by the name of a service."""
    listed = _run(
        [
            _BUF,
            "curl",
            "--protocol",
            "grpc",
            "--http2-prior-knowledge",
            "--list-services",
            f"http://{running_service.grpc}",
        ]
    )
    services = {line for line in listed.splitlines() if line.startswith("ledger.api.v1.")}
    assert services == {each.full_name for each in contract()}
    for service in ("", *sorted(services)):
        health = _buf_curl(running_service, "grpc.health.v1.Health/Check", json.dumps({"service": service}))
        assert health == {"status": "SERVING"}
    hospitals = _buf_curl(running_service, "ledger.api.v1.HospitalService/ListHospitals")["hospitals"]
    assert [each["id"] for each in hospitals] == ["north", "south"]


def _seen(service: WholeService, hospital: str) -> Iterator[tuple[Path, Checkpoint]]:
    """The last heads that a hospital's consumer has accepted, and where it keeps them."""
    for file in (service.folder / "consumers" / hospital / "checkpoints").glob("*/checkpoint"):
        yield file, parse_checkpoint(parse_note(file.read_bytes()).text)


async def test_a_package_and_its_answers_are_taken_under_heads_of_the_others_logs(
    running_service: WholeService, tmp_path: Path
) -> None:
    """Nobody has written a policy: both sides have asked the other's log. What parts from the tree that was seen is a
    fork, nothing more is taken, and the status says so. The last test of this file: what it leaves is in doubt."""
    service = running_service
    async with grpc.aio.insecure_channel(service.facts["grpc"]) as channel:
        hospitals = Hospitals(channel, service.facts["grpc"], service.settings, tmp_path)
        record_id = await hospitals.record()
        taken = await hospitals.offer(record_id)

        async def completed() -> bool:
            return (await hospitals.sent(record_id, taken)).state == common.TRANSFER_STATE_COMPLETED

        await eventually_async(completed, seconds_max=_TRANSFER_SECONDS_MAX)
        ((kept, of_north),), ((_, of_south),) = _seen(service, "south"), _seen(service, "north")
        assert [each.origin.split("/")[-2] for each in (of_north, of_south)] == ["north", "south"]
        other = Checkpoint(of_north.origin, of_north.size, bytes(32))
        kept.write_bytes(Note(other.text(), parse_note(kept.read_bytes()).signatures).encode())
        waiting = await hospitals.offer(record_id)

        async def doubted() -> bool:
            status = await OperationsServiceStub(channel).GetStatus(GetStatusRequest(hospital="south"))
            (south,) = status.hospitals
            return any(each.state in ("forked", "unproven") and each.waiting for each in south.readers)

        await eventually_async(doubted, seconds_max=_TRANSFER_SECONDS_MAX)
        assert await hospitals.received(waiting) is None
