"""Guards on links, merges and the desk's word: who says them, and of whom."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ledger.domain.command_guards import is_person
from ledger.domain.patient_rule import Asked, PatientGuard
from ledger.domain.recognition import is_recognised
from ledger.domain.refusal import RefusalKind, Violation


def _guard(
    rule: str,
    demand: str,
    holds: Callable[[Asked], bool],
    kind: RefusalKind = RefusalKind.STATE,
    field: str = "",
) -> PatientGuard:
    """A guard at this field, or at the one that names the other patient."""

    def faults(asked: Asked) -> Iterable[Violation]:
        return () if holds(asked) else (Violation(field or asked.field, rule, demand),)

    return PatientGuard(rule, demand, faults, kind)


def _is_another(asked: Asked) -> bool:
    return asked.other_id != asked.command.patient_id


def _is_known(asked: Asked) -> bool:
    return asked.facts.other_patient is not None or not _is_another(asked)


def _merged_there(asked: Asked) -> bool:
    return asked.patient.merged_into in (None, asked.other_id)


def _keeps_death(asked: Asked) -> bool:
    """A form that was opened before the death came shows none: only who saw the death takes it away."""
    known, said = asked.patient.details, asked.command.details
    return not known.deceased_at or bool(said.deceased_at) or asked.facts.context.expected_version is not None


def _was_recognised(asked: Asked) -> bool:
    return is_recognised(asked.patient, (asked.command.system, asked.command.type, asked.command.id))


def _is_no_kin(asked: Asked) -> bool:
    """Not a mother and her child, nor two newborns of one record: whoever is sure takes the link back first."""
    both = {asked.facts.person(asked.command.patient_id), asked.facts.person(asked.other_id)}
    return len(both) < 2 or not any(both <= family for family in asked.facts.families)


ACTS_AS_PERSON = _guard(
    "NOT_A_PERSON",
    "a person acts here, not a system",
    lambda asked: is_person(asked.facts.context.actor),
    field="context.actor",
)
ROLE_SAYS_WHO = _guard(
    "ROLE_NOT_ALLOWED",
    "a role that the pack in force names",
    lambda asked: asked.facts.may("merge_patients"),
    field="context.actor.role",
)
ANOTHER_PATIENT = _guard("SAME_PATIENT", "another patient than the first", _is_another, RefusalKind.INVALID)
OTHER_KNOWN = _guard("UNKNOWN_PATIENT", "the other is a patient of this hospital", _is_known, RefusalKind.NOT_FOUND)
LINKED = _guard("NOT_LINKED", "the two are linked", lambda asked: asked.other_id in asked.patient.linked)
MERGED_THERE = _guard("NOT_MERGED", "the first was merged into the one who is named", _merged_there)
NO_KIN = _guard(
    "NOT_ITS_OWN",
    "no record says that they are mother and newborn, or two newborns, until that is taken back",
    _is_no_kin,
)
DESK_SPEAKS = _guard(
    "SOURCE_NOT_ALLOWED",
    "the desk speaks here, before every source: what a source's item says comes by RegisterPatient",
    lambda asked: asked.facts.context.source is None,
    RefusalKind.INVALID,
    "context.source",
)
DEATH_SEEN = _guard(
    "VERSION_REQUIRED",
    "a death is taken away in the version of the patient that was seen, which expected_version names",
    _keeps_death,
    RefusalKind.INVALID,
    "context.expected_version",
)
RECOGNISED = _guard(
    "NOT_RECOGNISED",
    "an item of a source that was led to this patient, who was registered before",
    _was_recognised,
    RefusalKind.NOT_FOUND,
    "id",
)
