"""Printed copies: what stands on every page, what is shown, and what never is."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import reportlab
from google.protobuf.timestamp_pb2 import Timestamp
from pypdf import PdfReader

from ledger.api.v1 import common_pb2 as common
from ledger.api.v1 import records_pb2 as records
from ledger.api.v1.keeping_values_pb2 import EntryRef
from ledger.cli.printed_copy.copied_record import (
    CopiedEntry,
    CopiedRecord,
    CopyDestroyed,
    CopyFace,
    OtherHistory,
    UnknownCopy,
    copied_record,
    issued_copy,
)
from ledger.cli.printed_copy.copy_fonts import UnusableFont
from ledger.cli.printed_copy.entry_text import Line
from ledger.cli.printed_copy.html_page import html_copy
from ledger.cli.printed_copy.pdf_pages import pdf_copy

MARK = "病案复印件，与原件相符 certified copy"
HEAD = bytes(range(32))
NUMBER = "MRN-77, inpatient visit 2"
FONT = Path(reportlab.__file__).parent / "fonts" / "Vera.ttf"
"""A font that lies in the library's wheel; it has no Chinese."""
SAVED = Timestamp(seconds=480_000_000)
PATIENT = "张伟 Zhang Wei, born 1950-01-31"
FACE = CopyFace("North General 北方总医院", PATIENT, ZoneInfo("Asia/Shanghai"))

ON_EACH = (FACE.hospital, PATIENT, NUMBER, f"Version 9, head {HEAD.hex()}", MARK)
"""What each page says beside its own number."""


def pages_of(data: bytes) -> list[str]:
    """The text of each page, without the breaks that its width made."""
    return ["".join(page.extract_text().split()) for page in PdfReader(BytesIO(data)).pages]


def squeezed(text: str) -> str:
    """The same for what is looked for."""
    return "".join(text.split())


def copied(*texts: str) -> CopiedRecord:
    """A copy of one entry with these lines."""
    entry = CopiedEntry("Course note 病程记录", tuple(Line("", text) for text in texts))
    return CopiedRecord(
        "North General 北方总医院",
        PATIENT,
        "Asia/Shanghai",
        NUMBER,
        9,
        HEAD.hex(),
        MARK,
        "1985-03-18 by Ms. Hu",
        "N. N. (self)",
        (entry,),
        0,
    )


def entry(entry_id: str, text: str, *, version: int = 1, retracted: bool = False) -> records.Entry:
    """A signed entry with versions up to this one; the last says the text."""
    made = [
        records.EntryVersion(
            version=number,
            state=common.ENTRY_STATE_SIGNED,
            content=common.EntryContent(
                template="course_note", title="Note", sections=[common.Section(code="note", text=f"{text} v{number}")]
            ),
            attestation=common.Attestation(
                method="session", signer=common.Actor(name="Dr. Wu", role="physician"), signed_at=SAVED
            ),
            occurred_at=SAVED,
        )
        for number in range(1, version + 1)
    ]
    state = common.ENTRY_STATE_RETRACTED if retracted else common.ENTRY_STATE_SIGNED
    return records.Entry(entry_id=entry_id, state=state, versions=made)


def issued(*entry_ids: str) -> records.IssuedCopy:
    """A copy of the first version of these entries."""
    return records.IssuedCopy(
        copy_id="c1",
        applicant="N. N.",
        relation="the patient",
        mark=MARK,
        versions=[EntryRef(entry_id=each, version=1) for each in entry_ids],
        head_leaf=HEAD,
        record_version=9,
        issuer=common.Actor(name="Ms. Hu"),
        issued_at=SAVED,
    )


def record(*entries: records.Entry, version: int = 9, copies: list[records.IssuedCopy] | None = None) -> records.Record:
    """A record as the service tells it."""
    return records.Record(
        case_number="MRN-77",
        visit_type=common.VISIT_TYPE_INPATIENT,
        visit_sequence=2,
        version=version,
        head_leaf=HEAD,
        phase=common.PHASE_ARCHIVED,
        entries=entries,
        copies=copies,
    )


def test_a_copy_of_a_newborn_says_whose_it_is() -> None:
    """The mother's name alone would name another patient; a copy of both, of an earlier release, is the mother's."""
    own, cries = entry("e1", "Well."), entry("e2", "Cries.")
    cries.versions[0].content.subject_id = "b1"
    for scope, patient in ((("e2",), f"a newborn of {PATIENT}"), (("e1", "e2"), PATIENT)):
        held = record(own, cries)
        assert copied_record(issued(*scope), held, held, FACE).patient == patient


@pytest.mark.parametrize("text", ["患者今日无胸痛，生命体征平稳。" * 40, "No chest pain today. " * 60, "x" * 800])
def test_every_page_has_number_version_head_and_mark(text: str) -> None:
    """On each of several pages, with how many there are; all text is there, whatever its script."""
    pages = pages_of(pdf_copy(copied(*[text] * 12)))
    assert len(pages) > 1
    for number, page in enumerate(pages, 1):
        for said in (
            FACE.hospital,
            PATIENT,
            NUMBER,
            f"Version 9, head {HEAD.hex()}",
            MARK,
            f"Page {number} of {len(pages)}",
        ):
            assert squeezed(said) in page
    assert sum(page.count(squeezed(text)[:10]) for page in pages) >= 12


def test_a_mark_of_the_greatest_length_leaves_room_for_the_record() -> None:
    """The mark stands whole on every page, a name is cut, and the entries still get their place."""
    mark = "相" * 4000
    named = replace(copied("Stable."), mark=mark, patient="长" * 4000)
    pages = pages_of(pdf_copy(named))
    assert all(mark in page for page in pages)
    assert any("Stable." in page for page in pages)


def test_what_the_fonts_do_not_hold_is_spelled_out() -> None:
    """A rare character is named by its number: nothing is dropped in silence."""
    (page,) = pages_of(pdf_copy(copied("王𠮷先生, ΔT µg ± <b>ü</b> & €, שלום")))
    assert "王[U+20BB7]先生" in page
    assert "T µg ± <b>ü</b> & €".replace(" ", "") in page
    assert "[U+05E9]" in page


def test_the_same_copy_is_the_same_file() -> None:
    """Printed twice, a copy has the same bytes."""
    assert pdf_copy(copied("Stable.")) == pdf_copy(copied("Stable."))


def test_a_font_can_be_embedded() -> None:
    """A copy that must show everywhere brings its font; what that font does not hold is spelled out."""
    data = pdf_copy(copied("Ωmega, Žižek, 平稳"), FONT)
    assert b"/FontFile2" in data
    (page,) = pages_of(data)
    assert "Žižek,[U+5E73][U+7A33]" in page
    assert b"/FontFile2" not in pdf_copy(copied("平稳"))


def test_a_font_that_cannot_be_embedded_is_refused(tmp_path: Path) -> None:
    """By a typed error, before any page is made."""
    file = tmp_path / "font.ttf"
    file.write_bytes(b"no font at all")
    with pytest.raises(UnusableFont):
        pdf_copy(copied("Stable."), file)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002  # as HTMLParser has it
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_html_shows_text_as_text() -> None:
    """Whatever an entry, a title, a label or the mark says, it makes no element and no attribute."""
    bad = "</td><script>alert('x')</script><img src=x onerror=\"y\"> & 病"
    evil = CopiedEntry(bad, (Line(bad, bad), Line("", bad, heading=True)))
    found = _Tags()
    fields = {"number": bad, "mark": bad, "issued": bad, "applicant": bad, "hospital": bad, "patient": bad, "zone": bad}
    found.feed(html_copy(replace(copied(), entries=(evil,), **fields)).decode())
    assert not found.tags & {"script", "img"}
    assert found.text.count(bad) == 13


def test_html_repeats_its_head_on_every_page() -> None:
    """Number, version, head hash and mark stand in the head of the one table, which printing repeats."""
    text = html_copy(copied("Stable.")).decode()
    head = text[text.index("<thead>") : text.index("</thead>")]
    for said in ON_EACH:
        assert said in head
    assert "table-header-group" in text


def test_html_repeats_no_mark_above_its_limit() -> None:
    """A browser repeats no tall head: a longer mark begins on every page and stands whole before the first entry."""
    for mark, shown in (("印" * 200, ("印" * 200,)), ("印" * 201, ("印" * 200 + "…", f"Mark: {'印' * 201}"))):
        text = html_copy(replace(copied("Stable."), mark=mark)).decode()
        head, body = text[text.index("<thead>") :].split("</thead>")
        assert f"<br>{shown[0]}<" in head
        assert [f"<td>{each}</td>" in body for each in shown[1:]] == [True] * len(shown[1:])
        assert text.count("印") == sum(each.count("印") for each in shown)


def test_a_copy_shows_the_versions_of_its_scope() -> None:
    """Neither an entry that is not in its scope nor what was written later."""
    then = record(entry("a", "first"), entry("b", "second"))
    now = record(entry("a", "first", version=2), entry("b", "second"), version=12)
    shown = pages_of(pdf_copy(copied_record(issued("a"), then, now, FACE)))[0]
    assert "firstv1" in shown
    assert "firstv2" not in shown
    assert "second" not in shown
    assert squeezed("Signed by: Dr. Wu, physician, 1985-03-18 21:20 UTC+08:00 (confirmed by login)") in shown


def test_times_are_those_of_the_hospital_and_its_zone_is_named() -> None:
    """In both forms, read back: when it was issued, written and signed, by the hospital's clocks."""
    then = record(entry("a", "first"))
    new_york = replace(FACE, zone=ZoneInfo("America/New_York"))
    for face, zone, shown in (
        (FACE, "Asia/Shanghai", "1985-03-18 21:20 UTC+08:00"),
        (new_york, "America/New_York", "1985-03-18 08:20 UTC-05:00"),
    ):
        copy = copied_record(issued("a"), then, then, face)
        for text in (pages_of(pdf_copy(copy))[0], squeezed(html_copy(copy).decode())):
            assert squeezed(f"All times are those of {zone}") in text
            assert text.count(squeezed(shown)) == 3


def test_a_copy_never_shows_a_retracted_entry() -> None:
    """Retracted since it was issued: left out, and the copy says how many were."""
    then = record(entry("a", "first"), entry("b", "second"))
    now = record(entry("a", "first", retracted=True), entry("b", "second"), version=12)
    found = copied_record(issued("a", "b"), then, now, FACE)
    for text in (pages_of(pdf_copy(found))[0], squeezed(html_copy(found).decode())):
        assert "first" not in text
        assert "secondv1" in text
        assert squeezed("1 of its entries were retracted since") in text


def test_the_patient_s_statement_stands_in_the_copy() -> None:
    """Beside its entry, or before all where it is about the record; not in a copy without that entry."""
    then = record(entry("a", "first"), entry("b", "second"))
    then.statements.add(entry_id="b", text="I never smoked.")
    then.statements.add(text="The dates are wrong.")
    both = pages_of(pdf_copy(copied_record(issued("a", "b"), then, then, FACE)))[0]
    assert both.index("Thedatesarewrong.") < both.index("firstv1") < both.index("secondv1")
    assert both.index("secondv1") < both.index("StatementofthepatientIneversmoked.".replace("tI", "t:I"))
    assert "smoked" not in html_copy(copied_record(issued("a"), then, then, FACE)).decode()


def corrected(*late: str) -> records.Record:
    """A result, and reports that correct its first version."""
    reports = [entry(each, each) for each in late]
    for each in reports:
        each.corrects_entry_id, each.corrects_entry_version = "a", 1
    found = record(entry("a", "first"), *reports)
    found.entries[0].corrected_by.extend(late)
    return found


def test_a_copy_says_that_an_entry_was_corrected_and_by_which() -> None:
    """Beside the entry and beside the report; also where the correction came after the issue, and is not in it."""
    then, now = corrected("b"), corrected("b", "c")
    found = copied_record(issued("a", "b"), then, now, FACE)
    when = "Note of 1985-03-18 21:20 UTC+08:00"
    for text in (pages_of(pdf_copy(found))[0], squeezed(html_copy(found).decode().replace("<b>", ""))):
        text = text.replace("</b>", "")
        assert squeezed(f"Corrected by: {when}, entry b; it corrects version 1") in text
        assert squeezed(f"Corrected since this copy was issued by: {when}, entry c; it corrects version 1") in text
        assert squeezed(f"Corrects: version 1 of {when}, entry a") in text
        assert "cv1" not in text


def test_a_correction_that_was_retracted_corrects_nothing() -> None:
    """The copy no longer says that the entry was corrected."""
    now = corrected("b")
    now.entries[1].state = common.ENTRY_STATE_RETRACTED
    shown = html_copy(copied_record(issued("a"), corrected("b"), now, FACE)).decode()
    assert "firstv1".replace("v", " v") in shown
    assert "Corrected" not in shown


def test_a_copy_of_the_mother_says_nothing_of_a_newborns_report() -> None:
    """Also where an earlier release let the one correct the other; nor does the newborn's copy name the mother's."""
    now = corrected("b")
    now.entries[1].versions[0].content.subject_id = "00000000-0000-0000-0000-000000000009"
    for one in ("a", "b"):
        assert "Correct" not in html_copy(copied_record(issued(one), now, now, FACE)).decode()


def test_a_copy_says_that_nobody_qualified_signed_an_entry() -> None:
    """It shows the entry whose missing signature was accepted, and that it is no signature."""
    then = record(entry("a", "first"))
    then.entries[0].deficiency_accepted = True
    shown = pages_of(pdf_copy(copied_record(issued("a"), then, then, FACE)))[0]
    said = "Signature: none that is final; that it is missing was accepted as a deficiency"
    assert squeezed(said) in shown
    assert "firstv1" in shown


def test_a_copy_that_is_not_there() -> None:
    """Only a copy that was issued is printed, and none of a destroyed record."""
    with pytest.raises(UnknownCopy):
        issued_copy(record(copies=[issued("a")]), "c2")
    gone = record(copies=[issued("a")])
    gone.phase = common.PHASE_DESTROYED
    with pytest.raises(CopyDestroyed):
        issued_copy(gone, "c1")


def test_a_copy_of_another_history_is_not_printed() -> None:
    """Head or version differ from what the copy names, or an entry of the scope is not there: no page is made."""
    now = record(entry("a", "first"))
    other = record(entry("a", "first"))
    other.head_leaf = bytes(32)
    for then in (other, record(entry("a", "first"), version=8), record(entry("b", "second"))):
        with pytest.raises(OtherHistory):
            copied_record(issued("a"), then, now, FACE)
