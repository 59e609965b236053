"""The keys with which logs sign, one per origin, out of a folder of sealed key files."""

from __future__ import annotations

from pathlib import Path

from ledger.keys.key_folder import KeyFolder, open_signing_key
from ledger.keys.log_verifiers import FILE_NAME, LogVerifiers
from ledger.keys.private_file import UnsafeFile, read_private
from ledger.log.log_files import LogDamaged
from ledger.trust.note_key import KeyKind, SigningKey, VerifierKey
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
    """Opens each key file once and looks at every call whether it is still the one that signs. Calls block.

    A key signs nothing before its public part is among the verifier keys: the other roles would not believe its heads.
    """

    def __init__(
        self, folder: Path, passphrase_file: Path | None, *, make: bool, verifiers: LogVerifiers | None = None
    ) -> None:
        """`make`: the first key of a log is made, which only who runs the whole service alone may want.

        `verifiers` None: the file beside the keys.
        """
        self._verifiers = verifiers or LogVerifiers(folder / FILE_NAME)
        self._keys = KeyFolder(folder)
        self._passphrase_file = passphrase_file
        self._make = make
        self._opened: dict[tuple[str, int, int], SigningKey] = {}

    def of(self, origin: str) -> tuple[SigningKey, ...]:
        """The keys that sign for a log: one, or two while a second is about to follow the first. Raises KeyUnusable."""
        path = self._keys.path_of(origin, KeyKind.ED25519)
        try:
            found = self._keys.signing_paths(origin, KeyKind.ED25519)
            if not found and self._make and self._is_new(origin):
                self._keys.make(origin, KeyKind.ED25519, self._passphrase(origin), cost=_MADE_COST)
                found = [path]
            if not found:
                raise FileNotFoundError(path.name)
            return tuple(self._once(origin, path) for path in found)
        except (OSError, UnsafeFile, SealedKeyFault, WrongPassphrase) as error:
            raise KeyUnusable(origin, f"{path.name}: {type(error).__name__}") from error

    def known(self, origin: str) -> list[VerifierKey]:
        """The public sides of all that sign or have signed for a log, as far as this machine knows. LogDamaged."""
        try:
            return list(dict.fromkeys([*self._keys.verifiers_of(origin, KeyKind.ED25519), *self._verifiers(origin)]))
        except (OSError, UnsafeFile, SealedKeyFault) as error:
            raise LogDamaged("keys", f"a key of {origin} cannot be read: {type(error).__name__}") from error

    def _is_new(self, origin: str) -> bool:
        """Whether no key has signed under it yet: another one in the place of a key that has follows none."""
        try:
            return not self._keys.retired(origin, KeyKind.ED25519) and not self._verifiers(origin)
        except LogDamaged as damage:
            raise KeyUnusable(origin, f"whether it is the first cannot be said: {damage.what}") from damage

    def _once(self, origin: str, path: Path) -> SigningKey:
        known = path.stat()
        place = origin, known.st_ino, known.st_mtime_ns
        if place not in self._opened:
            key = open_signing_key(path, self._passphrase(origin))
            if key.name != origin:
                raise KeyUnusable(origin, f"{path.name} is the key of another name")
            self._make_known(key.verifier())
            self._opened[place] = key
        return self._opened[place]

    def _make_known(self, key: VerifierKey) -> None:
        try:
            self._verifiers.add(key)
        except (OSError, LogDamaged) as error:
            what = error.what if isinstance(error, LogDamaged) else str(error.strerror)
            raise KeyUnusable(key.name, f"its verifier key cannot be made known: {what}") from error

    def _passphrase(self, origin: str) -> bytes:
        if self._passphrase_file is None:
            raise KeyUnusable(origin, "LEDGER_LOG_PASSPHRASE_FILE is not set")
        return read_private(self._passphrase_file, bytes_max=PASSPHRASE_BYTES_MAX).partition(b"\n")[0]
