"""Key-encryption keys from a key file, which an operator may rotate while this process runs."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ledger.keys.errors import KeyFileUnusable, KeysUnavailable
from ledger.keys.key_file import KeyFile, read_key_file
from ledger.keys.secret_file import read_line_secret
from ledger.keys.wrapping import NONCE_BYTES, KeyPlace, Wrapped, unwrap, wrap

LOOK_SECONDS = 5.0
"""How long a rotation may stay unseen."""


class KeyFileKeys:
    """A KeyEncryption. Looks at the file at most every LOOK_SECONDS, and reads it where it changed."""

    def __init__(
        self,
        file: Path,
        passphrase_file: Path,
        random: Callable[[int], bytes] = os.urandom,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Reads the file. KeyFileUnusable."""
        self._file = file
        self._passphrase_file = passphrase_file
        self._random = random
        self._clock = clock
        self._reading = asyncio.Lock()
        self._seen = _identity(file)
        self._content = self._read()
        self._looked = clock()

    @property
    def content(self) -> KeyFile:
        """The generations as last read."""
        return self._content

    async def wrap(self, keys: Sequence[tuple[KeyPlace, bytes]]) -> list[Wrapped]:
        """As KeyEncryption says."""
        newest = (await self.current()).newest
        return [wrap(newest.key, newest.number, self._random(NONCE_BYTES), place, key) for place, key in keys]

    async def unwrap(self, keys: Sequence[tuple[KeyPlace, Wrapped]]) -> list[bytes | None]:
        """As KeyEncryption says."""
        content = await self.current()
        if any(wrapped.generation > content.newest.number for _, wrapped in keys):
            # Another process may have seen a rotation before this one.
            content = await self.current(look_seconds=0.0)
        return [_unwrapped(content, place, wrapped) for place, wrapped in keys]

    async def current(self, look_seconds: float = LOOK_SECONDS) -> KeyFile:
        """The generations as they were at most that long ago. Raises KeysUnavailable."""
        if self._clock() - self._looked < look_seconds:
            return self._content
        async with self._reading:
            if self._clock() - self._looked >= look_seconds:
                await asyncio.to_thread(self._look)
                self._looked = self._clock()
        return self._content

    def _look(self) -> None:
        try:
            seen = _identity(self._file)
            if seen != self._seen:
                self._content, self._seen = self._read(), seen
        except KeyFileUnusable as error:
            raise KeysUnavailable(str(error)) from error

    def _read(self) -> KeyFile:
        return read_key_file(self._file, read_line_secret(self._passphrase_file))


def _unwrapped(content: KeyFile, place: KeyPlace, wrapped: Wrapped) -> bytes | None:
    key = content.key_of(wrapped.generation)
    return None if key is None else unwrap(key, place, wrapped)


def _identity(file: Path) -> tuple[int, int, int]:
    try:
        found = file.lstat()
    except OSError as error:
        raise KeyFileUnusable(file, f"cannot be opened ({error.strerror})") from None
    return found.st_ino, found.st_mtime_ns, found.st_size
