"""A hospital receives a package from another one."""

from dataclasses import replace
from uuid import UUID

from ledger.domain.decision import Claim, ClaimedItem
from ledger.domain.refusal import RefusalKind
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
from tests.unit.domain.given import DIGEST, HEAD, OTHER_DIGEST, RECORD, Stream

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
