"""Keys, policies and signed checkpoints for the tests: everything follows from fixed seeds."""

from hashlib import sha256

from ledger.trust.checkpoint import Checkpoint
from ledger.trust.merkle import Frontier
from ledger.trust.note import Note
from ledger.trust.note_key import KeyKind, SigningKey
from tests.unit.trust.naive_tree import numbered_leaves

ORIGIN = "ledger.example/north/1"
LEAVES = numbered_leaves(300)


def key(name: str, kind: KeyKind) -> SigningKey:
    """A key whose seed is the digest of its name and kind."""
    return SigningKey(name, kind, sha256(f"{name} {kind:d}".encode()).digest())


LOG = key(ORIGIN, KeyKind.ED25519)
WITNESSES = [key(f"witness.example/w{number}", KeyKind.COSIGNATURE) for number in (1, 2, 3)]
POLICY = (
    f"# one log, two of three witnesses\nlog {LOG.verifier()}\n"
    + "".join(f"witness w{at} {each.verifier()} https://witness.example/{at}\n" for at, each in enumerate(WITNESSES, 1))
    + "group ours 2 w1 w2 w3\nquorum ours\n"
).encode()


def root_at(size: int) -> bytes:
    """Root of the first `size` sample leaves."""
    frontier = Frontier()
    frontier.extend(LEAVES[:size])
    return frontier.root()


def signed(size: int, *times: int, log: SigningKey = LOG) -> Note:
    """The sample log's checkpoint, cosigned by the first witnesses at these times (0: not by that one)."""
    text = Checkpoint(log.name, size, root_at(size)).text()
    cosignatures = [witness.cosign(text, time) for witness, time in zip(WITNESSES, times, strict=False) if time]
    return Note(text).signed_also(log.sign(text), *cosignatures)
