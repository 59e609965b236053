"""The table that people read says what the code does."""

from pathlib import Path

from importers.fhir.resource_types import TABLE, Handling

_DOCUMENT = Path(__file__).parents[3] / "docs" / "import-fhir.md"
_WORDS = {
    Handling.PATIENT: "`RegisterPatient`",
    Handling.VISIT: "`RegisterRecord`",
    Handling.ACTOR: "actor register",
    Handling.ROLE: "linked",
    Handling.DOCUMENT: "one entry each",
    Handling.RESULT: "one `result` entry",
    Handling.CLINICAL: "one `general` entry",
    Handling.LINKED: "linked",
    Handling.LEFT_OUT: "left out",
}


def test_the_document_has_one_row_for_each_resource_type() -> None:
    """Each type of the code's table once, becoming what the code makes of it, and no other."""
    text = _DOCUMENT.read_text(encoding="utf-8").partition("## The mapping")[2].partition("\n##")[0]
    rows = [
        line.strip("|").split("|") for line in text.partition("Templates by")[0].splitlines() if line.startswith("| ")
    ]
    told = {
        cells[0].strip(): cells[1].strip() for cells in rows[1:] if not cells[0].strip().startswith(("every", "any"))
    }
    assert len(told) == len(rows) - 3
    assert told.keys() == TABLE.keys()
    assert [name for name, row in TABLE.items() if not told[name].startswith(_WORDS[row.handling])] == []
