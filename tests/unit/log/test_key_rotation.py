"""A log changes its key with an overlap: both sign the same heads, and never two roots of one size between them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ledger.blobs.contract import BlobDiffers
from ledger.integrator.signed_log import HeadUnproven, SignedLog
from ledger.log.log_files import LogDamaged
from ledger.trust.note import Note
from ledger.trust.note_key import KeyKind, SigningKey
from ledger.trust.policy import NO_QUORUM, Peer, Policy
from ledger.trust.signed_note import signers
from tests.fault.test_integration_step import EVENTS, files_in, root_at
from tests.unit.trust.tlog_samples import LOG, ORIGIN
from verifier import verify as court

OLD, NEW = LOG, SigningKey(ORIGIN, KeyKind.ED25519, b"\x0b" * 32)
BOTH = [OLD.verifier(), NEW.verifier()]


def grown(folder: Path, size: int, *keys: SigningKey) -> SignedLog:
    log = SignedLog(files_in(folder), ORIGIN, *keys)
    log.take_up(root_at(log.size))
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
    log.take_up(root_at(10))
    assert (log.signed_note.text, log.is_settled) == (before.text, False)
    log.publish(log.signed_note, log.signed)
    assert (signed_by(tmp_path), log.is_settled) == ([OLD, NEW], True)


def test_killed_between_signing_and_publishing_the_overlap_goes_on(tmp_path: Path) -> None:
    """`signed` bears both, `checkpoint` the old one alone: taken up under either, and published again."""
    grown(tmp_path, 10, OLD)
    SignedLog(files_in(tmp_path), ORIGIN, OLD, NEW).take_up(root_at(10))
    for keys in ((OLD, NEW), (OLD,)):
        assert SignedLog(files_in(tmp_path), ORIGIN, *keys).signed.size == 10
    with pytest.raises(LogDamaged):  # too early: what everybody reads is not signed by it
        SignedLog(files_in(tmp_path), ORIGIN, NEW)


def test_a_log_from_before_the_rotation_is_taken_up_and_signed_anew(tmp_path: Path) -> None:
    """Its store was put back beside the keys of now: the old key counts where it is known, and the new one goes on."""
    grown(tmp_path, 10, OLD)
    log = SignedLog(files_in(tmp_path), ORIGIN, NEW, known=[OLD.verifier()])
    log.take_up(root_at(10))
    assert (log.signed.size, log.is_settled, set(signers(log.signed_note, BOTH))) == (10, False, {NEW.verifier()})
    log.publish(log.signed_note, log.signed)
    assert signed_by(tmp_path) == [NEW]
    assert grown(tmp_path, 20, NEW).signed.size == 20


def test_a_key_signs_no_head_of_another_key_unseen(tmp_path: Path) -> None:
    """Whoever has a key that was put away, and the files, can make any tree. Nothing is signed by taking the log up,
    and with the key of now only what the ledger's own events lead to; during an overlap too."""
    grown(tmp_path, 10, OLD)
    before = (tmp_path / "north" / "signed").read_bytes()
    for keys, known in (((NEW,), [OLD.verifier()]), ((OLD, NEW), [])):
        log = SignedLog(files_in(tmp_path), ORIGIN, *keys, known=known)
        assert (log.is_unproven, log.is_taken_up) == (True, False)
        log.take(EVENTS[10:20])
        for attempt in (log.sign, log.take_up, lambda log=log: log.take_up(root_at(9))):
            with pytest.raises(HeadUnproven):
                attempt()
        assert (tmp_path / "north" / "signed").read_bytes() == before


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
        known = court.Policy([court.key_of(str(key.verifier())) for key in logs], "none", {}, {})
        assert court.checkpoint_of(court.note_of(note.encode(), "FORM"), known).size == 10
