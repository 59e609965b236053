"""The one declaration of which commands take a received package in which state, what they demand, and where they lead.

`decide` asks it; the tables in docs/lifecycle.md, the mutation check and the walks are made from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ledger.domain.command_guards import is_person
from ledger.domain.decision import Facts
from ledger.domain.faults import Faults
from ledger.domain.refusal import RefusalKind
from ledger.domain.state import PackageState
from ledger.domain.transfer_commands import (
    AnswerPackage,
    ClearPackageFork,
    MarkPackageOutdated,
    MarkPackageSinceFork,
    ReceivePackage,
)
from ledger.domain.values import TransferState

PackageCommand = ReceivePackage | AnswerPackage | MarkPackageOutdated | MarkPackageSinceFork | ClearPackageFork
_VERIFIED, _ACCEPTED, _REJECTED = TransferState.VERIFIED, TransferState.ACCEPTED, TransferState.REJECTED
PACKAGE_STATES = (_VERIFIED, _ACCEPTED, _REJECTED)
"""States in which a package can lie: what arrives is checked in the same step."""


@dataclass(frozen=True)
class PackageGuard:
    """What a command demands beside the state. `rule` is the code of the refusal, at `field`."""

    rule: str
    demand: str
    field: str
    holds: Callable[[Any, Facts], bool]
    kind: RefusalKind


@dataclass(frozen=True)
class Again:
    """When a command says only what is so already: no event, whatever state the package is in."""

    said: str
    holds: Callable[[Any, PackageState], bool]


@dataclass(frozen=True)
class PackageRule:
    """From each state that takes the command, those in which it can leave the package; `opens` those of a new one."""

    leads: Mapping[TransferState, frozenset[TransferState]] = field(
        default_factory=dict[TransferState, frozenset[TransferState]]
    )
    opens: frozenset[TransferState] = frozenset()
    again: Again | None = None
    demands: tuple[PackageGuard, ...] = ()


def _answered(command: AnswerPackage, package: PackageState) -> bool:
    return package.state is (_ACCEPTED if command.accept else _REJECTED)


def _stays(*states: TransferState) -> dict[TransferState, frozenset[TransferState]]:
    return {each: frozenset({each}) for each in states}


_HELD = _stays(_VERIFIED, _ACCEPTED)
"""What is not taken is nobody's: nothing more is said of it."""
SAME_BYTES = PackageGuard(
    "PACKAGE_DIFFERS",
    "other bytes of this transfer came before",
    "package_sha256",
    lambda command, facts: facts.claimed is None or facts.claimed.content_sha256 == command.package_sha256,
    RefusalKind.TAKEN,
)
PERSON_CLEARS = PackageGuard(
    "PERSON_REQUIRED",
    "a person clears what came since a fork, no system",
    "context.actor",
    lambda _, facts: is_person(facts.context.actor),
    RefusalKind.INVALID,
)

PACKAGE_RULES: dict[type[PackageCommand], PackageRule] = {
    ReceivePackage: PackageRule(opens=frozenset({_VERIFIED, _REJECTED}), demands=(SAME_BYTES,)),
    AnswerPackage: PackageRule(
        {_VERIFIED: frozenset({_ACCEPTED, _REJECTED})}, again=Again("the same answer was given", _answered)
    ),
    MarkPackageOutdated: PackageRule(_HELD, again=Again("it is marked so", lambda _, package: package.outdated)),
    MarkPackageSinceFork: PackageRule(_HELD, again=Again("it is marked so", lambda _, package: package.since_fork)),
    ClearPackageFork: PackageRule(
        _stays(*PACKAGE_STATES),
        again=Again("it is not marked", lambda _, package: not package.since_fork),
        demands=(PERSON_CLEARS,),
    ),
}


def adds_nothing(command: PackageCommand, package: PackageState) -> bool:
    """Whether the package is already as the command says."""
    again = PACKAGE_RULES[type(command)].again
    return again is not None and again.holds(command, package)


def begin_on_package(command: PackageCommand, package: PackageState | None, facts: Facts) -> Faults:
    """The faults of a command on a package that the declaration knows; None = it opens one."""
    rule, faults = PACKAGE_RULES[type(command)], Faults()
    if package is not None and package.state not in rule.leads:
        faults.add("package_id", "PACKAGE_NOT_OPEN", f"the package is {package.state}", RefusalKind.STATE)
    for guard in rule.demands:
        if not guard.holds(command, facts):
            faults.add(guard.field, guard.rule, guard.demand, guard.kind)
    return faults
