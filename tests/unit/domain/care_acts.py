"""Every act of care, and the ways by which a record takes it: one of them works at once wherever the record is.

`python -m tests.unit.domain.care_acts` prints the table of docs/lifecycle.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from ledger.domain import course_commands as course
from ledger.domain import keeping_commands as keeping
from ledger.domain.commands import (
    PassQuality,
    RecordEntry,
    RequestConsultation,
    ReturnRecord,
    StartCare,
    TransferDepartment,
)
from ledger.domain.defaults import default_templates
from ledger.domain.keeping_values import EndorsedAct, RequestKind, SealMode
from ledger.domain.newborn_commands import RegisterNewborn
from ledger.domain.refusal import Refused
from ledger.domain.templates import FieldRule
from ledger.domain.transfer_commands import OfferTransfer
from ledger.domain.values import (
    Actor,
    Coding,
    Defect,
    EntryContent,
    Field,
    Phase,
    Quantity,
    Section,
    TransferKind,
    Urgency,
)
from tests.unit.domain.given import (
    AFFAIRS,
    ARCHIVIST,
    NOW,
    PACKAGE,
    PHYSICIAN,
    RECORD,
    RESULT,
    TERM,
    Stream,
    active,
    archived,
    closed,
    condemned,
    due,
    note,
    permanent,
    registered,
    reopened,
    signed,
    submitted,
    visit_of,
)
from tests.unit.domain.refusals import hold, lent, offered, seal

TEMPLATES = default_templates().templates
NOBODYS = frozenset({Phase.VOIDED, Phase.ENTERED_IN_ERROR, Phase.DESTROYED})
"""Phases of what is nobody's case (any more): care has another record, which these cannot stand in the way of."""
NO_CARE = frozenset({"front_page", "hospital_transfer_note"})
"""What no patient waits for: the cover of the case, and the note of a transfer, which an emergency goes without."""
OTHER_NOTES = tuple(sorted({each.id for each in TEMPLATES.values()} - NO_CARE - {"course_note", "result"}))
"""Every other template of the release."""


@dataclass
class Place:
    """A record somewhere in its life, and when that is."""

    stream: Stream
    now: datetime

    def do(self, command: Any, **changes: Any) -> Any:
        """Does a command now, by whoever sends such; Refused where it is not taken."""
        return self.stream.when(command, now=self.now, visits=(visit_of(self.stream),), **changes)

    def copied(self) -> Place:
        """The same place, for one more attempt."""
        return Place(self.stream.copied(), self.now)


def _passed() -> Stream:
    stream = submitted()
    stream.when(PassQuality(RECORD))
    return stream


def _returned() -> Stream:
    stream = submitted()
    stream.when(ReturnRecord(RECORD, (Defect("LANGUAGE"),)))
    return stream


PLACES: Mapping[str, tuple[Callable[[], Stream], timedelta]] = {
    "registered": (registered, timedelta()),
    "active": (active, timedelta()),
    "closed": (closed, timedelta()),
    "submitted": (submitted, timedelta()),
    "passed": (_passed, timedelta()),
    "returned": (_returned, timedelta()),
    "archived": (archived, timedelta()),
    "reopened": (reopened, timedelta()),
    "window over": (reopened, timedelta(days=4)),
    "due": (due, TERM),
    "condemned": (condemned, TERM),
    "permanent": (permanent, TERM),
}
"""A record in every phase that is somebody's, and in what may make a phase two."""


def place(name: str) -> Place:
    """The record there."""
    make, since = PLACES[name]
    return Place(make(), NOW + since)


def _restricted(at: Place) -> None:
    asked = keeping.RecordPatientRequest(RECORD, RequestKind.RESTRICTION, "Mr. N.", "self", "please")
    request_id = at.do(asked).result["request_id"]
    at.do(keeping.AnswerPatientRequest(RECORD, request_id, True, "the law", "", None))


def _asked_to_reopen(at: Place) -> None:
    at.do(keeping.RequestReopen(RECORD, "a mistake", (), ("course_note",)))


OVERLAYS: Mapping[str, Callable[[Place], object]] = {
    "free": lambda _: None,
    "held": lambda at: hold(at.stream),
    "sealed": lambda at: seal(at.stream),
    "copy sealed": lambda at: seal(at.stream, SealMode.COPY),
    "both": lambda at: (hold(at.stream), seal(at.stream)),
    "lent": lambda at: lent(at.stream),
    "restricted": _restricted,
    "offered": lambda at: offered(at.stream),
    "asked to reopen": _asked_to_reopen,
}
"""What may lie over a record; where a phase takes none of it, there is nothing to show."""

Way = Callable[[Place], object]


def written(template: str) -> EntryContent:
    """What the template demands, and no more."""
    if TEMPLATES[template, 1].open:
        return replace(note(), template=template)
    required = {code: each for code, each in TEMPLATES[template, 1].sections.items() if each.required}
    sections = (
        Section(code, "As written.", tuple(map(filled, (each.fields or {}).values())))
        for code, each in required.items()
    )
    return EntryContent(template, 1, sections=tuple(sections))


def filled(rule: FieldRule) -> Field:
    """A field with a value that its rule takes: of a code any of the closed set, else free text with a reason."""
    match rule.type:
        case "coding" if rule.codes:
            return Field(rule.code, coding=Coding(min(rule.systems), min(rule.codes)))
        case "coding":
            return Field(rule.code, text="As written.", uncoded_reason="no code fits")
        case "quantity":
            return Field(rule.code, quantity=Quantity("1", min(rule.units)))
        case "time":
            return Field(rule.code, time=NOW)
        case "flag":
            return Field(rule.code, flag=True)
        case _:
            return Field(rule.code, text="As written.")


def _note(templates: tuple[str, ...], at: Place) -> None:
    for each in templates:
        at.do(RecordEntry(RECORD, written(each), signed()))


def _beside(templates: tuple[str, ...], at: Place) -> None:
    for each in templates:
        # Each by itself: beside the seal of a case in a window the first note ends that it is sealed as a whole.
        _late(written(each), at.copied(), AFFAIRS)


def _result(at: Place) -> None:
    at.do(RecordEntry(RECORD, RESULT, signed()))


def _late(content: Any, at: Place, second: Actor | None = None) -> None:
    if second is not None:
        at.do(course.EndorseAct(RECORD, EndorsedAct.LATE_ITEM, None, content, "read it"), actor=second)
    at.do(course.FileLateItem(RECORD, content, signed(), "came late", None, confirmed_by=second), endorsed=False)


def _recalled(then: Way, at: Place) -> None:
    at.do(course.RecallRecord(RECORD, "something is to be added"))
    then(at)


def _sent_back(then: Way, at: Place) -> None:
    at.do(ReturnRecord(RECORD, (Defect("COURSE_INCOMPLETE"),)))
    then(at)


def _reopened(templates: tuple[str, ...], at: Place) -> None:
    asked = keeping.RequestReopen(RECORD, "something is to be added", (), templates)
    reopen_id = at.do(asked).result["reopen_id"]
    at.do(keeping.ApproveReopen(RECORD, reopen_id, None), actor=AFFAIRS)
    _note(templates, at)


def _after_the_other(templates: tuple[str, ...], at: Place) -> None:
    asked = at.stream.record.overlays.reopening
    at.do(keeping.ApproveReopen(RECORD, asked.reopen_id if asked else UUID(int=0), None), actor=AFFAIRS)
    _again(templates, at)


def _again(templates: tuple[str, ...], at: Place) -> None:
    at.do(keeping.RearchiveRecord(RECORD))
    _reopened(templates, at)


def _kept_longer(templates: tuple[str, ...], at: Place) -> None:
    at.do(keeping.ExtendRetention(RECORD, "2190-01-01", "readmission", None))
    _reopened(templates, at)


def _started(then: Way, at: Place) -> None:
    at.do(StartCare(RECORD, "cardiology", "12", PHYSICIAN, ""))
    then(at)


def _resumed(then: Way, at: Place) -> None:
    at.do(course.ResumeCare(RECORD, "bleeding again"))
    then(at)


def _born(at: Place, reason: str = "") -> UUID:
    born: UUID = at.do(RegisterNewborn(RECORD, 1, None, reason)).result["subject_id"]
    return born


def _born_and_tested(at: Place) -> None:
    at.do(RecordEntry(RECORD, replace(RESULT, subject_id=_born(at)), signed()))


def _born_late_and_tested(at: Place) -> None:
    _late(replace(RESULT, subject_id=_born(at, "told late")), at)


def _born_late_in_review(at: Place) -> None:
    at.do(RecordEntry(RECORD, replace(RESULT, subject_id=_born(at, "told late")), signed()))


def _consulted(at: Place) -> None:
    at.do(RequestConsultation(RECORD, "neurology", Urgency.EMERGENCY, "Why?"))


def _moved(at: Place) -> None:
    at.do(TransferDepartment(RECORD, "icu", "2", None, PHYSICIAN))


def _sent_abroad(at: Place) -> None:
    offer = OfferTransfer(RECORD, "west", TransferKind.TRANSFER, at.now + timedelta(days=1))
    at.do(offer, counterpart_known=True, package=PACKAGE, purpose="ETREAT")


def _shown(at: Place) -> None:
    at.do(keeping.IssueCopy(RECORD, "Dr. Bo", "treats the patient", (), "true copy"), purpose="TREAT", actor=ARCHIVIST)


def _written_and_shown(at: Place) -> None:
    _note(("course_note",), at)
    _shown(at)


def _notes(*templates: str) -> dict[str, Way]:
    write = partial(_note, templates)
    return {
        "RecordEntry": write,
        "StartCare, RecordEntry": partial(_started, write),
        "RecallRecord, RecordEntry": partial(_recalled, write),
        "ReturnRecord, RecordEntry": partial(_sent_back, write),
        "RequestReopen, ApproveReopen, RecordEntry": partial(_reopened, templates),
        "RearchiveRecord and reopened for it": partial(_again, templates),
        "ApproveReopen, RearchiveRecord and reopened for it": partial(_after_the_other, templates),
        "ExtendRetention and reopened for it": partial(_kept_longer, templates),
        "EndorseAct, FileLateItem": partial(_beside, templates),
    }


IN_CARE = frozenset({Phase.REGISTERED, Phase.ACTIVE, Phase.CLOSED})
EVERYWHERE = frozenset(Phase) - NOBODYS

ACTS: Mapping[str, tuple[frozenset[Phase], Mapping[str, Way]]] = {
    "a note of the course": (EVERYWHERE, _notes("course_note")),
    "each other note": (EVERYWHERE, _notes(*OTHER_NOTES)),
    "a result": (
        EVERYWHERE,
        {
            "RecordEntry": _result,
            "StartCare, RecordEntry": partial(_started, _result),
            "FileLateItem": partial(_late, RESULT),
        },
    ),
    "a newborn, and a result about it": (
        EVERYWHERE,
        {
            "RegisterNewborn, RecordEntry": _born_and_tested,
            "StartCare, RegisterNewborn, RecordEntry": partial(_started, _born_and_tested),
            "RegisterNewborn with a reason, RecordEntry": _born_late_in_review,
            "RegisterNewborn with a reason, FileLateItem": _born_late_and_tested,
        },
    ),
    "to another hospital in an emergency": (
        EVERYWHERE,
        {"OfferTransfer": _sent_abroad, "StartCare, OfferTransfer": partial(_started, _sent_abroad)},
    ),
    "disclosed for treatment": (
        EVERYWHERE,
        {
            "IssueCopy": _shown,
            "RecordEntry, IssueCopy": _written_and_shown,
            "StartCare, RecordEntry, IssueCopy": partial(_started, _written_and_shown),
        },
    ),
    "care begins, or goes on": (
        IN_CARE,
        {
            "StartCare": partial(_started, lambda _: None),
            "ResumeCare": partial(_resumed, lambda _: None),
            "RecordEntry": partial(_note, ("course_note",)),
        },
    ),
    "a consultation": (
        IN_CARE,
        {
            "RequestConsultation": _consulted,
            "StartCare, RequestConsultation": partial(_started, _consulted),
            "ResumeCare, RequestConsultation": partial(_resumed, _consulted),
        },
    ),
    "to another department": (
        IN_CARE,
        {
            "TransferDepartment": _moved,
            "StartCare, TransferDepartment": partial(_started, _moved),
            "ResumeCare, TransferDepartment": partial(_resumed, _moved),
        },
    ),
}
"""Each act of care: the phases in which it is this record's (else it is that of the stay that goes on), and the ways to
it, the plainest first."""


def way_taken(act: str, at: Place) -> str:
    """The first way that the record takes; empty = it takes none."""
    _, ways = ACTS[act]
    for name, way in ways.items():
        try:
            way(at.copied())
        except Refused:
            continue
        return name
    return ""


def laid(name: str, overlay: str) -> Place | None:
    """A record there with that over it; None where its phase takes none."""
    at = place(name)
    try:
        OVERLAYS[overlay](at)
    except Refused:
        return None
    return at


def care_table() -> str:
    """Markdown: a row per act and place, with the way that is taken there, and the other way under each overlay."""
    rows = ["| act of care | the record is | way |", "| --- | --- | --- |"]
    for act, (phases, _) in ACTS.items():
        ways: dict[str, list[str]] = {}
        for name in PLACES:
            if place(name).stream.record.phase in phases:
                ways.setdefault(_ways_in(act, name), []).append(name)
        rows += [f"| {act} | {', '.join(names)} | {way} |" for way, names in ways.items()]
    return "\n".join(rows) + "\n"


def _ways_in(act: str, name: str) -> str:
    free = way_taken(act, place(name))
    others: dict[str, list[str]] = {}
    for overlay in OVERLAYS:
        at = laid(name, overlay)
        taken = free if at is None else way_taken(act, at)
        if taken != free:
            others.setdefault(taken, []).append(overlay)
    return "; ".join([free, *(f"{', '.join(names)}: {way}" for way, names in others.items())])


if __name__ == "__main__":
    print(care_table(), end="")
