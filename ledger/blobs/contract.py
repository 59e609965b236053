"""The port: what every store of blobs promises. One contract suite (`tests/contract/blobs`) runs on every adapter."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Protocol

BLOB_BYTES_MAX = 272 * 1024 * 1024
"""More than a bundle of 256 bodies of 1 MiB each."""
NAME_CHARACTERS_MAX = 512
NAMES_MAX = 100_000
"""Of one listing."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,127}(?:/[A-Za-z0-9][A-Za-z0-9._+-]{0,127})*", re.ASCII)


class BlobError(Exception):
    """Why a store of blobs did not do what it was asked."""


class BadBlobName(BlobError):
    """A name that no blob has: segments of letters, digits and ._+- between slashes, none beginning with a dot."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class BlobTooLarge(BlobError):
    """More bytes than a blob may have."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name}: {self.__doc__}")
        self.name = name


class BlobDiffers(BlobError):
    """Other bytes are kept under this name already, and they are never written over."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name}: {self.__doc__}")
        self.name = name


class TooManyBlobs(BlobError):
    """More names than one listing may have."""

    def __init__(self, prefix: str) -> None:
        super().__init__(f"{prefix}: {self.__doc__}")
        self.prefix = prefix


class BlobsUnavailable(BlobError):
    """The store does not answer, or refuses; what was asked may have happened or not."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{self.__doc__} {what}")
        self.what = what


class Blobs(Protocol):
    """A store of blobs. Every call blocks, may come from any thread, and raises BlobError where it fails.

    What is written is durable before the call returns. A reader never sees a part of a blob.
    """

    def get(self, name: str) -> bytes | None:
        """The blob's bytes, or None where there is none of this name."""
        ...

    def put_if_absent(self, blobs: Mapping[str, bytes]) -> None:
        """Writes blobs that never change. One that is there with the same bytes is left; with others: BlobDiffers.

        In no order: after a failure some may be there and others not, and the same call may be made again.
        """
        ...

    def put(self, name: str, data: bytes) -> None:
        """Writes a blob, in the place of the one before."""
        ...

    def names(self, prefix: str) -> list[str]:
        """The names below the folder `prefix` (a name without a slash at its end), in order."""
        ...

    def delete(self, name: str) -> None:
        """Removes a blob; nothing where there is none."""
        ...


def checked_name(name: str) -> str:
    """The name; BadBlobName for one that no store takes."""
    if len(name) > NAME_CHARACTERS_MAX or not _NAME.fullmatch(name):
        raise BadBlobName
    return name


def checked_size(name: str, data: bytes) -> None:
    """BlobTooLarge for more than BLOB_BYTES_MAX bytes."""
    if len(data) > BLOB_BYTES_MAX:
        raise BlobTooLarge(name)
