"""Who may send a command: roles by command, as a rule pack names them, each with its source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from ledger.domain.role_kinds import ROLE_LISTS, SYSTEM

ROLES_OF = frozenset(ROLE_LISTS)
"""What a pack may limit to roles, most by commands' names.

`seal_record`, `lend_record` and `answer_request` mean what follows on them too, `account_for_paper` moving the paper,
`archive_record` archiving again,
`merge_patients` links, who a provisional person is, and what takes these back, `correct_newborn` taking one back and
letting it stand again. `archive_short_path` is a doctor's confirmation, `settle_dispute` what one of two says where the
hospital opens a seal alone, `approve_destruction` who approves a destruction list, `supervise_destruction` who watches
an execution, `correct_time` every time but an entry's, which goes by the entry's author.
"""

ALWAYS = {"extend_retention": SYSTEM}
"""Roles that no pack shuts out: a layer that forgot the deadline clock would stop its extensions in silence."""
OF_CARE = frozenset({"file_late_item"})
"""Of these the record's own pack says who may, while nobody can read the one in force: care waits for no rule."""
ANY = "*"
"""In `final_signers`: every template that is not named."""
_KEYS = frozenset({"roles", "source", "unconfirmed"})


@dataclass(frozen=True)
class RoleRule:
    """The roles that may send one command."""

    roles: frozenset[str]
    source: str
    unconfirmed: bool = True
    """Nobody of the records office has compared it with its source yet."""

    def beside(self, role: str | None) -> RoleRule:
        """The rule with one role more."""
        return self if role is None else replace(self, roles=self.roles | {role})


@dataclass(frozen=True)
class NoRoles:
    """The roles of a pack that this release cannot read: nobody is known to hold any."""

    def may(self, command: str, role: str) -> bool:
        """Whether the role may send the command whatever a pack names."""
        return ALWAYS.get(command) == role


def role_rules(data: Mapping[str, Any], faults: list[str]) -> dict[str, RoleRule]:
    """The rules in this data; what is wrong is added to the faults by path."""
    faults += [f"roles.{name}: no such key" for name in data if name not in ROLES_OF]
    return {name: _rule(f"roles.{name}", table, faults).beside(ALWAYS.get(name)) for name, table in data.items()}


def _rule(where: str, table: Mapping[str, Any], faults: list[str]) -> RoleRule:
    faults += [f"{where}.{name}: no such key" for name in table if name not in _KEYS]
    roles: Any = table.get("roles")
    if not isinstance(roles, list) or not all(isinstance(each, str) for each in cast("list[Any]", roles)):
        faults.append(f"{where}.roles: a list of roles is required")
        roles = []
    source, unconfirmed = table.get("source"), table.get("unconfirmed")
    if not isinstance(source, str) or not source.strip():
        faults.append(f"{where}.source: where the rule is from is required")
    if not isinstance(unconfirmed, bool):
        faults.append(f"{where}.unconfirmed: true or false is required")
    return RoleRule(frozenset(cast("list[str]", roles)), str(source or ""), unconfirmed is not False)


def unsourced_roles(own: Mapping[str, Any]) -> Iterator[str]:
    """Roles that a layer changes without saying from where."""
    for name, table in own.get("roles", {}).items():
        for key in ("source", "unconfirmed"):
            if key not in table:
                yield f"roles.{name}.{key}: a layer that names roles says where that is from"
