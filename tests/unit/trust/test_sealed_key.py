"""Private keys at rest."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from ledger.trust.format_fault import KeyFault
from ledger.trust.sealed_key import SealedKey, SealedKeyFault, WrongPassphrase, parse_sealed_key, seal_key, unseal_key
from tests.unit.trust.tlog_samples import LOG, WITNESSES

PASSPHRASE = b"a passphrase"
SEALED = seal_key(LOG, PASSPHRASE, salt=bytes(16), nonce=bytes(12), cost=14)
FILE = SEALED.encode()


def test_sealed_key_comes_back() -> None:
    """A key file comes back as written and opens with its passphrase."""
    assert parse_sealed_key(FILE) == SEALED
    assert unseal_key(parse_sealed_key(FILE), PASSPHRASE) == LOG
    assert LOG.seed not in FILE
    assert FILE.split(b"\n")[:2] == [b"ledger-note-key/v1", str(LOG.verifier()).encode()]


def test_wrong_passphrase() -> None:
    """Another passphrase does not open it."""
    with pytest.raises(WrongPassphrase):
        unseal_key(SEALED, b"a passphrasf")


@pytest.mark.parametrize(
    "changed",
    [
        replace(SEALED, verifier=WITNESSES[0].verifier()), replace(SEALED, salt=bytes(15) + b"x"),
        replace(SEALED, nonce=bytes(11) + b"x"), replace(SEALED, cost=15), replace(SEALED, box=bytes(48)),
    ],
)  # fmt: skip
def test_changed_file_does_not_open(changed: SealedKey) -> None:
    """Every line is bound to the seal: a key under another's name is found, not used."""
    with pytest.raises(WrongPassphrase):
        unseal_key(parse_sealed_key(changed.encode()), PASSPHRASE)


def test_seed_of_another_key() -> None:
    """A file that opens but holds the seed of another key than it says is refused: it would sign under a false name."""
    said = replace(SEALED, verifier=WITNESSES[0].verifier())
    derived = Scrypt(salt=said.salt, length=32, n=1 << said.cost, r=8, p=1).derive(PASSPHRASE)
    box = AESGCM(derived).encrypt(said.nonce, LOG.seed, said.bound())
    with pytest.raises(WrongPassphrase):
        unseal_key(replace(said, box=box), PASSPHRASE)


@pytest.mark.parametrize("end", range(0, len(FILE), 7))
def test_truncated_file(end: int) -> None:
    """A file that was cut anywhere is refused before anything is derived."""
    with pytest.raises(SealedKeyFault):
        parse_sealed_key(FILE[:end])


@pytest.mark.parametrize(
    "data",
    [
        FILE + b"\n", FILE.replace(b"/v1", b"/v2"), FILE.replace(b"scrypt 14", b"scrypt 20"),
        FILE.replace(b"scrypt 14", b"scrypt 13"), FILE.replace(b"14 8 1", b"14 9 1"),
        FILE.replace(b"14 8 1", b"14 8 2"), FILE.replace(b"scrypt 14", b"scrypt 014"),
        FILE.replace(b"aes-256", b"aes-128"), bytes(4097), b"\xff" + FILE,
        FILE.replace(b"AAAAAA==", b"AAAAAB=="),
    ],
)  # fmt: skip
def test_no_sealed_key(data: bytes) -> None:
    """Other versions, costs beyond the limits and other spellings are refused."""
    with pytest.raises(SealedKeyFault):
        parse_sealed_key(data)


def test_every_faulty_line_is_named() -> None:
    """One error names them all."""
    with pytest.raises(SealedKeyFault) as caught:
        parse_sealed_key(b"ledger-note-key/v1\nx\ny\nz\n")
    assert [fault[:6] for fault in caught.value.faults] == ["line 2", "line 3", "line 4"]


def test_what_is_not_sealed() -> None:
    """A short passphrase, and figures out of range, seal nothing."""
    with pytest.raises(KeyFault, match="12 bytes"):
        seal_key(LOG, b"too short", salt=bytes(16), nonce=bytes(12))
    for salt, nonce, cost in ((bytes(15), bytes(12), 14), (bytes(16), bytes(11), 14), (bytes(16), bytes(12), 19)):
        with pytest.raises(ValueError, match="out of range"):
            seal_key(LOG, PASSPHRASE, salt=salt, nonce=nonce, cost=cost)
