"""The witness's answer to add-checkpoint, status by status, and the body's form."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.trust.checkpoint import Checkpoint
from ledger.trust.format_fault import WitnessRequestFault
from ledger.trust.merkle import EMPTY_ROOT
from ledger.trust.merkle_proof import plan_consistency
from ledger.trust.note import Note
from ledger.trust.note_key import KeyKind
from ledger.trust.tile_growth import TileGrowth
from ledger.trust.tile_hashes import TileHashes
from ledger.trust.witness import Conflict, Cosign, Known, Refusal, Refused, claimed_origin, witness_answer
from ledger.trust.witness_request import REQUEST_BYTES_MAX, AddCheckpoint, parse_add_checkpoint
from tests.unit.trust.tlog_samples import LEAVES, LOG, ORIGIN, key, root_at, signed

KEYS = [LOG.verifier()]
SPECIFIED = (
    "old 20852014\nPlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\njrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=\n"
    "5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=\n/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=\n\n"
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa "
    "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "— example.com/behind-the-sofa "
    "opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=\n"
).encode()
"""The example of tlog-witness."""


def request(old_size: int, size: int) -> AddCheckpoint:
    growth = TileGrowth()
    tiles = {*growth.extend(LEAVES[:size]), *growth.edge()}
    read = TileHashes(size, dict(tiles)).node
    return AddCheckpoint(old_size, plan_consistency(old_size, size).proof(read), signed(size))


def known(size: int) -> Known:
    return Known(size, root_at(size))


def test_specified_request() -> None:
    """The specification's request is taken apart and comes back byte for byte."""
    asked = parse_add_checkpoint(SPECIFIED)
    assert (asked.old_size, len(asked.proof), len(asked.note.signatures)) == (20852014, 4, 2)
    assert claimed_origin(asked) == "example.com/behind-the-sofa"
    assert asked.encode() == SPECIFIED


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 299), st.integers(0, 299))
def test_grown_log_is_cosigned(one: int, other: int) -> None:
    """Whatever the sizes, a tree that has grown is cosigned, from the empty one and at the same size too."""
    old_size, size = sorted((one, other))
    asked = parse_add_checkpoint(request(old_size, size).encode())
    assert claimed_origin(asked) == ORIGIN
    assert witness_answer(asked, KEYS, known(old_size)) == Cosign(Checkpoint(ORIGIN, size, root_at(size)))


def test_unknown_log_is_404() -> None:
    """No key is trusted for the origin."""
    assert witness_answer(request(0, 9), [], Known()) == Refused(Refusal.UNKNOWN_ORIGIN)


def test_untrusted_signature_is_403() -> None:
    """No trusted key signed, or one of them did not make the signature that names it."""
    asked = request(0, 9)
    broken = replace(asked.note, signatures=(replace(asked.note.signatures[0], value=bytes(64)),))
    for keys, note in (([key(ORIGIN + "x", KeyKind.ED25519).verifier()], asked.note), (KEYS, broken)):
        answer = witness_answer(replace(asked, note=note), keys, Known())
        assert isinstance(answer, Refused)
        assert answer.refusal is Refusal.UNTRUSTED == 403


def test_old_size_above_the_checkpoint_s_is_400() -> None:
    """A log cannot shrink: asked so, the request is malformed."""
    answer = witness_answer(AddCheckpoint(10, (), signed(9)), KEYS, known(10))
    assert isinstance(answer, Refused)
    assert answer.refusal is Refusal.MALFORMED == 400


def test_text_that_is_no_checkpoint_is_400() -> None:
    """A signed note need not be a checkpoint."""
    asked = AddCheckpoint(0, (), Note("text\n").signed_also(LOG.sign("text\n")))
    answer = witness_answer(asked, KEYS, Known())
    assert isinstance(answer, Refused)
    assert answer.refusal is Refusal.MALFORMED
    with pytest.raises(WitnessRequestFault):
        claimed_origin(asked)


@pytest.mark.parametrize(("old_size", "has"), [(0, 5), (5, 0), (5, 7), (7, 5), (9, 20)])
def test_another_size_is_409_with_ours(old_size: int, has: int) -> None:
    """The answer tells the log where the witness stands, whether that is behind or ahead of it."""
    answer = witness_answer(request(old_size, 9), KEYS, known(has))
    assert answer == Conflict(has)
    assert Conflict(has).body == b"%d\n" % has


def test_fork_is_422() -> None:
    """Another root of the same size, another history, a proof where none belongs, and a wrong empty tree."""
    fork = Known(5, bytes(32))
    empty = Note(Checkpoint(ORIGIN, 0, bytes(32)).text())
    cases = [
        (request(9, 9), Known(9, bytes(32))),
        (request(5, 9), fork),
        (replace(request(0, 9), proof=(bytes(32),)), Known()),
        (replace(request(9, 9), proof=(bytes(32),)), known(9)),
        (replace(request(5, 9), proof=()), known(5)),
        (replace(request(5, 9), proof=request(5, 9).proof[:-1]), known(5)),
        (AddCheckpoint(0, (), empty.signed_also(LOG.sign(empty.text))), Known()),
    ]
    for asked, last in cases:
        answer = witness_answer(asked, KEYS, last)
        assert isinstance(answer, Refused)
        assert answer.refusal is Refusal.INCONSISTENT == 422
    assert Known() == Known(0, EMPTY_ROOT)


BODY = request(5, 9).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"", b"old 5\n", BODY.replace(b"old 5", b"old 05"), BODY.replace(b"old 5", b"old -5"), BODY[4:],
        BODY.replace(b"old 5", b"size 5"), BODY.replace(b"old 5\n", b"old 5\nAAAA\n"), BODY.replace(b"\n", b"\r\n"),
        BODY.replace(b"old 5\n", b"old 5\n\n"), BODY[:-1], bytes(REQUEST_BYTES_MAX + 1), "old ٥".encode() + BODY[5:],
        BODY.replace(b"old 5\n", b"old 5\n" + b"\n".join([b"A" * 43 + b"="] * 64) + b"\n"),
    ],
)  # fmt: skip
def test_no_request(body: bytes) -> None:
    """Other spellings, more than 63 hashes, and bodies without a note are refused."""
    with pytest.raises(WitnessRequestFault):
        parse_add_checkpoint(body)


def test_every_fault_of_a_request_is_named() -> None:
    """One error names them all."""
    with pytest.raises(WitnessRequestFault) as caught:
        parse_add_checkpoint(b"old x\nAAAA\n\nno note")
    assert caught.value.faults == ("the old size", "hash 1", "no signature lines after an empty line")
