"""Decisions of a recipient on packages from other hospitals; what they demand is declared in `package_rules`."""

from __future__ import annotations

from uuid import UUID

from ledger.domain.decision import Claim, Decision, Facts
from ledger.domain.events import Event
from ledger.domain.faults import Faults
from ledger.domain.guards import CODE_MAX, TEXT_MAX, check_time, expect
from ledger.domain.package_rules import adds_nothing, begin_on_package
from ledger.domain.state import PackageState, StreamState
from ledger.domain.transfer_commands import (
    AnswerPackage,
    ClearPackageFork,
    MarkPackageOutdated,
    MarkPackageSinceFork,
    ReceivePackage,
)
from ledger.domain.transfer_events import (
    PackageAccepted,
    PackageForkCleared,
    PackageOutdated,
    PackageReceived,
    PackageRejected,
    PackageSinceFork,
    PackageVerified,
)

SHA256_BYTES = 32


def receive_package(command: ReceivePackage, _: StreamState | None, facts: Facts) -> Decision:
    """A package arrived and was checked; the same transfer again adds nothing."""
    claimed = facts.claimed
    if claimed is not None and claimed.content_sha256 == command.package_sha256:
        return Decision(claimed.stream_id, "package", ())
    faults = begin_on_package(command, None, facts)
    faults.require(command.sender, "sender")
    faults.require(command.sender_origin, "sender_origin")
    if len(command.package_sha256) != SHA256_BYTES:
        faults.add("package_sha256", "MALFORMED_DIGEST", "32 bytes are required")
    if (command.verified is None) == (command.fault is None):
        faults.add("check", "REQUIRED", "what the check of the package said")
    if command.fault is not None:
        _check_code(command.fault.code, command.fault.text, "fault.", faults)
    check_time(facts, faults)
    faults.refuse_if_any()
    parts = (command.sender, str(command.transfer_id))
    claim = Claim("package", parts, command.package_sha256, group=(str(command.transfer_id),))
    return Decision(facts.ids[0], "package", (_received(command, facts), _checked(command, facts)), (claim,))


def _received(command: ReceivePackage, facts: Facts) -> PackageReceived:
    return PackageReceived(
        meta=facts.meta(),
        transfer_id=command.transfer_id,
        counterpart=command.sender,
        sender_origin=command.sender_origin,
        sender_record_id=command.sender_record_id,
        kind=command.kind,
        record_version=command.record_version,
        package_sha256=command.package_sha256,
        package_size=command.package_size,
    )


def _checked(command: ReceivePackage, facts: Facts) -> Event:
    place = (facts.meta(), command.transfer_id, command.sender, command.sender_record_id)
    if command.verified is not None:
        return PackageVerified(*place, command.verified.events, command.verified.head_leaf)
    fault = command.fault
    return PackageRejected(*place, fault.code if fault else "", fault.text if fault else "")


def answer_package(command: AnswerPackage, state: StreamState | None, facts: Facts) -> Decision:
    """A verified package is accepted or rejected; the same answer again adds nothing."""
    package = expect(state, PackageState, "package_id")
    if adds_nothing(command, package):
        return _on_package(command.package_id)
    faults = begin_on_package(command, package, facts)
    if not command.accept:
        _check_code(command.code, command.text, "", faults)
    check_time(facts, faults)
    faults.refuse_if_any()
    place = (facts.meta(), package.transfer_id, package.sender, package.sender_record_id)
    event = PackageAccepted(*place) if command.accept else PackageRejected(*place, command.code, command.text)
    return _on_package(command.package_id, event)


def mark_package_outdated(command: MarkPackageOutdated, state: StreamState | None, facts: Facts) -> Decision:
    """The sender has changed the record since; of a package that holds. Said again: no event."""
    package = expect(state, PackageState, "package_id")
    if adds_nothing(command, package):
        return _on_package(command.package_id)
    faults = begin_on_package(command, package, facts)
    check_time(facts, faults)
    faults.refuse_if_any()
    event = PackageOutdated(facts.meta(), package.transfer_id, package.sender, package.sender_record_id)
    return _on_package(command.package_id, event)


def mark_package_since_fork(command: MarkPackageSinceFork, state: StreamState | None, facts: Facts) -> Decision:
    """Of a package that holds, since what is not taken is nobody's. While it is marked, said again: no event."""
    package = expect(state, PackageState, "package_id")
    if adds_nothing(command, package):
        return _on_package(command.package_id)
    faults = begin_on_package(command, package, facts)
    faults.require(command.log, "log")
    faults.text(command.log, "log", TEXT_MAX)
    check_time(facts, faults)
    faults.refuse_if_any()
    place = (facts.meta(), package.transfer_id, package.sender, package.sender_record_id)
    return _on_package(command.package_id, PackageSinceFork(*place, command.log, command.common_size))


def clear_package_fork(command: ClearPackageFork, state: StreamState | None, facts: Facts) -> Decision:
    """By a person alone, who has compared; said again: no event."""
    package = expect(state, PackageState, "package_id")
    if adds_nothing(command, package):
        return _on_package(command.package_id)
    faults = begin_on_package(command, package, facts)
    faults.require(command.reason, "reason")
    faults.text(command.reason, "reason", TEXT_MAX)
    check_time(facts, faults)
    faults.refuse_if_any()
    place = (facts.meta(), package.transfer_id, package.sender, package.sender_record_id)
    return _on_package(command.package_id, PackageForkCleared(*place, command.reason))


def _on_package(package_id: UUID, *events: Event) -> Decision:
    return Decision(package_id, "package", events)


def _check_code(code: str, text: str, prefix: str, faults: Faults) -> None:
    faults.require(code, f"{prefix}code")
    faults.text(code, f"{prefix}code", CODE_MAX)
    faults.text(text, f"{prefix}text", TEXT_MAX)


DECISIONS = {
    ReceivePackage: receive_package,
    AnswerPackage: answer_package,
    MarkPackageOutdated: mark_package_outdated,
    MarkPackageSinceFork: mark_package_since_fork,
    ClearPackageFork: clear_package_fork,
}
