"""Every key of a log that this machine knows: those that sign, and those of the public file."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.keys.key_folder import KeyFolder, read_sealed_key
from ledger.keys.log_verifiers import LogVerifiers
from ledger.keys.private_file import UnsafeFile
from ledger.log.log_files import LogDamaged
from ledger.trust.note_key import KeyKind, VerifierKey
from ledger.trust.sealed_key import SealedKeyFault


@dataclass(frozen=True, slots=True)
class KnownKeys:
    """By origin, as `ledger.log.own_heads.Verifiers` asks for them. Calls block; LogDamaged."""

    folder: KeyFolder
    verifiers: LogVerifiers

    def __call__(self, origin: str) -> list[VerifierKey]:
        """The keys of a log, none where it has none here."""
        return list(dict.fromkeys([*self.signing(origin), *self.verifiers(origin)]))

    def signing(self, origin: str) -> list[VerifierKey]:
        """Of these those whose private side lies here and signs: one, or two while one follows the other."""
        paths = self.folder.signing_paths(origin, KeyKind.ED25519)
        try:
            return [read_sealed_key(path).verifier for path in paths]
        except (OSError, UnsafeFile, SealedKeyFault) as error:
            raise LogDamaged("keys", f"the key of {origin} cannot be read: {type(error).__name__}") from error
