"""A hospital receives a package from another one."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from ledger.domain.decision import Claim, ClaimedItem
from ledger.domain.office_tables import list_demand_table, list_phase_table, package_demand_table, package_phase_table
from ledger.domain.package_rules import PACKAGE_RULES, PACKAGE_STATES, PackageCommand, PackageGuard
from ledger.domain.refusal import RefusalKind, Refused
from ledger.domain.state import PackageState
from ledger.domain.transfer_commands import (
    AnswerPackage,
    ClearPackageFork,
    MarkPackageOutdated,
    MarkPackageSinceFork,
    PackageFault,
    PackageVerdict,
    ReceivePackage,
)
from ledger.domain.values import TransferKind, TransferState
from tests.unit.domain.given import CLOCK, DIGEST, HEAD, OTHER_DIGEST, RECORD, Stream

TRANSFER = UUID(int=300)
PACKAGE_ID = UUID(int=400)
RECEIVE = ReceivePackage(
    transfer_id=TRANSFER,
    sender="north",
    sender_origin="example/north/1",
    sender_record_id=RECORD,
    kind=TransferKind.REFERRAL,
    record_version=5,
    package_sha256=DIGEST,
    package_size=1234,
    verified=PackageVerdict(5, HEAD),
    fault=None,
)
ACCEPT = AnswerPackage(PACKAGE_ID, accept=True, code="", text="")
REJECT = AnswerPackage(PACKAGE_ID, accept=False, code="NOT_OUR_PATIENT", text="")


def received(command: ReceivePackage = RECEIVE) -> Stream:
    """A package as received."""
    stream = Stream(PACKAGE_ID)
    stream.when(command)
    return stream


def since_fork() -> Stream:
    """One that came since its sender's log forked."""
    stream = received()
    stream.when(MarkPackageSinceFork(PACKAGE_ID, "ledger.example/north/1", 7))
    return stream


def package(stream: Stream) -> PackageState:
    assert isinstance(stream.state, PackageState)
    return stream.state


def test_a_package_that_holds_is_verified() -> None:
    """Received and verified together, claimed by sender and transfer, found by the transfer."""
    stream = received()
    assert stream.last_events == ["PackageReceived", "PackageVerified"]
    assert (package(stream).state, package(stream).events, package(stream).head_leaf) == (
        TransferState.VERIFIED,
        5,
        HEAD,
    )
    assert stream.decision is not None
    claim = Claim("package", ("north", str(TRANSFER)), DIGEST, (str(TRANSFER),))
    assert stream.decision.reservations == (claim,)


def test_a_package_with_a_fault_is_rejected_with_its_code() -> None:
    """A package with one byte changed is kept in mind as received and rejected."""
    stream = received(replace(RECEIVE, verified=None, fault=PackageFault("DIGEST_MISMATCH")))
    assert stream.last_events == ["PackageReceived", "PackageRejected"]
    assert (package(stream).state, package(stream).code) == (TransferState.REJECTED, "DIGEST_MISMATCH")


def test_a_package_offered_twice_is_received_once() -> None:
    """The same transfer again adds nothing and names the stream that holds it."""
    known = ClaimedItem(PACKAGE_ID, None, DIGEST)
    decision = Stream().when(RECEIVE, claimed=known)
    assert (decision.stream_id, decision.events) == (PACKAGE_ID, ())


def test_other_bytes_of_the_same_transfer_are_not_taken_for_the_same() -> None:
    """What was received first stands; other bytes are refused by name."""
    known = ClaimedItem(PACKAGE_ID, None, OTHER_DIGEST)
    refusal = Stream().refused(RECEIVE, claimed=known)
    assert refusal == (RefusalKind.TAKEN, [("package_sha256", "PACKAGE_DIFFERS")])


def test_every_fault_of_a_package_is_named() -> None:
    """No sender, no origin, no digest, no verdict: all in one refusal."""
    empty = replace(RECEIVE, sender="", sender_origin="", package_sha256=b"", verified=None)
    _, faults = Stream().refused(empty)
    assert faults == [
        ("sender", "REQUIRED"),
        ("sender_origin", "REQUIRED"),
        ("package_sha256", "MALFORMED_DIGEST"),
        ("check", "REQUIRED"),
    ]


def test_a_verified_package_is_answered_once() -> None:
    """Accepted: the same answer again adds nothing, the other one is refused."""
    stream = received()
    stream.when(ACCEPT)
    assert package(stream).state is TransferState.ACCEPTED
    assert stream.when(ACCEPT).events == ()
    assert stream.refused(REJECT) == (RefusalKind.STATE, [("package_id", "PACKAGE_NOT_OPEN")])


def test_a_rejection_has_a_code() -> None:
    """The sender is told why."""
    stream = received()
    assert stream.refused(replace(REJECT, code=" "))[1] == [("code", "REQUIRED")]
    stream.when(REJECT)
    assert (package(stream).state, package(stream).code) == (TransferState.REJECTED, "NOT_OUR_PATIENT")


def test_a_package_that_does_not_hold_is_never_accepted() -> None:
    """Acceptance needs a verified package."""
    stream = received(replace(RECEIVE, verified=None, fault=PackageFault("DIGEST_MISMATCH")))
    assert stream.refused(ACCEPT) == (RefusalKind.STATE, [("package_id", "PACKAGE_NOT_OPEN")])


def test_a_package_that_its_sender_changed_since_is_marked_once() -> None:
    """Verified or accepted; said again: no event. An answer is given all the same."""
    for stream, after in ((received(), ACCEPT), (received(), None)):
        if after is None:
            stream.when(ACCEPT)
        stream.when(MarkPackageOutdated(PACKAGE_ID))
        assert stream.last_events == ["PackageOutdated"]
        assert package(stream).outdated
        stream.when(MarkPackageOutdated(PACKAGE_ID))
        assert stream.last_events == []
        if after is not None:
            stream.when(after)
        assert (package(stream).state, package(stream).outdated) == (TransferState.ACCEPTED, True)


def test_what_was_not_taken_is_not_outdated() -> None:
    """A rejected package is nobody's knowledge of a patient."""
    stream = received()
    stream.when(REJECT)
    refusal = stream.refused(MarkPackageOutdated(PACKAGE_ID))
    assert refusal == (RefusalKind.STATE, [("package_id", "PACKAGE_NOT_OPEN")])


def test_what_came_since_a_fork_is_marked_until_a_person_clears_it() -> None:
    """Once for as long as it is marked; a system clears nothing; a later fork marks it again. Its answer is given."""
    mark, clear = (
        MarkPackageSinceFork(PACKAGE_ID, "ledger.example/north/1", 7),
        ClearPackageFork(PACKAGE_ID, "compared"),
    )
    stream = received()
    assert stream.when(clear).events == ()
    stream.when(mark)
    assert (stream.last_events, package(stream).since_fork) == (["PackageSinceFork"], True)
    assert stream.when(mark).events == ()
    stream.when(ACCEPT)
    assert (package(stream).state, package(stream).since_fork) == (TransferState.ACCEPTED, True)
    stream.when(clear)
    assert (stream.last_events, package(stream).since_fork) == (["PackageForkCleared"], False)
    stream.when(mark)
    assert package(stream).since_fork


def test_what_was_not_taken_came_since_no_fork() -> None:
    """A rejected package is nobody's knowledge of a patient."""
    stream = received()
    stream.when(REJECT)
    refusal = stream.refused(MarkPackageSinceFork(PACKAGE_ID, "ledger.example/north/1", 7))
    assert refusal == (RefusalKind.STATE, [("package_id", "PACKAGE_NOT_OPEN")])


CLEAR, MARK = ClearPackageFork(PACKAGE_ID, "compared"), MarkPackageSinceFork(PACKAGE_ID, "ledger.example/north/1", 7)
ON_PACKAGE: list[Any] = [ACCEPT, REJECT, MarkPackageOutdated(PACKAGE_ID), MARK, CLEAR]
"""Every command on a package that is there."""
BROKEN: dict[str, tuple[PackageCommand, Callable[[], Stream], dict[str, Any]]] = {
    "PACKAGE_DIFFERS": (RECEIVE, Stream, {"claimed": ClaimedItem(PACKAGE_ID, None, OTHER_DIGEST)}),
    "PERSON_REQUIRED": (CLEAR, since_fork, {"actor": CLOCK}),
}
"""By the rule of each demand: a command that breaks it, on what, and by whom."""


def lying(state: TransferState, command: PackageCommand) -> Stream:
    """A package in this state, to which the command says something new."""
    stream = since_fork() if command is CLEAR else received()
    stream.state = replace(package(stream), state=state)
    return stream


@pytest.mark.parametrize("state", PACKAGE_STATES)
@pytest.mark.parametrize("command", ON_PACKAGE)
def test_a_command_on_a_package_is_decided_as_declared(command: PackageCommand, state: TransferState) -> None:
    """Done and led to a declared state, or refused by the state alone, or nothing new."""
    rule, stream = PACKAGE_RULES[type(command)], lying(state, command)
    if rule.again is not None and rule.again.holds(command, package(stream)):
        assert stream.when(command).events == ()
    elif state in rule.leads:
        stream.when(command)
        assert package(stream).state in rule.leads[state]
    else:
        assert stream.refused(command)[1] == [("package_id", "PACKAGE_NOT_OPEN")]


def test_every_declared_state_is_reached() -> None:
    """No state is declared to which no command leads: of a new package, and of each that lies there."""
    fault = replace(RECEIVE, verified=None, fault=PackageFault("DIGEST_MISMATCH"))
    assert {package(received(each)).state for each in (RECEIVE, fault)} == PACKAGE_RULES[ReceivePackage].opens
    reached: dict[Any, set[Any]] = {}
    for command in ON_PACKAGE:
        for state in PACKAGE_RULES[type(command)].leads:
            stream = lying(state, command)
            stream.when(command)
            reached.setdefault((type(command), state), set()).add(package(stream).state)
    declared = {(kind, each): set(led) for kind, rule in PACKAGE_RULES.items() for each, led in rule.leads.items()}
    assert reached == declared


def _refusing() -> Iterator[Any]:
    for command in ON_PACKAGE:
        for state in PACKAGE_STATES:
            rule = PACKAGE_RULES[type(command)]
            again = rule.again is not None and rule.again.holds(command, package(lying(state, command)))
            if state not in rule.leads and not again:
                yield pytest.param(command, state, id=f"{type(command).__name__}-{state}")


@pytest.mark.parametrize(("command", "state"), list(_refusing()))
def test_no_state_of_a_package_can_be_let_in_unnoticed(
    command: PackageCommand, state: TransferState, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mutation check of states: let in, the command is refused no longer."""
    assert lying(state, command).refused(command)[1] == [("package_id", "PACKAGE_NOT_OPEN")]
    rule = PACKAGE_RULES[type(command)]
    monkeypatch.setitem(PACKAGE_RULES, type(command), replace(rule, leads={**rule.leads, state: frozenset({state})}))
    assert lying(state, command).when(command).events


def _demands() -> Iterator[Any]:
    for command, rule in PACKAGE_RULES.items():
        for guard in rule.demands:
            yield pytest.param(command, guard, id=f"{command.__name__}-{guard.rule}")


@pytest.mark.parametrize(("kind", "guard"), list(_demands()))
def test_no_demand_on_a_package_can_be_taken_out_unnoticed(
    kind: type[PackageCommand], guard: PackageGuard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the demand the rule is named at its field, without it the command is done."""
    command, build, known = BROKEN[guard.rule]
    assert build().refused(command, **known) == (guard.kind, [(guard.field, guard.rule)])
    left = tuple(each for each in PACKAGE_RULES[kind].demands if each is not guard)
    monkeypatch.setitem(PACKAGE_RULES, kind, replace(PACKAGE_RULES[kind], demands=left))
    assert build().when(command, **known).events


@pytest.mark.parametrize("kind", [kind for kind, rule in PACKAGE_RULES.items() if rule.again])
def test_no_repetition_can_be_taken_for_news_unnoticed(
    kind: type[PackageCommand], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is so already makes no event; taken for news, it is refused or makes one."""
    command = next(each for each in ON_PACKAGE if type(each) is kind)
    stream = received()
    if command is not CLEAR:
        stream.when(command)
    assert stream.when(command).events == ()
    monkeypatch.setitem(PACKAGE_RULES, kind, replace(PACKAGE_RULES[kind], again=None))
    assert _news_or_refused(stream, command)


def _news_or_refused(stream: Stream, command: PackageCommand) -> bool:
    try:
        return bool(stream.when(command).events)
    except Refused as refused:
        return [each.rule for each in refused.violations] == ["PACKAGE_NOT_OPEN"]


@pytest.mark.parametrize(
    ("name", "made_now"),
    [
        ("packages", package_phase_table),
        ("package demands", package_demand_table),
        ("lists", list_phase_table),
        ("list demands", list_demand_table),
    ],
)
def test_the_document_shows_the_declarations(name: str, made_now: Callable[[], str]) -> None:
    """Tables in docs/lifecycle.md are those of the declarations; paste them anew where this fails."""
    document = (Path(__file__).parents[3] / "docs" / "lifecycle.md").read_text(encoding="utf-8")
    shown = document.partition(f"<!-- {name}: begin -->\n")[2].partition(f"<!-- {name}: end -->")[0]
    assert shown == made_now()
