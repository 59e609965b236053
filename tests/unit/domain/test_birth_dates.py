"""Another birth date is seen by whoever destroys the person's records; what says no other one disturbs nobody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ledger.domain.commands import AmendPatient, RegisterPatient
from ledger.domain.decision import Bearer, Bump, ClaimedItem, Decision
from ledger.domain.source_claim import Taken
from ledger.domain.values import IdentityStatus, PatientDetails, PatientIdentifier
from tests.unit.domain.given import OTHER_DIGEST, PATIENT, Stream, source
from tests.unit.domain.test_recognition import withdraw
from tests.unit.domain.test_stated_details import FULL, Patient

PASSPORT = PatientIdentifier("urn:passport", "P-1")
KNOWN = PatientDetails((PASSPORT,), "N. N.", "1950-01-31", "female")
REGISTER = RegisterPatient("MRN-1", IdentityStatus.MATCHED, KNOWN)
BUMPED = Bump("patient", (str(PATIENT),), 3)


def by_the_desk(details: PatientDetails) -> Decision:
    """A person puts the data right."""
    stream = Stream(PATIENT)
    stream.when(REGISTER)
    amend = AmendPatient(PATIENT, details, "as in the passport")
    return stream.when(amend, persons={PATIENT: 3}, bearers=(Bearer(PATIENT),))


def by_its_source(details: PatientDetails) -> Decision:
    """The item that registered the patient says something else."""
    stream = Stream(PATIENT)
    stream.when(REGISTER, source=source())
    held = ClaimedItem(PATIENT, None, source().content_sha256, Taken.PATIENT)
    said = replace(REGISTER, details=details)
    return stream.when(
        said, source=source(OTHER_DIGEST), claimed=held, persons={PATIENT: 3}, bearers=(Bearer(PATIENT),)
    )


def by_another_source(details: PatientDetails) -> Decision:
    """A second system knows the patient by the passport, and tells what nobody had told."""
    stream = Stream(PATIENT)
    unborn = replace(KNOWN, birth_date="") if details.birth_date != KNOWN.birth_date else KNOWN
    stream.when(replace(REGISTER, details=unborn), source=source())
    said = replace(REGISTER, case_number="L-9", details=details)
    lab = replace(source(), system="lab")
    return stream.when(said, source=lab, persons={PATIENT: 3}, bearers=(Bearer(PATIENT),))


def by_taking_back(details: PatientDetails) -> Decision:
    """What a laboratory alone told goes with its item."""
    known = Patient()
    known.says("his", FULL if details.birth_date == KNOWN.birth_date else replace(FULL, birth_date=""))
    known.says("lab", FULL)
    return withdraw(known, persons={PATIENT: 3})


@pytest.mark.parametrize("told", [by_the_desk, by_its_source, by_another_source, by_taking_back])
def test_another_birth_date_is_seen_by_whoever_destroys_the_persons_records(
    told: Callable[[PatientDetails], Decision],
) -> None:
    """It may keep a minor's record longer; a destruction that is decided meanwhile is decided again."""
    assert BUMPED in told(replace(KNOWN, birth_date="1999-05-01")).reservations
    assert BUMPED not in told(replace(KNOWN, name="M. M.")).reservations
