"""Keys of signed notes: verifier keys as text (`name+key id+key`), and the private keys that sign.

Two kinds are known: Ed25519 over the note's text (a log), and Ed25519 with a time over a checkpoint (a witness,
`cosignature/v1`). The kind is part of the key id, so one kind of signature is never taken for the other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import IntEnum
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ledger.trust.format_fault import KeyFault
from ledger.trust.merkle import TREE_SIZE_MAX
from ledger.trust.note import Signature, is_key_name
from ledger.trust.strict_base64 import from_base64, to_base64

PUBLIC_KEY_BYTES = SEED_BYTES = 32
_KEY_ID = re.compile(r"[0-9a-f]{8}", re.ASCII)
_TIME_BYTES = 8
_VKEY_CHARACTERS_MAX = 4096


class KeyKind(IntEnum):
    """The signature types of signed-note that are understood here."""

    ED25519 = 0x01
    COSIGNATURE = 0x04


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with its name. `str()` is the verifier key string."""

    name: str
    kind: KeyKind
    public_key: bytes
    """32 bytes, RFC 8032."""
    key_id: bytes = field(init=False)
    """4 bytes: SHA-256(name || newline || kind || public key), cut."""

    def __post_init__(self) -> None:
        """KeyFault where name or key could not stand in a note."""
        faults = _faults_of(self.name, self.public_key)
        if faults:
            raise KeyFault(*faults)
        digest = sha256(self.name.encode() + b"\n" + bytes((self.kind,)) + self.public_key).digest()
        object.__setattr__(self, "key_id", digest[:4])

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{to_base64(bytes((self.kind,)) + self.public_key)}"

    def is_named_by(self, signature: Signature) -> bool:
        """Whether the signature claims to be this key's: name and key id both."""
        return (signature.name, signature.key_id) == (self.name, self.key_id)

    def time_of(self, text: str, signature: Signature) -> int | None:
        """The Unix second at which `text` was signed, 0 where this kind of key says none; None for a bad signature."""
        if not self.is_named_by(signature):
            return None
        if self.kind is KeyKind.ED25519:
            return 0 if self._holds(signature.value, text.encode()) else None
        time = int.from_bytes(signature.value[:_TIME_BYTES], "big")
        # A cosignature states when it was made; one of the year 1970 states nothing, and would prove any time.
        if not 0 < time <= TREE_SIZE_MAX:
            return None
        return time if self._holds(signature.value[_TIME_BYTES:], cosigned_message(text, time)) else None

    def _holds(self, value: bytes, message: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(value, message)
        except (InvalidSignature, ValueError):  # ValueError: 32 bytes that are no point of the curve
            return False
        return True


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key. Never printed; at rest only in the form of `ledger.trust.sealed_key`."""

    name: str
    kind: KeyKind
    seed: bytes = field(repr=False)
    """32 bytes, RFC 8032. Made at random by the caller."""

    def __post_init__(self) -> None:
        """KeyFault where name or seed could not make a key."""
        faults = _faults_of(self.name, self.seed)
        if faults:
            raise KeyFault(*faults)

    def verifier(self) -> VerifierKey:
        """The public side."""
        return VerifierKey(self.name, self.kind, self._private().public_key().public_bytes_raw())

    def sign(self, text: str) -> Signature:
        """Signs a note's text (kind ED25519). Ed25519 is deterministic: the same text, the same signature."""
        if self.kind is not KeyKind.ED25519:
            raise KeyFault("a cosigner's key signs no plain note")
        return Signature(self.name, self.verifier().key_id, self._private().sign(text.encode()))

    def cosign(self, checkpoint_text: str, time: int) -> Signature:
        """Cosigns a checkpoint's text (kind COSIGNATURE) at a Unix second, which the caller takes from its clock.

        Only after the checkpoint was found consistent with everything cosigned before, and stored.
        """
        if self.kind is not KeyKind.COSIGNATURE:
            raise KeyFault("a log's key makes no cosignature")
        if not 0 < time <= TREE_SIZE_MAX:
            raise KeyFault("the time is not a Unix second after 1970")
        value = self._private().sign(cosigned_message(checkpoint_text, time))
        return Signature(self.name, self.verifier().key_id, time.to_bytes(_TIME_BYTES, "big") + value)

    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)


def cosigned_message(checkpoint_text: str, time: int) -> bytes:
    """What a cosigner signs: two lines of its own before the checkpoint's text."""
    return f"cosignature/v1\ntime {time}\n{checkpoint_text}".encode()


def parse_verifier_key(text: str) -> VerifierKey:
    """The key of a verifier key string; KeyFault names every fault."""
    if len(text) > _VKEY_CHARACTERS_MAX:
        raise KeyFault("longer than 4096 characters")
    name, first, rest = text.partition("+")
    key_id, second, encoded = rest.partition("+")
    if not first or not second:
        raise KeyFault("not name+key id+key")
    data = from_base64(encoded)
    faults = [
        *(["the name"] if not is_key_name(name) else []),
        *(["the key id is not 8 lower-case hex digits"] if not _KEY_ID.fullmatch(key_id) else []),
        *(["the key is not base64"] if data is None else []),
    ]
    if faults or data is None:
        raise KeyFault(*faults)
    key = VerifierKey(name, _kind_of(data), data[1:])
    if key.key_id.hex() != key_id:
        raise KeyFault("the key id is not that of name and key")
    return key


def _kind_of(data: bytes) -> KeyKind:
    if not data or data[0] not in list(KeyKind):
        raise KeyFault("a kind of key that is not understood here")
    return KeyKind(data[0])


def _faults_of(name: str, key: bytes) -> list[str]:
    return [
        *(["the name is empty or has whitespace or a plus"] if not is_key_name(name) else []),
        *(["the key is not 32 bytes"] if len(key) != PUBLIC_KEY_BYTES else []),
    ]
