"""Copies of a life: the same events under other names."""

import re
import uuid

import pytest

from benchmarks.growth.lives import Life, NotCopied, OpenedEvent, copied
from ledger.trust.envelope import Envelope, encode

PATIENT, RECORD, PERSON = (str(uuid.UUID(int=number, version=4)) for number in (1, 2, 3))
KINDS = ("patient", "record")


def event(stream_id: str, version: int, plaintext: str) -> OpenedEvent:
    """As it would be stored."""
    envelope = Envelope(
        format=1,
        origin="ledger.bench/north/1",
        stream_id=uuid.UUID(stream_id).bytes,
        stream_version=version,
        type="ledger.v1.EntryRecorded",
        recorded_at=1_795_782_896_000_000,
        actor=uuid.UUID(PERSON).bytes,
        key_id=uuid.UUID(stream_id).bytes,
        body_sha256=bytes(32),
        commitment=bytes(32),
        prev_leaf=b"" if version == 1 else bytes(32),
    )
    return OpenedEvent(encode(envelope), plaintext.encode())


LIFE = Life(
    (
        (event(PATIENT, 1, f"case B-12345 by {PERSON}"),),
        (event(RECORD, 1, f"{PATIENT} B-12345 in D00000"), event(RECORD, 2, f"entry by {PERSON}")),
    ),
    "B-12345",
    "D00000",
    frozenset({PERSON}),
)


def test_a_copy_is_another_person_in_the_same_bytes() -> None:
    """Ids, case number and department differ, lengths do not: the messages around them stay well formed."""
    patient, record = copied(LIFE, "ledger.bench/south/1", "D00042", 7, KINDS)
    texts = [draft.plaintext.decode() for stream in (patient, record) for draft in stream.drafts]
    assert [len(text) for text in texts] == [len(each.plaintext) for stream in LIFE.streams for each in stream]
    assert not re.search(f"{PATIENT}|B-12345|D00000", " ".join(texts))
    assert texts[1].startswith(str(patient.stream_id))
    assert texts[1].endswith("in D00042")
    assert (patient.kind, record.kind) == KINDS


def test_who_acted_stays_who_they_are() -> None:
    """One physician writes in many records."""
    _, record = copied(LIFE, "ledger.bench/south/1", "D00042", 7, KINDS)
    assert record.drafts[1].plaintext.decode().endswith(PERSON)


def test_drafts_are_as_a_sealer_takes_them() -> None:
    """Placed in the other ledger, each at its version and time, with nothing left of the first one's keys and chain."""
    _, record = copied(LIFE, "ledger.bench/south/1", "D00042", 7, KINDS)
    envelopes = [draft.envelope for draft in record.drafts]
    assert [(each.stream_version, each.recorded_at) for each in envelopes] == [(1, 7), (2, 8)]
    assert {each.origin for each in envelopes} == {"ledger.bench/south/1"}
    assert {(each.key_id, each.body_sha256, each.commitment, each.prev_leaf) for each in envelopes} == {(b"",) * 4}


def test_two_copies_share_no_id() -> None:
    """Each record has a key and a chain of its own."""
    one, other = (copied(LIFE, "ledger.bench/south/1", "D00042", 7, KINDS) for _ in range(2))
    assert not {each.stream_id for each in one} & {each.stream_id for each in other}


def test_a_department_of_another_length_is_refused() -> None:
    """It would move the bytes behind it out of their places."""
    with pytest.raises(NotCopied):
        copied(LIFE, "ledger.bench/south/1", "MED", 7, KINDS)
