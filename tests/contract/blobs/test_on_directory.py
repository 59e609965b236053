"""The blob contract on a folder, and what only a folder can do wrong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ledger.blobs.contract import BlobsUnavailable
from ledger.blobs.directory import DirectoryBlobs
from tests.contract.blobs.blobs_contract import BlobsContract


@pytest.fixture
def blobs(tmp_path: Path) -> DirectoryBlobs:
    """A store in a folder that is not there yet."""
    return DirectoryBlobs(tmp_path / "root" / "blobs")


class TestDirectoryBlobs(BlobsContract):
    """The contract."""


def test_links_lead_nowhere(tmp_path: Path) -> None:
    """A symbolic link inside the root, to a file or to a folder, is neither read nor written through."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    root = tmp_path / "root"
    root.mkdir()
    (root / "folder").symlink_to(outside)
    (root / "file").symlink_to(outside / "secret")
    blobs = DirectoryBlobs(root)
    for name in ("folder/secret", "file"):
        with pytest.raises(BlobsUnavailable):
            blobs.get(name)
    with pytest.raises(BlobsUnavailable):
        blobs.put("folder/new", b"x")
    with pytest.raises(BlobsUnavailable):
        blobs.put_if_absent({"folder/new": b"x"})
    blobs.put("file", b"own")
    assert (outside / "secret").read_bytes() == b"secret"
    assert os.listdir(outside) == ["secret"]  # noqa: PTH208 - names alone


def test_a_part_left_by_a_kill_is_no_blob(tmp_path: Path) -> None:
    """A file that a killed writer left is passed over, and the blob can be written."""
    blobs = DirectoryBlobs(tmp_path)
    blobs.put_if_absent({"log/a": b"a"})
    (tmp_path / "log" / ".part-0123").write_bytes(b"half")
    assert blobs.names("log") == ["log/a"]
    blobs.put_if_absent({"log/b": b"b"})
    assert blobs.names("log") == ["log/a", "log/b"]


def test_nothing_is_left_beside(tmp_path: Path) -> None:
    """After writes that succeed or are refused there is nothing but the blobs."""
    blobs = DirectoryBlobs(tmp_path)
    for _ in range(2):
        blobs.put_if_absent({"log/a": b"a"})
        blobs.put("log/b", b"b")
    assert sorted(each.name for each in (tmp_path / "log").iterdir()) == ["a", "b"]


def test_a_store_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    """A file in the place of a folder is BlobsUnavailable, with the name and without content."""
    (tmp_path / "log").write_bytes(b"")
    with pytest.raises(BlobsUnavailable, match="log"):
        DirectoryBlobs(tmp_path).put("log/a", b"a")
