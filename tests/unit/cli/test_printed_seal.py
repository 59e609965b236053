"""The printed list of a seal: every version that it lists, whose they are, and nothing of what they say."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from google.protobuf.timestamp_pb2 import Timestamp

from ledger.api.v1 import common_pb2 as common
from ledger.api.v1.keeping_values_pb2 import SEAL_MODE_COPY, SEAL_MODE_ORIGINAL, EntryRef, Keeping, Seal
from ledger.api.v1.records_pb2 import Record
from ledger.cli.printed_copy.command import copy
from ledger.cli.printed_copy.copied_record import CopyDestroyed, OtherHistory
from ledger.cli.printed_copy.html_page import html_copy
from ledger.cli.printed_copy.pdf_pages import pdf_copy
from ledger.cli.printed_copy.seal_list import AGAIN, MARK, UnknownSeal, seal_list, standing_seal
from tests.unit.cli.test_printed_copy import FACE, HEAD, NUMBER, PATIENT, entry, pages_of, record, squeezed

LISTED = [EntryRef(entry_id=each, version=version) for each, version in (("e1", 1), ("e1", 2), ("e2", 1))]


def seal(*versions: EntryRef, mode: int = SEAL_MODE_ORIGINAL, came_since: int = 0) -> Seal:
    """A seal of these versions that reaches version 9 of the record."""
    return Seal(
        seal_id="s1",
        mode=SEAL_MODE_COPY if mode == SEAL_MODE_COPY else SEAL_MODE_ORIGINAL,
        versions=versions or LISTED,
        sealed_at=Timestamp(seconds=480_000_000),
        second_persons=[common.Actor(name="Ms. N.", role="representative")],
        came_since=[EntryRef(entry_id="e9", version=1)] * came_since,
        reaches=9,
    )


def held() -> Record:
    """The record when it was sealed: two entries, one of two versions and one that was retracted."""
    return record(entry("e1", "A secret.", version=2), entry("e2", "Another.", retracted=True))


def test_the_list_of_a_seal_names_every_version_and_tells_none() -> None:
    """On pages with hospital, patient, record and head: each version with who signed it, in the seal's order."""
    listed = seal_list(seal(), held(), FACE)
    assert [each.title for each in listed.entries] == ["1. Note", "2. Note", "3. Note"]
    (page,) = pages_of(pdf_copy(listed))
    said = [FACE.hospital, PATIENT, NUMBER, f"Version 9, head {HEAD.hex()}", MARK, "course_note, version 2"]
    said += [
        "entry e1, brought by version",
        "Dr. Wu",
        "Ms. N. (representative)",
        "3 versions are listed",
        "Page 1 of 1",
    ]
    for each in said:
        assert squeezed(each) in page
    html = html_copy(listed).decode()
    assert "secret" not in page
    assert "secret" not in html
    assert "course_note, version 2" in html


def test_a_version_that_is_listed_again_and_what_came_since_are_said() -> None:
    """A countersignature of what is sealed has a line of its own; what the seal does not reach yet is counted."""
    again = seal(LISTED[0], LISTED[0], mode=SEAL_MODE_COPY, came_since=2)
    listed = seal_list(again, held(), FACE)
    assert [[line.text for line in each.lines].count(AGAIN) for each in listed.entries] == [0, 1]
    assert any("2 versions came or changed since" in each for each in listed.notes)
    assert "of a copy" in listed.notes[0]
    assert not any("since" in each for each in seal_list(seal(), held(), FACE).notes)


def test_no_list_is_made_up() -> None:
    """Of a seal that does not stand, of a destroyed record, of another version, or of what the record does not hold."""
    now = held()
    now.keeping.CopyFrom(Keeping(seals=[seal()]))
    assert standing_seal(now, "s1") == seal()
    with pytest.raises(UnknownSeal):
        standing_seal(now, "s2")
    for then, of in ((record(version=8), seal()), (record(entry("e1", "One.")), seal())):
        with pytest.raises(OtherHistory):
            seal_list(of, then, FACE)
    now.phase = common.PHASE_DESTROYED
    with pytest.raises(CopyDestroyed):
        standing_seal(now, "s1")


@pytest.mark.parametrize("named", [[], ["{id}", "--seal", "{id}"]], ids=["neither", "both"])
def test_a_copy_or_a_seal_is_named(named: list[str]) -> None:
    """Neither and both are refused before anything is read."""
    id_ = "3f2b0a44-52c5-4a06-9f0e-3a2b7d5f0c11"
    asked = ["north", id_, *(each.format(id=id_) for each in named), "--out", "list.pdf"]
    told = CliRunner().invoke(copy, asked)
    assert (told.exit_code, "name a COPY, or a seal" in told.output) == (2, True)
