"""The witness over HTTP: each answer of the specification, and each limit."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from ledger.trust.checkpoint import Checkpoint
from ledger.trust.note import Note, parse_signatures
from ledger.trust.note_key import KeyKind
from ledger.trust.witness_request import REQUEST_BYTES_MAX, AddCheckpoint
from ledger.witness.followed_logs import FollowedLogsFault, parse_followed_logs
from ledger.witness.witness_app import WitnessApp
from ledger.witness.witness_memory import MemoryInUse, WitnessMemory
from tests.unit.consumers.test_checkpoints import forked, prove
from tests.unit.trust.tlog_samples import LOG, ORIGIN, WITNESSES, key, signed

KEY = WITNESSES[0]
NOW = 1_764_000_000


@pytest.fixture
def memory(tmp_path: Path) -> WitnessMemory:
    return WitnessMemory(tmp_path / "memory")


@pytest.fixture
async def http(memory: WitnessMemory) -> AsyncIterator[httpx.AsyncClient]:
    app = WitnessApp({ORIGIN: [LOG.verifier()]}, memory, KEY, lambda: NOW)
    transport = httpx.ASGITransport(app)  # pyright: ignore[reportArgumentType] # asgiref's own types
    async with httpx.AsyncClient(transport=transport, base_url="http://witness") as client:
        yield client
    memory.close()


async def add(http: httpx.AsyncClient, old: int, size: int, note: Note | None = None) -> httpx.Response:
    proof = tuple(prove(old, size)) if old <= size else ()
    return await http.post("/add-checkpoint", content=AddCheckpoint(old, proof, note or signed(size)).encode())


async def test_it_cosigns_what_has_grown(http: httpx.AsyncClient, memory: WitnessMemory) -> None:
    """200 with one line under its key and the time of its clock; the size is remembered."""
    for old, size in ((0, 5), (5, 5), (5, 200)):
        answer = await add(http, old, size)
        assert answer.status_code == 200
        (line,) = parse_signatures(answer.text)
        assert KEY.verifier().time_of(signed(size).text, line) == NOW
        assert memory.known(ORIGIN).size == size


async def test_each_refusal_has_its_status(http: httpx.AsyncClient, memory: WitnessMemory) -> None:
    """409 with the known size as the specification's own type; 400, 403, 404, 422; nothing is remembered."""
    await add(http, 0, 10)
    conflict = await add(http, 3, 20)
    assert (conflict.status_code, conflict.text) == (409, "10\n")
    assert conflict.headers["content-type"] == "text/x.tlog.size"
    stranger = key("stranger.example", KeyKind.ED25519)
    assert (await add(http, 10, 20, signed(20, log=stranger))).status_code == 404
    unsigned = signed(20)
    assert (await add(http, 10, 20, Note(unsigned.text, (stranger.sign(unsigned.text),)))).status_code == 403
    assert (await add(http, 10, 20, forked(20))).status_code == 422
    assert (await add(http, 12, 5)).status_code == 400
    assert (await http.post("/add-checkpoint", content=b"old 0\n\n")).status_code == 400
    assert memory.known(ORIGIN).size == 10


async def test_it_has_limits(http: httpx.AsyncClient) -> None:
    """A body that is too large, another path, another method."""
    assert (await http.post("/add-checkpoint", content=bytes(REQUEST_BYTES_MAX + 1))).status_code == 413
    assert (await http.get("/add-checkpoint")).status_code == 405
    assert (await http.post("/other")).status_code == 404


async def test_without_a_memory_it_cosigns_nothing(http: httpx.AsyncClient, tmp_path: Path) -> None:
    """What it remembers is damaged: 503, and nothing is cosigned until a person has looked."""
    await add(http, 0, 10)
    (kept,) = (tmp_path / "memory" / "logs").iterdir()
    kept.write_bytes(b"torn")
    assert (await add(http, 10, 20)).status_code == 503
    assert kept.read_bytes() == b"torn"


def test_a_memory_has_one_witness(memory: WitnessMemory, tmp_path: Path) -> None:
    """The second is refused while the first holds it."""
    with pytest.raises(MemoryInUse):
        WitnessMemory(tmp_path / "memory")
    memory.close()
    WitnessMemory(tmp_path / "memory").close()


def test_followed_logs_are_lines_of_keys() -> None:
    """A key, a key with another origin, two keys of one origin; every faulty line is named."""
    second = key(ORIGIN + "-next", KeyKind.ED25519).verifier()
    found = parse_followed_logs(f"# ours\n{LOG.verifier()}\n\n{second} {ORIGIN}\n".encode())
    assert found == {ORIGIN: (LOG.verifier(), second)}
    with pytest.raises(FollowedLogsFault) as fault:
        parse_followed_logs(f"nonsense\n{KEY.verifier()}\n{LOG.verifier()} a b\n".encode())
    assert [each.partition(":")[0] for each in fault.value.faults] == ["line 1", "line 2", "line 3"]


class _HeldMemory(WitnessMemory):
    """The first head that it is given takes its time to reach the disk."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.begun, self.go_on, self.overtaken = threading.Event(), threading.Event(), threading.Event()

    def remember(self, checkpoint: Checkpoint) -> None:
        if self.begun.is_set():
            self.overtaken.set()
        else:
            self.begun.set()
            assert self.go_on.wait(30)
        super().remember(checkpoint)


async def test_a_request_that_was_given_up_does_not_land_last(tmp_path: Path) -> None:
    """Its client is gone, its thread still writes: the next request waits for it, and meets the size that it wrote."""
    memory = _HeldMemory(tmp_path / "memory")
    app = WitnessApp({ORIGIN: [LOG.verifier()]}, memory, KEY, lambda: NOW)
    transport = httpx.ASGITransport(app)  # pyright: ignore[reportArgumentType] # asgiref's own types
    async with httpx.AsyncClient(transport=transport, base_url="http://witness") as client:
        given_up = asyncio.create_task(add(client, 0, 10))
        await asyncio.to_thread(memory.begun.wait, 30)
        given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)
        next_one = asyncio.create_task(add(client, 0, 20))
        await asyncio.to_thread(memory.overtaken.wait, 0.2)
        memory.go_on.set()
        answer = await next_one
    assert (answer.status_code, memory.known(ORIGIN).size) == (409, 10)
    memory.close()
