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

_RETIRED = ".retired"
_ENDINGS = {KeyKind.ED25519: ".note-key", KeyKind.COSIGNATURE: ".cosigner-key"}


class KeyFolder:
    """Note keys under one folder. The folder is made with mode 700; a file is never written over."""

    def __init__(self, folder: Path) -> None:
        """Nothing is read or made before it is needed."""
        self.folder = folder

    def path_of(self, name: str, kind: KeyKind) -> Path:
        """Where the key of this name lies. A key's name has no plus, so that can stand for the slash."""
        return self.folder / f"{name.replace('/', '+')}{_ENDINGS[kind]}"

    def make(self, name: str, kind: KeyKind, passphrase: bytes, *, cost: int = COST_DEFAULT) -> VerifierKey:
        """Makes a key at random, seals it into its file; FileExistsError where there is one, KeyFault as `seal_key`."""
        key = SigningKey(name, kind, secrets.token_bytes(SEED_BYTES))
        sealed = seal_key(
            key, passphrase, salt=secrets.token_bytes(SALT_BYTES), nonce=secrets.token_bytes(NONCE_BYTES), cost=cost
        )
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(self.path_of(name, kind), sealed.encode())
        return sealed.verifier

    def retired_path_of(self, name: str, kind: KeyKind) -> Path:
        """Where a key lies that signs nothing any more, and is there to be checked with."""
        path = self.path_of(name, kind)
        return path.with_name(path.name + _RETIRED)

    def retire(self, name: str, kind: KeyKind) -> None:
        """Takes a key out of use for good; again: nothing. OSError."""
        path = self.path_of(name, kind)
        if path.exists():
            path.rename(self.retired_path_of(name, kind))
            sync_folder(self.folder)

    def verifier_of(self, name: str, kind: KeyKind) -> VerifierKey:
        """The public side of a key, also of one that was retired; as `read_sealed_key`."""
        path, retired = self.path_of(name, kind), self.retired_path_of(name, kind)
        return read_sealed_key(retired if retired.exists() else path).verifier

    def paths(self) -> list[Path]:
        """Every key file, in order of name."""
        return sorted(path for ending in _ENDINGS.values() for path in self.folder.glob(f"*{ending}"))


def read_sealed_key(path: Path) -> SealedKey:
    """The sealed key in a file; UnsafeFile, SealedKeyFault or OSError."""
    return parse_sealed_key(read_private(path, bytes_max=SEALED_KEY_BYTES_MAX))


def open_signing_key(path: Path, passphrase: bytes) -> SigningKey:
    """The private key in a file; as `read_sealed_key`, and WrongPassphrase."""
    return unseal_key(read_sealed_key(path), passphrase)
