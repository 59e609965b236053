"""A private note key at rest: four lines of text, the seed sealed under a passphrase.

    ledger-note-key/v1
    <verifier key>
    scrypt <log2 N> 8 1 <base64 of a 16-byte salt>
    aes-256-gcm <base64 of a 12-byte nonce> <base64 of the sealed 32-byte seed>

The key of the seal is scrypt(passphrase, salt); its associated data are the three lines above with their newlines, so
no line of one file fits another. A file cannot ask for more memory than log2 N = 18 needs (256 MiB).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from ledger.trust.format_fault import FormatFault, KeyFault
from ledger.trust.note_key import SEED_BYTES, SigningKey, VerifierKey, parse_verifier_key
from ledger.trust.strict_base64 import from_base64, to_base64

SEALED_KEY_BYTES_MAX = 4096
COST_DEFAULT = 17
"""log2 of scrypt's N: 128 MiB and some tenths of a second for each try at the passphrase (OWASP's figure)."""
COSTS = range(14, 19)
PASSPHRASE_BYTES_MIN = 12
SALT_BYTES = 16
NONCE_BYTES = 12

_HEADER = "ledger-note-key/v1"
_SCRYPT_WORDS = 5
_SEAL_WORDS = 3
_TAG_BYTES = 16


class SealedKeyFault(FormatFault):
    """Not a sealed note key:"""


class WrongPassphrase(Exception):
    """The passphrase does not open this key, or the file was changed."""


@dataclass(frozen=True, slots=True)
class SealedKey:
    """A key file taken apart."""

    verifier: VerifierKey
    """What the file says in the clear; bound to the seed by `unseal_key`."""
    cost: int
    salt: bytes
    nonce: bytes
    box: bytes = field(repr=False)

    def bound(self) -> bytes:
        """The associated data."""
        return f"{_HEADER}\n{self.verifier}\nscrypt {self.cost} 8 1 {to_base64(self.salt)}\n".encode()

    def encode(self) -> bytes:
        """The file's bytes."""
        return self.bound() + f"aes-256-gcm {to_base64(self.nonce)} {to_base64(self.box)}\n".encode()


def seal_key(key: SigningKey, passphrase: bytes, *, salt: bytes, nonce: bytes, cost: int = COST_DEFAULT) -> SealedKey:
    """Seals a key; `salt` (16 bytes) and `nonce` (12 bytes) are random and never used twice.

    KeyFault for a passphrase of fewer than 12 bytes, ValueError for other figures out of range.
    """
    if len(passphrase) < PASSPHRASE_BYTES_MIN:
        raise KeyFault(f"the passphrase has fewer than {PASSPHRASE_BYTES_MIN} bytes")
    if len(salt) != SALT_BYTES or len(nonce) != NONCE_BYTES or cost not in COSTS:
        raise ValueError("salt, nonce or cost is out of range")
    sealed = SealedKey(key.verifier(), cost, salt, nonce, b"")
    box = AESGCM(_derived(sealed, passphrase)).encrypt(nonce, key.seed, sealed.bound())
    return SealedKey(sealed.verifier, cost, salt, nonce, box)


def unseal_key(sealed: SealedKey, passphrase: bytes) -> SigningKey:
    """The private key; WrongPassphrase where it does not open or is not the private side of the file's verifier key."""
    try:
        seed = AESGCM(_derived(sealed, passphrase)).decrypt(sealed.nonce, sealed.box, sealed.bound())
    except InvalidTag:
        raise WrongPassphrase(WrongPassphrase.__doc__) from None
    key = SigningKey(sealed.verifier.name, sealed.verifier.kind, seed)
    if key.verifier() != sealed.verifier:
        raise WrongPassphrase(WrongPassphrase.__doc__)
    return key


def parse_sealed_key(data: bytes) -> SealedKey:
    """The sealed key in a file's bytes; SealedKeyFault names every fault."""
    if len(data) > SEALED_KEY_BYTES_MAX:
        raise SealedKeyFault("more than 4096 bytes")
    lines = data.decode("utf-8", "replace").split("\n")
    if len(lines) != 5 or lines[0] != _HEADER or lines[4]:
        raise SealedKeyFault(f"not four whole lines, the first {_HEADER}")
    faults: list[str] = []
    verifier = _verifier_of(lines[1], faults)
    cost, salt = _scrypt_of(lines[2], faults)
    nonce, box = _seal_of(lines[3], faults)
    if faults or verifier is None:
        raise SealedKeyFault(*faults)
    return SealedKey(verifier, cost, salt, nonce, box)


def _verifier_of(line: str, faults: list[str]) -> VerifierKey | None:
    try:
        return parse_verifier_key(line)
    except KeyFault as fault:
        faults += [f"line 2: {each}" for each in fault.faults]
        return None


def _scrypt_of(line: str, faults: list[str]) -> tuple[int, bytes]:
    words = line.split(" ")
    salt = from_base64(words[-1]) or b""
    costs = [cost for cost in COSTS if len(words) == _SCRYPT_WORDS and words[:4] == ["scrypt", str(cost), "8", "1"]]
    if not costs or len(salt) != SALT_BYTES:
        faults.append("line 3: not scrypt, a cost of 14 to 18, 8, 1 and a salt")
        return 0, b""
    return costs[0], salt


def _seal_of(line: str, faults: list[str]) -> tuple[bytes, bytes]:
    words = line.split(" ")
    nonce, box = from_base64(words[-2] if len(words) == _SEAL_WORDS else "") or b"", from_base64(words[-1]) or b""
    if words[0] != "aes-256-gcm" or len(nonce) != NONCE_BYTES or len(box) != SEED_BYTES + _TAG_BYTES:
        faults.append("line 4: not aes-256-gcm, a nonce and a sealed seed")
    return nonce, box


def _derived(sealed: SealedKey, passphrase: bytes) -> bytes:
    return Scrypt(salt=sealed.salt, length=32, n=1 << sealed.cost, r=8, p=1).derive(passphrase)
