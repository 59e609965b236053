"""A folder of sealed note keys, one file per name and kind."""

from __future__ import annotations

import secrets
from pathlib import Path

from ledger.keys.private_file import read_private, sync_folder, write_private
from ledger.trust.note_key import SEED_BYTES, KeyKind, SigningKey, VerifierKey
from ledger.trust.sealed_key import (
    COST_DEFAULT,
    NONCE_BYTES,
    SALT_BYTES,
    SEALED_KEY_BYTES_MAX,
    SealedKey,
    parse_sealed_key,
    seal_key,
    unseal_key,
)

_NEXT, _RETIRED = ".next", ".retired"
_ENDINGS = {KeyKind.ED25519: ".note-key", KeyKind.COSIGNATURE: ".cosigner-key"}


class KeyFolder:
    """Note keys under one folder. The folder is made with mode 700; a file is never written over."""

    def __init__(self, folder: Path) -> None:
        """Nothing is read or made before it is needed."""
        self.folder = folder

    def path_of(self, name: str, kind: KeyKind) -> Path:
        """Where the key of this name lies. A key's name has no plus, so that can stand for the slash."""
        return self.folder / f"{name.replace('/', '+')}{_ENDINGS[kind]}"

    def make(
        self, name: str, kind: KeyKind, passphrase: bytes, *, cost: int = COST_DEFAULT, following: bool = False
    ) -> VerifierKey:
        """Makes a key at random, seals it into its file; FileExistsError where there is one, KeyFault as `seal_key`.

        `following`: the key that is to follow the one of this name.
        """
        key = SigningKey(name, kind, secrets.token_bytes(SEED_BYTES))
        sealed = seal_key(
            key, passphrase, salt=secrets.token_bytes(SALT_BYTES), nonce=secrets.token_bytes(NONCE_BYTES), cost=cost
        )
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(self.next_path_of(name, kind) if following else self.path_of(name, kind), sealed.encode())
        return sealed.verifier

    def next_path_of(self, name: str, kind: KeyKind) -> Path:
        """Where the key lies that will follow the one of this name, and signs beside it until then."""
        path = self.path_of(name, kind)
        return path.with_name(path.name + _NEXT)

    def signing_paths(self, name: str, kind: KeyKind) -> list[Path]:
        """The files of the keys that sign under a name: one, or two while the second is about to follow the first."""
        return [path for path in (self.path_of(name, kind), self.next_path_of(name, kind)) if path.exists()]

    def verifiers_of(self, name: str, kind: KeyKind) -> list[VerifierKey]:
        """The public sides of every key there ever was under a name, also of those that sign no more."""
        return [read_sealed_key(path).verifier for path in [*self.signing_paths(name, kind), *self.retired(name, kind)]]

    def retired(self, name: str, kind: KeyKind) -> list[Path]:
        """The files of keys that sign nothing any more, and are there to be checked with."""
        return sorted(self.folder.glob(f"{self.path_of(name, kind).name}.*{_RETIRED}"))

    def put_away(self, path: Path) -> None:
        """Takes a key out of use for good. OSError, and as `read_sealed_key`."""
        key_id = read_sealed_key(path).verifier.key_id.hex()
        path.rename(path.with_name(f"{path.name.removesuffix(_NEXT)}.{key_id}{_RETIRED}"))
        sync_folder(self.folder)

    def finish_rotation(self, name: str, kind: KeyKind) -> None:
        """Puts the next key in the place of the first, which is put away. A kill in between leaves the next one alone
        to sign, and the same call ends it.
        """
        path, following = self.path_of(name, kind), self.next_path_of(name, kind)
        if path.exists():
            self.put_away(path)
        following.rename(path)
        sync_folder(self.folder)

    def paths(self) -> list[Path]:
        """The file of every key that signs, in order of name."""
        endings = [ending + follows for ending in _ENDINGS.values() for follows in ("", _NEXT)]
        return sorted(path for ending in endings for path in self.folder.glob(f"*{ending}"))


def read_sealed_key(path: Path) -> SealedKey:
    """The sealed key in a file; UnsafeFile, SealedKeyFault or OSError."""
    return parse_sealed_key(read_private(path, bytes_max=SEALED_KEY_BYTES_MAX))


def open_signing_key(path: Path, passphrase: bytes) -> SigningKey:
    """The private key in a file; as `read_sealed_key`, and WrongPassphrase."""
    return unseal_key(read_sealed_key(path), passphrase)
