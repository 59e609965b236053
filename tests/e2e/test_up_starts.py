"""How `ledger up` starts, is stopped while it starts, and what it refuses: in a word, never with a traceback."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from consumers.patience import Patience
from consumers.registry import Registry
from ledger.api.v1.boards_pb2 import ListDepartmentsRequest
from ledger.api.v1.boards_pb2_grpc import BoardServiceStub
from ledger.api.v1.stream_pb2_grpc import HospitalServiceStub
from ledger.embedded.kafka_jars import default_cache
from ledger.stream.kafka.topics_admin import TopicsAdmin
from tests.eventually import eventually
from tests.fault.load import open_channel
from tests.services.key_files import key_settings
from tests.services.whole_service import WholeService

_PROJECT = Path(__file__).parents[2]


@pytest.fixture
def service(services_folder: Path, request: pytest.FixtureRequest) -> Iterator[WholeService]:
    """A service that has not been started; stopped at the end where the test has not."""
    name = re.sub(r"\W", "-", request.node.name)
    found = WholeService(services_folder / f"starts-{name}", "postgres", _PROJECT / default_cache())
    yield found
    found.stop_if_running()


def run_ledger(*arguments: str, **environment: str) -> tuple[int, str]:
    """Exit status and words of one run of the program."""
    done = subprocess.run(
        [sys.executable, "-m", "ledger.cli.main", *arguments],
        capture_output=True,
        text=True,
        cwd=_PROJECT,
        env={**os.environ, **environment},
        timeout=90,
        check=False,
    )
    said = done.stdout + done.stderr
    assert "Traceback" not in said, said
    return done.returncode, said


@pytest.mark.long
async def test_ready_means_that_views_and_topics_are_there(services_folder: Path, kafka_jars: Path) -> None:
    """Whoever reads the ready file finds every topic that it names, and every view; SIGTERM takes the file away."""
    service = WholeService(services_folder / "starts-ready", "kafka", kafka_jars)
    service.start()
    try:
        admin = TopicsAdmin(service.facts["kafka"])
        async with open_channel(service.grpc) as channel:
            for hospital in service.facts["hospitals"]:
                await BoardServiceStub(channel).ListDepartments(ListDepartmentsRequest(hospital=hospital["id"]))
                assert all(admin.topic_id(topic) for topic in hospital["topics"].values())
        assert service.ready
    finally:
        assert service.stop() == 0
    assert not service.ready


_LONGER = [
    pytest.param(each, marks=pytest.mark.long)
    for each in ("lock", "postgres/postgres.log", "service.json", "consume.log")
]


@pytest.mark.long
@pytest.mark.parametrize("started", ["serve.log", *_LONGER])
def test_sigterm_during_the_start_ends_it_cleanly(service: WholeService, started: str) -> None:
    """Told to stop after any step of its start, it ends with status 0, leaves nothing running and no ready file."""
    service.launch()
    eventually(lambda: (service.folder / started).exists(), seconds_max=60, what=started)
    assert service.stop() == 0
    assert not service.ready
    eventually(lambda: not _running_below(service.folder), what="everything ended")


@pytest.mark.long
def test_a_service_goes_on_without_naming_its_hospitals(service: WholeService) -> None:
    """North and south are for a service that has none: nothing is added to one that has its own."""
    service.launch("--hospital", "west")
    service.wait_until_ready()
    assert service.stop() == 0
    service.launch()
    service.wait_until_ready()
    assert [each["id"] for each in service.facts["hospitals"]] == ["west"]


@pytest.mark.long
async def test_addresses_follow_the_port(service: WholeService) -> None:
    """Where the port was taken meanwhile, hospitals of this service are found at the new one."""
    service.start()
    assert service.stop() == 0
    host, _, port = service.grpc.rpartition(":")
    with socket.create_server((host, int(port))):
        service.start()
    assert service.grpc != f"{host}:{port}"
    async with open_channel(service.grpc) as channel:
        registry = Registry(HospitalServiceStub(channel), service.grpc, Patience())
        for hospital in ("north", "south"):
            known = await registry.by_id(hospital)
            assert known is not None
            assert known.address == service.grpc


@pytest.mark.long
def test_what_contradicts_the_folder_is_named(service: WholeService) -> None:
    """Other partitions or another origin for a hospital that is there: one line with its name, status 1."""
    service.start()
    assert service.stop() == 0
    again = ("up", "--dir", str(service.folder), "--stream", "postgres", "--hospital", "north")
    for more, environment in ((("--partitions", "4"), {}), ((), {"LEDGER_ORIGIN_PREFIX": "elsewhere.example"})):
        status, said = run_ledger(*again, *more, **environment)
        assert status == 1
        assert "hospital north" in said
        assert "HOSPITAL_DIFFERS" in said


@pytest.mark.long
def test_the_demo_spares_a_service_that_runs(services_folder: Path) -> None:
    """`ledger demo` on the folder of a running `ledger up` is refused by name, and nothing is lost."""
    folder = services_folder / "starts-demo"
    folder.mkdir()
    folder.chmod(0o711)
    service = WholeService(folder / "service", "postgres", _PROJECT / default_cache())
    service.start()
    try:
        before = sorted(path.name for path in service.folder.iterdir())
        status, said = run_ledger("demo", "--dir", str(folder), "--stream", "postgres")
        assert status == 1
        assert f"{service.folder} is in use by another running process" in said
        assert set(before) <= {path.name for path in service.folder.iterdir()}, "what is new the roles have made since"
        assert run_ledger("status", "--dir", str(service.folder))[0] == 0
    finally:
        assert service.stop() == 0


@pytest.mark.long
def test_commands_find_a_service_by_its_folder(service: WholeService) -> None:
    """--dir stands for addresses and URLs; a hospital that is not there is an error, not nothing to do."""
    service.start()
    beside = ("--dir", str(service.folder))
    assert run_ledger("status", *beside)[0] == 0
    assert "north" in run_ledger("migrate", "--status", *beside)[1]
    assert "north: patient_index rebuilt" in run_ledger("project", "rebuild", "patient_index", *beside)[1]
    assert run_ledger("dead-letters", "list", "--hospital", "north", *beside)[0] == 0
    status, said = run_ledger("verify", "north", *beside)
    assert (status, "the rows of PostgreSQL" in said) == (0, True), said
    for command in (("migrate",), ("migrate", "--status"), ("project", "rebuild", "patient_index")):
        status, said = run_ledger(*command, "--hospital", "nowhere", *beside)
        assert status == 1
        assert "nowhere" in said
    assert run_ledger("status", *beside, "--address", service.grpc)[0] == 2


@pytest.mark.parametrize(
    ("arguments", "environment", "named"),
    [
        (("--hospital", "North"), {}, "North"),
        (("--ready-file", "/no-such-folder/ready"), {}, "/no-such-folder/ready"),
        ((), {"LEDGER_KAFKA_BOOTSTRAP": "127.0.0.1:9092"}, "LEDGER_KAFKA_BOOTSTRAP"),
        ((), {"LEDGER_POSTGRES_APPEND_URL": "postgresql://h/d"}, "LEDGER_POSTGRES_APPEND_URL"),
        ((), {"LEDGER_STREAM": "rabbit"}, "LEDGER_STREAM"),
        ((), {"LEDGER_PARTITIONS": "0"}, "LEDGER_PARTITIONS"),
    ],
)
def test_bad_usage_is_refused_before_anything_starts(
    tmp_path: Path, arguments: tuple[str, ...], environment: Mapping[str, str], named: str
) -> None:
    """Status 2, the option or the setting by name, and an untouched folder."""
    # Both read the environment by the same settings: one of these is asked of both.
    for command in ("up", "demo") if named == "LEDGER_KAFKA_BOOTSTRAP" else ("up",):
        folder = tmp_path / command
        status, said = run_ledger(command, "--dir", str(folder), *arguments, **environment)
        assert status == 2
        assert named in said
        assert not folder.exists()


@pytest.mark.long
def test_settings_of_the_environment_are_honoured(service: WholeService) -> None:
    """LEDGER_STREAM, LEDGER_GRPC_LISTEN and LEDGER_DATA_DIR say what options say; a taken port is named."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        environment = {"LEDGER_GRPC_LISTEN": address, "LEDGER_STREAM": "postgres"}
        status, said = run_ledger("up", LEDGER_DATA_DIR=str(service.folder), **environment)
    assert status == 1
    assert f"LEDGER_GRPC_LISTEN: somebody listens at {address} already" in said
    assert (service.folder / "up").is_dir()
    service.start(environment=environment)
    assert service.grpc == address


@pytest.mark.long
def test_a_service_without_its_keys_is_not_taken_up(tmp_path: Path) -> None:
    """A folder whose keys are gone, or from before bodies were sealed: refused by name, and no new keys made."""
    kept: dict[str, object] = {"passwords": {}, "grpc_port": 1, "http_port": 1, "stream": "postgres"}
    (tmp_path / "service.json").write_text(json.dumps(kept))
    status, said = run_ledger("up", "--dir", str(tmp_path), "--stream", "postgres")
    assert (status, "holds a service but not its keys" in said) == (1, True), said
    assert not (tmp_path / "keys").exists()


@pytest.mark.long
def test_roles_name_what_they_cannot_reach(tmp_path: Path) -> None:
    """`serve` and `migrate` without their PostgreSQL: one line, status 1."""
    away = {
        f"LEDGER_POSTGRES_{each}_URL": "postgresql://a@127.0.0.1:1/x" for each in ("MIGRATE", "APPEND", "VIEWS", "KEYS")
    }
    for command in (("migrate",), ("serve", "--ready-file", str(tmp_path / "ready"))):
        status, said = run_ledger(*command, **away, **key_settings())
        assert status == 1
        assert "PostgreSQL cannot be reached" in said


def _running_below(folder: Path) -> list[str]:
    """Commands of processes that work in the folder, or were told of it."""
    found: list[str] = []
    for process in Path("/proc").iterdir():
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if process.name.isdigit() and str(folder) in command:
            found.append(command)
    return found
