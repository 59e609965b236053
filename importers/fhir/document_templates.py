"""Which template a document type takes, and where each of its sections goes.

A document keeps its template only if every one of its sections has a place there and every required section gets text;
otherwise it is recorded as `general`, section by section, so that nothing is lost or bent.
"""

from __future__ import annotations

from dataclasses import dataclass

ANY = "*"
"""Takes every section that no other names."""


@dataclass(frozen=True)
class DocumentTemplate:
    """Sections in the template's order, each with the titles (lower case) that it takes from the source."""

    template: str
    sections: dict[str, tuple[str, ...]]
    required: frozenset[str]

    def place_of(self, title: str) -> str | None:
        """The section that takes a source section; None where none does."""
        exact = (code for code, titles in self.sections.items() if title.strip().lower() in titles)
        rest = (code for code, titles in self.sections.items() if ANY in titles)
        return next(exact, None) or next(rest, None)


_ADMISSION = DocumentTemplate(
    "admission_note",
    {
        "chief_complaint": ("chief complaint",),
        "history": (
            "history of present illness",
            "past medical history",
            "medications at home",
            "allergies",
            "social history",
            "family history",
        ),
        "examination": ("physical examination", "physical exam"),
        "assessment": ("assessment and plan", "assessment"),
        "plan": ("plan",),
    },
    frozenset({"chief_complaint", "history", "examination", "assessment"}),
)
_COURSE = DocumentTemplate("course_note", {"note": (ANY,)}, frozenset({"note"}))
_OPERATION = DocumentTemplate(
    "operation_record",
    {
        "procedure": ("procedure", "anesthesia", "surgeon", "equipment"),
        "findings": ("operative findings", "specimens", "estimated blood loss"),
        "course": ("operative course", "post-operative plan"),
    },
    frozenset({"procedure", "course"}),
)
_DISCHARGE = DocumentTemplate(
    "discharge_record",
    {
        "admission_reason": ("admission summary", "admission reason", "reason for admission"),
        "course": ("hospital course",),
        "condition": ("discharge diagnoses", "condition at discharge", "discharge condition"),
        "instructions": ("discharge instructions", "discharge medications", "follow-up"),
    },
    frozenset({"admission_reason", "course", "condition", "instructions"}),
)
_CONSULTATION = DocumentTemplate(
    "consultation",
    {"question": ("reason for consultation", "reason for referral", "question"), "opinion": (ANY,)},
    frozenset({"opinion"}),
)

BY_LOINC = {
    "34117-2": _ADMISSION,  # History and physical note
    "11506-3": _COURSE,  # Progress note
    "34131-3": _COURSE,  # Outpatient progress note
    "11504-8": _OPERATION,  # Surgical operation note
    "18842-5": _DISCHARGE,  # Discharge summary
    "11488-4": _CONSULTATION,  # Consultation note
}
"""LOINC code of the document type to its template; every other type is `general`."""
