"""Logs over HTTP, as tlog-tiles asks: paths, types, caching, and who may read what."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from consumers.log_over_http import LogOverHttp, LogUnreachable
from ledger.blobs.directory import DirectoryBlobs
from ledger.log.log_files import LogFiles
from ledger.log.log_growth import StoredLeaf, open_growth
from ledger.log.log_proofs import consistency_proof
from ledger.log.own_heads import OwnLogs
from ledger.server.log_readers import Logs, parse_readers
from ledger.trust.bundle import decode_bodies, decode_entries
from ledger.trust.checkpoint import Checkpoint, parse_checkpoint
from ledger.trust.leaf import leaf_hash
from ledger.trust.merkle import EMPTY_ROOT, Frontier
from ledger.trust.merkle_check import check_consistency
from ledger.trust.note import Note
from ledger.trust.tile import BundleId, TileId
from tests.contract.edge.conftest import RunningEdge
from tests.unit.trust.tlog_samples import LOG, ORIGIN

TOKENS = {"archive": "archive-secret", "monitor": "monitor-secret", "south": "south-secret"}
READERS = parse_readers(
    "".join(
        f"{name} {hospital} {sha256(TOKENS[name].encode()).hexdigest()}\n"
        for name, hospital in (("archive", "north"), ("monitor", "*"), ("south", "south"))
    ).encode()
)
ENTRIES = [b"envelope %d" % number for number in range(600)]
BODIES = [b"body %d" % number for number in range(600)]


@dataclass
class Pages:
    """The pages of the log of `north`, which was signed at 300 and published, and signed at 600 inside."""

    http: httpx.AsyncClient

    async def get(self, file: str, reader: str = "", method: str = "GET") -> httpx.Response:
        headers = {"authorization": f"Bearer {TOKENS.get(reader, reader)}"} if reader else {}
        return await self.http.request(method, f"/log/north/{file}", headers=headers)


@pytest.fixture
async def pages(idle_edge: RunningEdge, tmp_path: Path) -> AsyncIterator[Pages]:
    files = LogFiles(DirectoryBlobs(tmp_path), "north")
    growth = open_growth(files, Checkpoint(ORIGIN, 0, EMPTY_ROOT))
    for begin, end in ((0, 300), (300, 600)):
        growth.take([StoredLeaf(at + 1, ENTRIES[at], BODIES[at]) for at in range(begin, end)])
        text = growth.finish(ORIGIN).text()
        note = Note(text, (LOG.sign(text),))
        if end == 300:
            files.publish(note)
    await idle_edge.start(logs=Logs(OwnLogs(DirectoryBlobs(tmp_path), lambda _: [LOG.verifier()]), READERS))
    async with httpx.AsyncClient(base_url=idle_edge.addresses.http, timeout=60) as http:
        yield Pages(http)


async def test_the_checkpoint_is_open_and_never_cached(pages: Pages) -> None:
    """Text, no-cache, for anybody."""
    found = await pages.get("checkpoint")
    assert (found.status_code, found.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert found.headers["cache-control"] == "no-cache"
    assert found.text.startswith(f"{ORIGIN}\n300\n")


async def test_hash_tiles_are_open_and_full_ones_immutable(pages: Pages) -> None:
    """Full tiles may be kept for ever, partial ones for a minute."""
    full, partial = await pages.get("tile/0/000"), await pages.get("tile/0/001.p/44")
    assert (full.status_code, partial.status_code) == (200, 200)
    assert full.headers["content-type"] == "application/octet-stream"
    assert full.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert partial.headers["cache-control"] == "public, max-age=60"
    assert (len(full.content), len(partial.content)) == (256 * 32, 44 * 32)


async def test_entries_and_bodies_are_for_their_readers(pages: Pages) -> None:
    """The exact leaf bytes and bodies, for a reader of this hospital or of all."""
    for reader in ("archive", "monitor"):
        entries = await pages.get("tile/entries/000", reader)
        bodies = await pages.get("bodies/001.p/44", reader)
        assert decode_entries(BundleId(0), entries.content) == ENTRIES[:256]
        assert decode_bodies(BundleId(1, 44), bodies.content) == BODIES[256:300]
        assert entries.headers["cache-control"] == "private, max-age=31536000, immutable"


@pytest.mark.parametrize("file", ["tile/entries/000", "bodies/000"])
async def test_others_are_refused_by_type(pages: Pages, file: str) -> None:
    """No token and an unknown one: 401; a reader of another hospital: 403; neither says whether the file is there."""
    for reader in ("", "wrong", "archive-secre", "archive-secret2"):
        refused = await pages.get(file, reader)
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
        assert refused.json()["details"][0]["debug"]["reason"] == "READER_UNKNOWN"
    refused = await pages.get(file, "south")
    assert refused.status_code == 403
    assert refused.json()["details"][0]["debug"]["reason"] == "READER_NOT_ALLOWED"


@pytest.mark.parametrize(
    "file",
    [
        "tile/0/002", "tile/0/001.p/45", "tile/0/001.p/0", "tile/0/001.p/256", "tile/0/0", "tile/64/000", "tile/00/000",
        "tile/0/x000/001", "signed", "halted", "", "checkpoint/", "tile/0/001",
    ],
)  # fmt: skip
async def test_what_is_no_file_of_the_published_log_is_not_found(pages: Pages, file: str) -> None:
    """Beyond the published checkpoint, misspelt, or inside alone: 404, though some lie on the disk."""
    assert (await pages.get(file)).status_code == 404


async def test_head_and_other_methods(pages: Pages) -> None:
    """HEAD answers as GET without a body; nothing else is taken."""
    head = await pages.get("tile/0/000", method="HEAD")
    assert (head.status_code, head.headers["content-length"], head.content) == (200, "8192", b"")
    assert (await pages.get("checkpoint", method="PUT")).status_code == 405


async def test_other_hospitals_have_no_pages(pages: Pages) -> None:
    """A hospital without a log, and a name that is none."""
    for path in ("/log/south/checkpoint", "/log/No/checkpoint", "/log/north", "/log/"):
        assert (await pages.http.get(path)).status_code == 404


async def test_an_outsider_reads_the_whole_log(pages: Pages) -> None:
    """The consumers' own reader: checkpoint, tiles (the full one where a partial one is gone), entries by token."""

    def read() -> None:
        url = f"{pages.http.base_url}/log/north"
        with LogOverHttp(url, TOKENS["archive"]) as log, LogOverHttp(url) as stranger:
            assert parse_checkpoint(log.checkpoint().text).size == 300
            full, partial = TileId(0, 0), TileId(0, 0, 77)
            tiles = log.tiles([full, partial])
            assert tiles[partial] == tiles[full]
            check_consistency(
                77, 300, consistency_proof(log, 77, 300), root_of(77), parse_checkpoint(log.checkpoint().text).root
            )
            assert log.read("tile/entries/001.p/44") is not None
            assert log.read("tile/entries/009") is None
            with pytest.raises(LogUnreachable, match="401"):
                stranger.read("bodies/000")
        with LogOverHttp("http://127.0.0.1:9") as nobody, pytest.raises(LogUnreachable):
            nobody.checkpoint()

    await asyncio.to_thread(read)


def root_of(size: int) -> bytes:
    tree = Frontier()
    tree.extend(map(leaf_hash, ENTRIES[:size]))
    return tree.root()
