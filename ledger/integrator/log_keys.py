"""The keys with which logs sign, one per origin, out of a folder of sealed key files."""

from __future__ import annotations

from pathlib import Path

from ledger.keys.key_folder import KeyFolder, open_signing_key
from ledger.keys.private_file import UnsafeFile, read_private
from ledger.trust.note_key import KeyKind, SigningKey
from ledger.trust.sealed_key import SealedKeyFault, WrongPassphrase

PASSPHRASE_BYTES_MAX = 1024
_MADE_COST = 14
"""scrypt's cost for keys made here: their passphrase is a random one of a file, which nobody guesses at any cost."""


class KeyUnusable(Exception):
    """The log's key is missing or cannot be opened; nothing is signed under its origin."""

    def __init__(self, origin: str, what: str) -> None:
        super().__init__(f"{origin}: {self.__doc__} {what}")
        self.origin = origin
        self.what = what


class LogKeys:
    """Opens each key once and keeps it for the life of the process. Calls block."""

    def __init__(self, folder: Path, passphrase_file: Path | None, *, make: bool) -> None:
        """`make`: a key that is missing is made, which only who runs the whole service alone may want."""
        self._folder = folder
        self._passphrase_file = passphrase_file
        self._make = make
        self._opened: dict[str, SigningKey] = {}

    def of(self, origin: str) -> SigningKey:
        """The key of a log. Raises KeyUnusable."""
        if origin not in self._opened:
            self._opened[origin] = self._open(origin)
        return self._opened[origin]

    def _open(self, origin: str) -> SigningKey:
        keys = KeyFolder(self._folder)
        path = keys.path_of(origin, KeyKind.ED25519)
        try:
            passphrase = self._passphrase(origin)
            if self._make and not path.exists() and not keys.retired_path_of(origin, KeyKind.ED25519).exists():
                keys.make(origin, KeyKind.ED25519, passphrase, cost=_MADE_COST)
            key = open_signing_key(path, passphrase)
        except (OSError, UnsafeFile, SealedKeyFault, WrongPassphrase) as error:
            raise KeyUnusable(origin, f"{path.name}: {type(error).__name__}") from error
        if key.name != origin:
            raise KeyUnusable(origin, f"{path.name} is the key of another name")
        return key

    def _passphrase(self, origin: str) -> bytes:
        if self._passphrase_file is None:
            raise KeyUnusable(origin, "LEDGER_LOG_PASSPHRASE_FILE is not set")
        return read_private(self._passphrase_file, bytes_max=PASSPHRASE_BYTES_MAX).partition(b"\n")[0]
