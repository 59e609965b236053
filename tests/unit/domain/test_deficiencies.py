"""What is accepted as never written or never signed: what the record owes, by medical affairs, and never all of it."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum, auto

import pytest

from ledger.domain.commands import EndCare, SubmitRecord
from ledger.domain.course_commands import AcceptDeficiency
from ledger.domain.defaults import default_pack
from ledger.domain.missing_entries import missing_entries
from ledger.domain.newborn_commands import RegisterNewborn
from ledger.domain.values import Disposition
from tests.unit.domain.given import (
    AFFAIRS,
    ARCHIVIST,
    NOW,
    PHYSICIAN,
    QUALITY,
    RECORD,
    TRAINEE,
    active,
    note,
)
from tests.unit.domain.test_mandatory_entries import holding


class Unsigned(Enum):
    """What there is in a record that nobody has signed of the patient."""

    NOTHING = auto()
    OF_TRAINEE = auto()
    OF_NEWBORN = auto()


@pytest.mark.parametrize(
    ("template", "fault"),
    [
        ("nursing_record", ("template", "NOT_MISSING")),
        ("in_out_24h_record", ("template", "NOT_MISSING")),
        ("physician_in_charge", ("template", "NOT_MISSING")),
        ("horoscope", ("template", "UNKNOWN_TEMPLATE")),
        ("operation_record", None),
    ],
)
def test_only_what_is_owed_and_missing_is_accepted(template: str, fault: tuple[str, str] | None) -> None:
    """Not what no rule asks for, not what is there or stands in another's place, not a name that means nothing."""
    stream = holding("in_out_24h_record", "operation_end", "informed_consent")
    stream.when(EndCare(RECORD, Disposition.HOME, NOW))
    accept = AcceptDeficiency(RECORD, None, template, "lost in the flood")
    if fault is None:
        stream.when(accept)
    else:
        assert stream.refused(accept)[1] == [fault]


def test_medical_affairs_alone_accept_it() -> None:
    """Neither the archive nor quality control frees a department from what it owes."""
    stream = holding("in_out_24h_record", "operation_end", "informed_consent")
    stream.when(EndCare(RECORD, Disposition.HOME, NOW))
    accept = AcceptDeficiency(RECORD, None, "operation_record", "the surgeon has left")
    for actor in (ARCHIVIST, QUALITY, PHYSICIAN):
        assert stream.refused(accept, actor=actor)[1] == [("context.actor.role", "ROLE_NOT_ALLOWED")]
    stream.when(accept, actor=AFFAIRS)


@pytest.mark.parametrize("kind", list(Unsigned))
def test_a_stay_without_a_signed_entry_of_the_patient_is_not_handed_in_by_waivers(kind: Unsigned) -> None:
    """Whatever was accepted: nothing at all, a trainee's note whose signature was waived, a newborn's note."""
    stream = active()
    if kind is Unsigned.OF_NEWBORN:
        about = stream.when(RegisterNewborn(RECORD, 1, None)).result["subject_id"]
        stream.entry(replace(note(), subject_id=about))
    unsigned = stream.entry(signer=TRAINEE) if kind is Unsigned.OF_TRAINEE else None
    stream.when(EndCare(RECORD, Disposition.HOME, NOW))
    if unsigned is not None:
        stream.when(AcceptDeficiency(RECORD, unsigned, "", "the author has left"))
    while lacking := [template for template, _, _ in missing_entries(stream.record, default_pack().mandatory)]:
        stream.when(AcceptDeficiency(RECORD, None, lacking[0], "nobody wrote one"))
    assert stream.refused(SubmitRecord(RECORD))[1] == [("record_id", "NO_ENTRY")]
    stream.entry()
    stream.when(SubmitRecord(RECORD))
