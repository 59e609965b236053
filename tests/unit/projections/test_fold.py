"""Folding a batch: poison and what follows it, without a database."""

from uuid import uuid4

from ledger.views.event import ViewEvent
from ledger.views.view import Erased
from projections.archive_register.view import ArchiveRegister
from projections.department_board.view import DepartmentBoard
from projections.fold import Folded, fold, plan
from projections.transfer_packages.view import TransferPackages
from tests.contract.views import histories as h
from tests.contract.views import life_events as life
from tests.services.sealed import opened_event


def events(*sealed: h.Sealed) -> list[ViewEvent]:
    return [opened_event(position, event.envelope, event.body) for position, event in enumerate(sealed, 1)]


def folded(view: DepartmentBoard | ArchiveRegister | TransferPackages, *sealed: h.Sealed) -> Folded:
    return fold(view, plan(view, events(*sealed)), {})


def test_events_behind_poison_are_parked_in_order() -> None:
    """The poisoned record stops at the event, the other goes on in the same batch."""
    sick, well = h.EventStream(), h.EventStream()
    result = folded(
        DepartmentBoard(),
        sick.seal(h.registered()),
        sick.seal_bytes(b"", "ledger.v9.Unheard"),
        well.seal(h.registered()),
        sick.seal(h.care_started()),
        sick.seal(h.care_ended()),
        well.seal(h.care_started()),
    )
    assert [(poison.event.position, poison.error) for poison in result.poison] == [(2, "UnknownEventType")]
    assert [event.position for event in result.parked] == [4, 5]
    assert sorted(row[1] for row in result.changed.values()) == [1, 2]


def test_a_body_that_cannot_be_read_is_poison() -> None:
    """Of the views that need it; one that does not look at it goes on."""
    stream = h.EventStream()
    sealed = [stream.seal(h.registered()), stream.seal_bytes(b"\xff", "ledger.v1.EntryRecorded")]
    assert [poison.error for poison in folded(DepartmentBoard(), *sealed).poison] == ["UnreadableBody"]
    assert not folded(ArchiveRegister(), *sealed).poison


def test_an_id_that_is_none_is_poison_without_its_content() -> None:
    """The error is the kind of failure, never the value."""
    sealed = h.EventStream().seal_bytes(b"", "ledger.v1.TransferProposed")
    assert [poison.error for poison in folded(TransferPackages(), sealed).poison] == ["ValueError"]


def test_a_view_ignores_what_it_does_not_show() -> None:
    """No row is loaded or changed."""
    view = TransferPackages()
    (planned,) = plan(view, events(h.EventStream().seal(h.registered())))
    assert planned.keys == ()


def test_what_is_erased_is_gone_for_the_rest_of_the_batch() -> None:
    """Rows of the stream that the batch had changed or loaded are forgotten; other streams keep theirs."""
    gone, stays, entry = h.EventStream(), h.EventStream(), uuid4()
    lived = [h.registered(), h.entry_recorded(entry)]
    sealed = [stream.seal(body) for stream in (gone, stays) for body in lived]
    result = folded(DepartmentBoard(), *sealed, gone.seal(life.destroyed(uuid4())))
    assert result.erased == {Erased(table, gone.stream_id) for table in ("entries", "newborns")}
    assert [key.key[0] for key in result.changed if key.table == "entries"] == [stays.stream_id]
    assert [row[2] for row in result.changed.values() if row[0] == gone.stream_id] == [""]
