"""What a role can be, and which kinds of roles each list of a rule pack may name."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from ledger.domain.actor_faults import CHARACTERS_MAX

TRAINEE = "trainee"
SYSTEM = "system"
INTERFACE = "interface"
"""Role of a program that brings what another system holds."""
NOT_PERSONS = frozenset({SYSTEM, INTERFACE})
"""Roles that are nobody in particular: they may not stand for one of two persons."""
PATIENTS_SIDE = frozenset({"patient", "representative"})
NOTARIES = frozenset({"notary"})
OTHER_SIDE = PATIENTS_SIDE | NOTARIES
"""Roles in which somebody stands beside the hospital at a seal: they never act for it."""


@dataclass(frozen=True)
class RoleList:
    """What roles one list may name beside those of qualified persons of the hospital, whatever these are called."""

    programs: frozenset[str] = frozenset()
    trainees: bool = False
    by_person: bool = True
    """Somebody of the list must be able to do it; else a program alone will do."""

    def faults(self, path: str, roles: Collection[str]) -> Iterator[str]:
        """Every fault of the roles that a pack names at this path."""
        against = {role: self._against(role) for role in sorted(roles)}
        yield from (f"{path}: {what}" for what in against.values() if what)
        if not any(not what and not (self.by_person and role in NOT_PERSONS) for role, what in against.items()):
            of_whom = "a role of a person of the hospital" if self.by_person else "a role"
            yield f"{path}: {of_whom} is required, else nobody could ever do it"

    def _against(self, role: str) -> str:
        longest = CHARACTERS_MAX["role"]
        if not role.strip() or len(role) > longest:
            return f"a role is a text of 1 to {longest} characters"
        if role in NOT_PERSONS - self.programs:
            return f"{role} is no person"
        if role in OTHER_SIDE:
            return f"{role} does not act for the hospital"
        return "a trainee may not" if role == TRAINEE and not self.trainees else ""


_QUALIFIED = RoleList()
_CARE = RoleList(trainees=True)
_CARE_OR_INTERFACE = RoleList(programs=frozenset({INTERFACE}), trainees=True)
_CLOCK_TOO = RoleList(programs=frozenset({SYSTEM}), by_person=False)

ROLE_LISTS: Mapping[str, RoleList] = {
    "accept_deficiency": _QUALIFIED,
    "amend_entry": _QUALIFIED,
    "retract_entry": _QUALIFIED,
    "continue_draft": _CARE,
    "declare_in_error": _QUALIFIED,
    "file_late_item": _CARE_OR_INTERFACE,
    "pass_quality": _QUALIFIED,
    "assess_sample": _QUALIFIED,
    "return_record": _QUALIFIED,
    "archive_record": _QUALIFIED,
    "archive_short_path": _QUALIFIED,
    "approve_reopen": _QUALIFIED,
    "place_hold": _QUALIFIED,
    "lift_hold": _QUALIFIED,
    "extend_retention": _CLOCK_TOO,
    "seal_record": _QUALIFIED,
    "settle_dispute": _QUALIFIED,
    "issue_copy": _QUALIFIED,
    "lend_record": _QUALIFIED,
    "account_for_paper": _QUALIFIED,
    "answer_request": _QUALIFIED,
    "appraise_disposal": _QUALIFIED,
    "reject_appraisal": _QUALIFIED,
    "approve_disposal": _QUALIFIED,
    "approve_destruction": _QUALIFIED,
    "destroy_record": _QUALIFIED,
    "supervise_destruction": _QUALIFIED,
    "merge_patients": _QUALIFIED,
    "correct_time": _QUALIFIED,
    "assign_physician": _QUALIFIED,
    "register_newborn_late": _CARE_OR_INTERFACE,
    "correct_newborn": _QUALIFIED,
    "withdraw_consultation": _QUALIFIED,
}
"""The lists of `[roles]` in a pack, by name."""

RULE_KEEPERS = _QUALIFIED
FINAL_SIGNERS = _QUALIFIED
SIGNERS_OF: Mapping[str, RoleList] = {"result": RoleList(programs=frozenset({INTERFACE}))}
"""Templates whose final signers are others than FINAL_SIGNERS: a laboratory's system confirms its own results."""
