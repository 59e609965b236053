"""What every store of blobs promises; each adapter's test module makes it run on its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from ledger.blobs import contract
from ledger.blobs.contract import BadBlobName, BlobDiffers, Blobs, BlobTooLarge, TooManyBlobs

BAD_NAMES = [
    "",
    "/a",
    "a/",
    "a//b",
    "../a",
    "a/../b",
    ".part",
    "a/.part-1",
    "a\\b",
    "a b",
    "a\0",
    "ä",
    "a" * 129,
    "a/" * 300,
]


class BlobsContract:
    """Subclasses have a fixture `blobs`."""

    def test_what_is_put_comes_back(self, blobs: Blobs) -> None:
        """Bytes come back as they were, the empty ones too; a name without a blob gives None."""
        blobs.put_if_absent({"log/tile/0/x001/000": b"tile", "log/empty": b"", "top": bytes(range(256))})
        assert blobs.get("log/tile/0/x001/000") == b"tile"
        assert (blobs.get("log/empty"), blobs.get("top")) == (b"", bytes(range(256)))
        assert blobs.get("log/tile/0/x001/001") is None
        assert blobs.get("nowhere/at/all") is None

    def test_what_never_changes_is_never_written_over(self, blobs: Blobs) -> None:
        """The same bytes again do nothing; others are refused by name, and the first ones stay."""
        blobs.put_if_absent({"log/a": b"first"})
        blobs.put_if_absent({"log/a": b"first", "log/b": b"second"})
        with pytest.raises(BlobDiffers) as refused:
            blobs.put_if_absent({"log/a": b"other"})
        assert refused.value.name == "log/a"
        assert (blobs.get("log/a"), blobs.get("log/b")) == (b"first", b"second")

    def test_one_of_two_writers_wins(self, blobs: Blobs) -> None:
        """Eight writers with different bytes at once: one is kept, whole; each of the others is told."""

        def write(number: int) -> bool:
            try:
                blobs.put_if_absent({"race/one": bytes([number]) * 5000})
            except BlobDiffers:
                return False
            return True

        with ThreadPoolExecutor(8) as threads:
            won = list(threads.map(write, range(8)))
        assert sum(won) == 1
        assert blobs.get("race/one") == bytes([won.index(True)]) * 5000

    def test_a_head_is_replaced(self, blobs: Blobs) -> None:
        """`put` takes the place of what was there."""
        blobs.put("log/checkpoint", b"one")
        blobs.put("log/checkpoint", b"two, longer")
        assert blobs.get("log/checkpoint") == b"two, longer"

    def test_names_below_a_folder(self, blobs: Blobs) -> None:
        """Every name below a folder in order, none beside it."""
        blobs.put_if_absent({"a/x/2": b"", "a/x/1.p/9": b"", "a/y": b"", "ab/z": b""})
        assert blobs.names("a") == ["a/x/1.p/9", "a/x/2", "a/y"]
        assert blobs.names("a/x/1.p") == ["a/x/1.p/9"]
        assert blobs.names("none") == []

    def test_a_listing_has_a_limit(self, blobs: Blobs, monkeypatch: pytest.MonkeyPatch) -> None:
        """More names than one listing may have are refused, not cut."""
        blobs.put_if_absent({f"many/{number}": b"" for number in range(6)})
        monkeypatch.setattr(f"{type(blobs).__module__}.NAMES_MAX", 5)
        with pytest.raises(TooManyBlobs):
            blobs.names("many")

    def test_what_is_deleted_is_gone(self, blobs: Blobs) -> None:
        """A deleted blob is gone, a second deletion does nothing, and the name may be used again."""
        blobs.put_if_absent({"log/a": b"first"})
        for _ in range(2):
            blobs.delete("log/a")
        blobs.delete("none/at/all")
        assert blobs.get("log/a") is None
        blobs.put_if_absent({"log/a": b"other"})
        assert blobs.get("log/a") == b"other"

    @pytest.mark.parametrize("name", BAD_NAMES)
    def test_bad_names_are_refused(self, blobs: Blobs, name: str) -> None:
        """No call takes a name that leads elsewhere or that some store could not keep."""
        for call in (
            lambda: blobs.get(name),
            lambda: blobs.put(name, b""),
            lambda: blobs.put_if_absent({name: b""}),
            lambda: blobs.delete(name),
            lambda: blobs.names(name),
        ):
            with pytest.raises(BadBlobName):
                call()

    def test_size_has_a_limit(self, blobs: Blobs, monkeypatch: pytest.MonkeyPatch) -> None:
        """More bytes than the limit are refused, and nothing is written."""
        monkeypatch.setattr(contract, "BLOB_BYTES_MAX", 10)
        for call in (lambda: blobs.put("log/a", bytes(11)), lambda: blobs.put_if_absent({"log/a": bytes(11)})):
            with pytest.raises(BlobTooLarge):
                call()
        assert blobs.get("log/a") is None
