"""A log changes its key with an overlap: both sign the same heads, and never two roots of one size between them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ledger.blobs.contract import BlobDiffers
from ledger.integrator.signed_log import SignedLog
from ledger.log.log_files import LogDamaged
from ledger.trust.note import Note
from ledger.trust.note_key import KeyKind, SigningKey
from ledger.trust.policy import NO_QUORUM, Peer, Policy
from ledger.trust.signed_note import signers
from tests.fault.test_integration_step import EVENTS, files_in
from tests.unit.trust.tlog_samples import LOG, ORIGIN
from verifier import verify as court

OLD, NEW = LOG, SigningKey(ORIGIN, KeyKind.ED25519, b"\x0b" * 32)
BOTH = [OLD.verifier(), NEW.verifier()]


def grown(folder: Path, size: int, *keys: SigningKey) -> SignedLog:
    log = SignedLog(files_in(folder), ORIGIN, *keys)
    log.take(EVENTS[log.size : size])
    log.publish(log.sign(), log.signed)
    return log


def signed_by(folder: Path) -> list[SigningKey]:
    note = files_in(folder).published()
    assert note is not None
    found = signers(note, BOTH)
    return [key for key in (OLD, NEW) if key.verifier() in found]


def test_each_step_of_a_rotation_goes_on_from_the_one_before(tmp_path: Path) -> None:
    """One key, both, the new one alone; at every step the log is taken up, and a stranger's key takes none."""
    for size, keys in ((10, (OLD,)), (20, (OLD, NEW)), (300, (OLD, NEW)), (310, (NEW,))):
        assert grown(tmp_path, size, *keys).signed.size == size
        assert signed_by(tmp_path) == list(keys)
    with pytest.raises(LogDamaged):
        SignedLog(files_in(tmp_path), ORIGIN, OLD)


def test_a_head_that_is_there_gets_the_second_signature(tmp_path: Path) -> None:
    """Nothing new has to happen in the ledger: the same text is signed again, by both, and published."""
    before = grown(tmp_path, 10, OLD).signed_note
    log = SignedLog(files_in(tmp_path), ORIGIN, OLD, NEW)
    assert (log.signed_note.text, log.is_settled) == (before.text, False)
    log.publish(log.signed_note, log.signed)
    assert (signed_by(tmp_path), log.is_settled) == ([OLD, NEW], True)


def test_killed_between_signing_and_publishing_the_overlap_goes_on(tmp_path: Path) -> None:
    """`signed` bears both, `checkpoint` the old one alone: taken up under either, and published again."""
    grown(tmp_path, 10, OLD)
    SignedLog(files_in(tmp_path), ORIGIN, OLD, NEW)
    for keys in ((OLD, NEW), (OLD,)):
        assert SignedLog(files_in(tmp_path), ORIGIN, *keys).signed.size == 10
    with pytest.raises(LogDamaged):  # too early: what everybody reads is not signed by it
        SignedLog(files_in(tmp_path), ORIGIN, NEW)


def test_a_log_from_before_the_rotation_is_taken_up_and_signed_anew(tmp_path: Path) -> None:
    """Its store was put back beside the keys of now: the old key counts where it is known, and the new one goes on."""
    grown(tmp_path, 10, OLD)
    log = SignedLog(files_in(tmp_path), ORIGIN, NEW, known=[OLD.verifier()])
    assert (log.signed.size, log.is_settled, set(signers(log.signed_note, BOTH))) == (10, False, {NEW.verifier()})
    log.publish(log.signed_note, log.signed)
    assert signed_by(tmp_path) == [NEW]
    assert grown(tmp_path, 20, NEW).signed.size == 20


def test_a_new_key_signs_no_second_root(tmp_path: Path) -> None:
    """What the old key signed at a size is all that the new one can sign at that size."""
    grown(tmp_path, 10, OLD, NEW)
    log = grown(tmp_path, 20, OLD, NEW)
    files_in(tmp_path).keep_signed(Note(log.signed.text(), (NEW.sign(log.signed.text()),)))
    ahead = SignedLog(files_in(tmp_path), ORIGIN, NEW)
    ahead.take(EVENTS[20:30])
    ahead.sign()
    files_in(tmp_path).keep_signed(log.signed_note)  # as a log store that was put back
    other = SignedLog(files_in(tmp_path), ORIGIN, NEW)
    other.take([*EVENTS[20:29], replace(EVENTS[29], envelope=EVENTS[28].envelope)])
    with pytest.raises(BlobDiffers):
        other.sign()


@pytest.mark.parametrize("trusted", [OLD, NEW])
def test_readers_of_either_key_accept_a_head_of_the_overlap(tmp_path: Path, trusted: SigningKey) -> None:
    """Under a policy that knows one, the other or both; the court's verifier too."""
    note = grown(tmp_path, 10, OLD, NEW).signed_note
    for logs in ((trusted,), (OLD, NEW)):
        policy = Policy(tuple(Peer(key.verifier()) for key in logs), {}, {}, NO_QUORUM)
        assert policy.accept(note).checkpoint.size == 10
        known = court.Policy([court.key_of(str(key.verifier())) for key in logs], quorum="none")
        assert court.checkpoint_of(court.note_of(note.encode(), "FORM"), known).size == 10
