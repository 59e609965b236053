"""What is demanded of a pack when it is added, and of none that stands already.

A rulebook keeps every pack as it was taken, and records keep theirs: a demand of a later release that were made of
those, too, would leave their records without rules, and care waits for no rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from ledger.domain.pack_move_note import TABLE as MOVE_NOTE
from ledger.domain.pack_roles import ANY
from ledger.domain.role_kinds import FINAL_SIGNERS, ROLE_LISTS, RULE_KEEPERS, SIGNERS_OF, RoleList


def unfit_for_adding(data: Mapping[str, Any]) -> Iterator[str]:
    """Every list of roles that locks an act or leaves it to whom it is not for, and every empty list of visits."""
    for name, table in data.get("roles", {}).items():
        if name in ROLE_LISTS:
            yield from _of_list(ROLE_LISTS[name], f"roles.{name}.roles", table.get("roles"))
    signers = data.get("final_signers", {})
    if ANY not in signers:
        yield f"final_signers.{ANY}: roles are required, else what is not named could be signed by nobody"
    for name, roles in signers.items():
        yield from _of_list(SIGNERS_OF.get(name, FINAL_SIGNERS), f"final_signers.{name}", roles)
    # Of an empty list of keepers is told wherever a pack is read.
    yield from _of_list(RULE_KEEPERS, "rule_keepers", data.get("rule_keepers") or None)
    for index, rule in enumerate(data.get("deadline", ())):
        if rule.get("visits") == []:
            yield f"deadline[{index}].visits: visit types are required"
    move_note = data.get(MOVE_NOTE, {})
    yield from (
        f"{MOVE_NOTE}.{name}: at least one is required" for name in ("visits", "templates") if move_note.get(name) == []
    )


def _of_list(may_be: RoleList, path: str, roles: Any) -> Iterator[str]:
    # What is no list of texts is told where it is read.
    if isinstance(roles, list) and all(isinstance(each, str) for each in cast("list[Any]", roles)):
        yield from may_be.faults(path, frozenset(cast("list[str]", roles)))
