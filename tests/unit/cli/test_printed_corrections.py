"""Printed copies show times that were corrected and from where text was copied, as GetRecord does."""

from __future__ import annotations

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from ledger.api.v1 import common_pb2 as common
from ledger.api.v1 import records_pb2 as records
from ledger.cli.printed_copy.copied_record import CopiedRecord, copied_record
from ledger.cli.printed_copy.html_page import html_copy
from ledger.cli.printed_copy.pdf_pages import pdf_copy
from tests.unit.cli.test_printed_copy import FACE, SAVED, entry, issued, pages_of, record, squeezed

BEFORE, RIGHT = Timestamp(seconds=479_990_000), Timestamp(seconds=479_980_000)
SAID = (
    "1985-03-18 15:46 UTC+08:00, not 1985-03-18 18:33 UTC+08:00 (wrong clock; by Dr. Sun, 1985-03-18 21:20 UTC+08:00)"
)
WHEN = "Note of 1985-03-18 21:20 UTC+08:00"


def shown(copy: CopiedRecord) -> list[str]:
    """Both forms, without spaces and without what makes a label bold."""
    html = html_copy(copy).decode().replace("<b>", "").replace("</b>", "")
    return ["".join(pages_of(pdf_copy(copy))), squeezed(html)]


def correction(of: common.TimeOf.ValueType, entry_id: str = "", move: int = 0) -> records.TimeCorrection:
    """A correction of a time."""
    return records.TimeCorrection(
        of=of,
        entry_id=entry_id,
        move=move,
        before=BEFORE,
        corrected_at=RIGHT,
        reason="wrong clock",
        corrected_by=common.Actor(name="Dr. Sun"),
        recorded_at=SAVED,
    )


def test_a_corrected_time_stands_beside_the_entry_whose_time_it_is() -> None:
    """The one that counts, the one before, who and why; not beside another entry, nor before all."""
    then = record(entry("a", "first"), entry("b", "second"))
    then.time_corrections.append(correction(common.TIME_OF_ENTRY, "b"))
    for text in shown(copied_record(issued("a", "b"), then, then, FACE)):
        assert text.count(squeezed(f"Time corrected: {SAID}")) == 1
        assert text.index("firstv1") < text.index("Timecorrected") < text.index("secondv1")
    for text in shown(copied_record(issued("a"), then, then, FACE)):
        assert "Timecorrected" not in text


def test_what_was_corrected_after_the_issue_is_said_to_be() -> None:
    """A copy that is printed again hides nothing that became known since."""
    then, now = record(entry("a", "first")), record(entry("a", "first"), version=11)
    now.time_corrections.append(correction(common.TIME_OF_ENTRY, "a"))
    for text in shown(copied_record(issued("a"), then, now, FACE)):
        assert squeezed(f"Time corrected since this copy was issued: {SAID}") in text


@pytest.mark.parametrize(
    ("of", "move", "what"),
    [
        (common.TIME_OF_CARE_START, 0, "Care start"),
        (common.TIME_OF_MOVE, 2, "Move 2"),
        (common.TIME_OF_CONSULTATION_ARRIVAL, 0, "Consultation arrival"),
    ],
)
def test_corrected_times_of_the_stay_stand_before_all(of: common.TimeOf.ValueType, move: int, what: str) -> None:
    """Of the patient's copy: a newborn's says nothing of the mother's stay."""
    then = record(entry("a", "first"), entry("n", "cries"))
    then.entries[1].versions[0].content.subject_id = "b1"
    then.time_corrections.append(correction(of, move=move))
    for text in shown(copied_record(issued("a"), then, then, FACE)):
        assert text.index(squeezed(f"Time corrected: {what}: {SAID}")) < text.index("firstv1")
    for text in shown(copied_record(issued("n"), then, then, FACE)):
        assert "Timecorrected" not in text


def test_copied_text_says_from_where() -> None:
    """An entry of the same record by its title, time and id; of another record as its author said."""
    then = record(entry("a", "first"), entry("b", "second"))
    copied_from = then.entries[1].versions[0].copied_from
    copied_from.add(section="present_illness", entry_id="a", entry_version=1)
    copied_from.add(section="note", entry_id="z", entry_version=3, record_id="r7")
    for text in shown(copied_record(issued("b"), then, then, FACE)):
        assert squeezed(f"Copied text: Present illness, from version 1 of {WHEN}, entry a") in text
        assert squeezed("Copied text: Note, from version 3 of entry z in record r7, as its author said") in text
        assert "firstv1" not in text


def test_of_a_source_that_nobody_may_read_here_the_id_alone_is_shown() -> None:
    """One that was retracted, and one about somebody else: no title of it stands in the copy."""
    then = record(entry("a", "first"), entry("b", "second"), entry("n", "cries"))
    then.entries[0].versions[0].content.title = then.entries[2].versions[0].content.title = "Secret"
    then.entries[2].versions[0].content.subject_id = "b1"
    for source in ("a", "n"):
        then.entries[1].versions[0].copied_from.add(section="note", entry_id=source, entry_version=1)
    now = record(entry("a", "first", retracted=True), *then.entries[1:], version=12)
    for text in shown(copied_record(issued("b"), then, now, FACE)):
        assert squeezed("from version 1 of entry a, which was retracted") in text
        assert squeezed("from version 1 of entry n") in text
        assert "Secret" not in text
