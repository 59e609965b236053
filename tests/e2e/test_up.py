"""`ledger up` as a program uses it: the ready file, a clean end, and going on where it was after any end."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from ledger.blobs.directory import DirectoryBlobs
from ledger.cli.demo.ledger_rows import connect, read_rows
from ledger.embedded.kafka_jars import default_cache
from ledger.keys.key_folder import KeyFolder, read_sealed_key
from ledger.log.fsck import check_log
from ledger.trust.checkpoint import Checkpoint
from ledger.trust.envelope import decode
from ledger.trust.leaf import leaf_hash
from ledger.trust.merkle import Frontier
from ledger.trust.note_key import KeyKind
from ledger.trust.verify import Row
from tests.eventually import eventually
from tests.fault.load import COMMANDS_A_RECORD, HOSPITAL, Load, not_kept, open_channel, opened
from tests.services.whole_service import WholeService

_PROJECT = Path(__file__).parents[2]
ROLES = {"serve", "publish", "integrate", "project", "consume", "deadlines", "postgres", "up"}
_HOSPITALS = ("north", "south")


@pytest.fixture
def service(services_folder: Path, request: pytest.FixtureRequest) -> Iterator[WholeService]:
    """A service that has not been started; stopped at the end where the test has not."""
    found = WholeService(services_folder / f"up-{request.node.name}", "postgres", _PROJECT / default_cache())
    yield found
    found.stop_if_running()


@pytest.fixture(scope="module")
def folder_of_several(services_folder: Path) -> Iterator[WholeService]:
    """A service that several tests end and start again: each goes on where the one before left it."""
    found = WholeService(services_folder / "up-of-several", "postgres", _PROJECT / default_cache())
    yield found
    found.stop_if_running()


@pytest.fixture
def going_on(folder_of_several: WholeService) -> WholeService:
    """That service, which runs."""
    if not folder_of_several.ready:
        folder_of_several.start()
    return folder_of_several


def test_the_ready_file_tells_a_program_all_it_needs(going_on: WholeService) -> None:
    """On the PostgreSQL log: addresses that answer, no Kafka, both hospitals with their topics."""
    facts = going_on.facts
    assert facts["kafka"] is None
    assert facts["http"].startswith("http://127.0.0.1:")
    for address in (facts["grpc"], facts["http"].removeprefix("http://"), facts["postgres"].partition("/")[0]):
        host, _, port = address.rpartition(":")
        assert host == "127.0.0.1"
        socket.create_connection((host, int(port)), timeout=30).close()
    assert [each["id"] for each in facts["hospitals"]] == list(_HOSPITALS)
    for each in facts["hospitals"]:
        topics = {"records": f"ledger.records.{each['id']}", "transfers": f"ledger.transfers.{each['id']}"}
        assert each["topics"] == topics
    assert set(facts["pids"]) == ROLES


@pytest.mark.long
def test_kafka_is_named_where_it_carries_the_stream(services_folder: Path, kafka_jars: Path) -> None:
    """On Kafka: its bootstrap address answers, and SIGTERM ends the broker too."""
    service = WholeService(services_folder / "up-kafka", "kafka", kafka_jars)
    service.start()
    host, _, port = service.facts["kafka"].rpartition(":")
    socket.create_connection((host, int(port)), timeout=30).close()
    assert set(service.facts["pids"]) == ROLES | {"kafka"}
    assert service.stop() == 0
    assert not left_running(service)


async def test_a_clean_end_and_a_start_on_the_same_folder(going_on: WholeService) -> None:
    """SIGTERM ends everything with status 0; the next start has the same ports, the events, and knows every command.

    The log goes on under its key, and whoever may read the folder takes a proof out of it, nobody else.
    """
    service = going_on
    load = await loaded(service, records=3)
    before, rows = service.facts, rows_of(service)
    assert service.stop() == 0
    assert not left_running(service)
    for name in ("verifiers", "log-readers", "token-reader"):
        (service.folder / "keys" / name).unlink()  # an earlier release made none of them
    service.start()
    assert {name: service.facts[name] for name in ("grpc", "http", "postgres")} == {
        name: before[name] for name in ("grpc", "http", "postgres")
    }
    assert rows_of(service) == rows
    assert not not_kept(await opened(service.settings, rows), load.acknowledged)
    wrong = replace(load.acknowledged[7], version=99)
    assert not_kept(await opened(service.settings, rows), [*load.acknowledged[:7], wrong]) == [wrong], (
        "the check finds a receipt that does not hold"
    )
    await assert_repeated(service, load)
    refused = exported(service, "--address", service.facts["grpc"])
    assert (refused.returncode, b"READER_UNKNOWN" in refused.stderr) == (1, True), refused.stderr
    eventually(lambda: exported(service, "--dir", str(service.folder)).returncode == 0, what="a proof")


@pytest.mark.long
async def test_kill9_of_the_whole_tree_loses_nothing(going_on: WholeService) -> None:
    """The power goes: a start on the same folder has everything that was acknowledged, and goes on; its log too."""
    service, before = going_on, len(rows_of(going_on))
    load = await loaded(service, records=10)
    service.kill9_all()
    service.start()
    rows = rows_of(service)
    assert len(rows) == before + len(load.acknowledged)
    assert not not_kept(await opened(service.settings, rows), load.acknowledged)
    await assert_repeated(service, load)
    more = await loaded(service, records=1)
    rows = rows_of(service)
    assert not not_kept(await opened(service.settings, rows), [*load.acknowledged, *more.acknowledged])
    assert_logged(service, rows)


@pytest.mark.long
async def test_kill9_of_up_alone_ends_everything(service: WholeService) -> None:
    """Nothing goes on without its supervisor; the next start finds the folder free and everything there."""
    service.start()
    load = await loaded(service, records=2)
    service.kill9("up")
    eventually(lambda: not left_running(service), what="everything ended")
    service.start()
    assert not not_kept(await opened(service.settings, rows_of(service)), load.acknowledged)


@pytest.mark.long
def test_a_folder_in_use_is_refused_by_name(service: WholeService) -> None:
    """A second `ledger up` on the folder ends with a word, and the first keeps its ports for its next start."""
    service.start()
    command = [sys.executable, "-m", "ledger.cli.main", "up", "--dir", str(service.folder), "--stream", "postgres"]
    second = subprocess.run(command, capture_output=True, text=True, cwd=_PROJECT, timeout=60, check=False)
    assert second.returncode == 1
    assert "in use by another running process" in second.stderr
    assert "Traceback" not in second.stderr
    grpc = service.grpc
    assert service.stop() == 0
    service.start()
    assert service.grpc == grpc


@pytest.mark.long
@pytest.mark.usefixtures("kafka_jars")
def test_the_other_kind_of_stream_is_refused(service: WholeService) -> None:
    """A ledger that was published on the log is not continued on Kafka."""
    service.start()
    assert service.stop() == 0
    command = [sys.executable, "-m", "ledger.cli.main", "up", "--dir", str(service.folder), "--stream", "kafka"]
    refused = subprocess.run(command, capture_output=True, text=True, cwd=_PROJECT, timeout=60, check=False)
    assert refused.returncode == 1
    assert "this folder publishes on postgres, not on kafka" in refused.stderr


def assert_logged(service: WholeService, rows: list[Row]) -> None:
    """The published head covers every event, and the log's files, all of them, lead to it."""
    url = f"{service.facts['http']}/log/{HOSPITAL}/checkpoint"

    def size() -> int:
        return int(httpx.get(url, timeout=60, trust_env=False).text.split("\n")[1])

    eventually(lambda: size() == len(rows), what="a checkpoint over everything")
    (origin,) = {decode(row.envelope).origin for row in rows}
    key = read_sealed_key(KeyFolder(service.folder / "keys").path_of(origin, KeyKind.ED25519)).verifier
    checked = check_log(DirectoryBlobs(service.folder / "log" / HOSPITAL).get, key)
    tree = Frontier()
    tree.extend(leaf_hash(row.envelope) for row in rows)
    assert checked.checkpoint == Checkpoint(origin, len(rows), tree.root())


async def loaded(service: WholeService, records: int) -> Load:
    """A load that is acknowledged."""
    async with open_channel(service.grpc) as channel:
        load = Load(channel)
        await load.run(records)
    assert len(load.acknowledged) == records * COMMANDS_A_RECORD
    return load


async def assert_repeated(service: WholeService, load: Load) -> None:
    """Every command sent again gets its first receipt, and adds nothing."""
    before = len(rows_of(service))
    async with open_channel(service.grpc) as channel:
        assert await Load(channel).repeat(load) == load.acknowledged
    assert len(rows_of(service)) == before


def rows_of(service: WholeService) -> list[Row]:
    """Every event of the first hospital."""
    with connect(service.settings.postgres_append_url) as connection:
        return read_rows(connection, HOSPITAL)


def left_running(service: WholeService) -> list[str]:
    """The names of its processes that still run."""
    return [name for name, pid in service.pids.items() if _runs(Path(f"/proc/{pid}/stat"))]


def _runs(stat: Path) -> bool:
    try:
        state = stat.read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    # A dead process whose parent was killed stays listed until init takes note.
    return state != "Z"


def exported(service: WholeService, *where: str) -> subprocess.CompletedProcess[bytes]:
    """Takes the proof of the first event out of the log, as a person does."""
    out = service.folder.with_suffix(".tlog-proof")
    command = [sys.executable, "-m", "ledger.cli.main", "export", "event", "1", "--hospital", HOSPITAL, *where]
    return subprocess.run([*command, "--out", str(out)], capture_output=True, cwd=_PROJECT, timeout=60, check=False)
