"""A ledger is checked event by event; the first fault is named with kind, position, record and version."""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.trust.chain import FaultKind
from ledger.trust.envelope import decode, encode
from ledger.trust.lineage import LOG_SUCCEEDED
from ledger.trust.usual_rows import PAGE_ROWS, varints_of_eight
from ledger.trust.varint import write_varint
from ledger.trust.verify import Fault, LedgerWalk, Row, RowFault, Summary, copies_of, running_digest, verify_rows
from tests.unit.consumers.histories import NORTH, RECORD, History

OTHER = UUID("44444444-4444-4444-8444-444444444444")


USUAL_TYPE = "ledger.v1.CareStarted"
UNUSUAL_TYPE = "ledger.v1.CareStarted0"
"""With the digit 0 an envelope has no usual form: the row is looked at closely, by itself."""


def ledger_rows(type_of: Callable[[int], str], events: int = 8) -> list[Row]:
    """Two records, interleaved, with the columns that a database keeps beside."""
    one, other = History(RECORD), History(OTHER)
    rows: list[Row] = []
    for position in range(1, events + 1):
        history = one if position % 3 else other
        event = history.add(f"body {position}".encode(), type_of(position))
        rows.append(Row(position, event.envelope, event.body, copies_of(decode(event.envelope), event.envelope)))
    return rows


ROWS = ledger_rows(lambda _: UNUSUAL_TYPE)
USUAL = ledger_rows(lambda _: USUAL_TYPE)
LONG = 300
"""Events: two pages, and versions of two bytes."""
MIXED = ledger_rows(lambda position: USUAL_TYPE if position % 5 or position == LONG else UNUSUAL_TYPE, LONG)
ALL_USUAL = ledger_rows(lambda _: USUAL_TYPE, LONG)
CLOSELY = ledger_rows(lambda _: UNUSUAL_TYPE, LONG)


def test_a_whole_ledger_holds() -> None:
    """The summary says what was checked, and its digest can be computed by anybody."""
    digest = b""
    for row in ROWS:
        digest = running_digest(digest, row.position, sha256(b"\x00" + row.envelope).digest())
    assert verify_rows(ROWS) == Summary(8, 2, 1, 8, NORTH, digest)


def test_an_empty_ledger_holds() -> None:
    """Nothing was checked, and it says so."""
    assert verify_rows([]) == Summary(0, 0, 0, 0, "", b"")


@given(
    order=st.lists(st.integers(0, 7), min_size=1, max_size=8),
    renumbered=st.booleans(),
)
def test_rows_of_the_usual_form_are_judged_as_all_others_are(order: list[int], renumbered: bool) -> None:
    """Left out, repeated or in another order: the same first fault, or as many events that hold."""
    found: list[Fault | int] = []
    for ledger in (ROWS, USUAL):
        rows = [ledger[each] for each in order]
        if renumbered:
            rows = [row._replace(position=at) for at, row in enumerate(rows, 1)]
        judged = verify_rows(rows)
        found.append(judged if isinstance(judged, Fault) else judged.events)
    assert found[0] == found[1]


@settings(deadline=None)
@given(at=st.integers(0, LONG - 1), what=st.sampled_from(["drop", "double", "swap", "body", "column", "bare", "none"]))
def test_page_by_page_is_found_what_row_by_row_is(at: int, what: str) -> None:
    """The same first fault, or as many events that hold, wherever it lies in a page, beside rows of either form."""
    found: list[tuple[object, int, bytes, int] | int] = []
    for ledger in (ALL_USUAL if at % 2 else MIXED, CLOSELY):
        rows = list(ledger)
        match what:
            case "drop":
                del rows[at]
            case "double":
                rows.insert(at, rows[at])
            case "swap":
                rows[at] = rows[at - 1]._replace(position=at + 1)
            case "body":
                rows[at] = rows[at]._replace(body=b"other")
            case "column":
                rows[at] = rows[at]._replace(copies=rows[at - 2].copies)
            case "bare":
                rows[at] = rows[at]._replace(copies=None)
            case _:
                pass
        judged = verify_rows(rows)
        holds = isinstance(judged, Summary)
        found.append(judged.events if holds else (judged.kind, judged.position, judged.stream_id, judged.version))
    assert found[0] == found[1]
    assert (found[0] == LONG) == (what in ("none", "bare")) or (what == "drop" and at == LONG - 1)


@given(st.lists(st.integers(1 << 49, (1 << 56) - 1), max_size=PAGE_ROWS))
def test_times_are_read_all_at_once_as_one_by_one(times: list[int]) -> None:
    """Whatever their bits, and however many of them make up a page."""
    assert [*varints_of_eight(b"".join(map(write_varint, times)))] == times


@given(
    index=st.integers(0, 7),
    at=st.integers(0, 400),
    mask=st.integers(1, 255),
    part=st.sampled_from(["envelope", "body"]),
    ledger=st.sampled_from([ROWS, USUAL]),
)
def test_any_byte_changed_in_a_stored_event_is_found_there(
    index: int, at: int, mask: int, part: str, ledger: list[Row]
) -> None:
    """At its own position, whatever the byte."""
    row = ledger[index]
    data: bytes = getattr(row, part)
    at %= len(data)
    changed = data[:at] + bytes((data[at] ^ mask,)) + data[at + 1 :]
    rows = [*ledger[:index], row._replace(**{part: changed}), *ledger[index + 1 :]]
    found = verify_rows(rows)
    assert isinstance(found, Fault)
    assert found.position == row.position


@given(index=st.integers(0, 6), ledger=st.sampled_from([ROWS, USUAL]))
def test_a_missing_event_is_found_at_its_position(index: int, ledger: list[Row]) -> None:
    """Inside the range; a missing end is for signed checkpoints to find."""
    found = verify_rows(ledger[:index] + ledger[index + 1 :])
    assert found == Fault(RowFault.POSITION, index + 1, b"", 0)


@pytest.mark.parametrize(
    "column", [{"version": 9}, {"type": "x"}, {"recorded_at": 1}, {"leaf_hash": bytes(32)}, {"stream_id": OTHER.bytes}]
)
@pytest.mark.parametrize("ledger", [ROWS, USUAL], ids=["unusual", "usual"])
def test_a_column_that_differs_from_its_envelope_is_found(column: dict[str, object], ledger: list[Row]) -> None:
    """The envelope is the truth; a copy beside it must say the same."""
    copies = ledger[3].copies
    assert copies is not None
    changed = ledger[3]._replace(copies=copies._replace(**column))  # pyright: ignore[reportArgumentType]
    found = verify_rows([*ledger[:3], changed, *ledger[4:]])
    assert found == Fault(RowFault.COLUMN, 4, RECORD.bytes, 3)


def test_an_event_of_another_ledger_is_found() -> None:
    """Also where it begins a stream of its own."""
    foreign = History(UUID(int=5), "ledger.example/east/1").add(b"", "ledger.v1.CareStarted", 9)
    found = verify_rows([*ROWS, Row(9, foreign.envelope, foreign.body)])
    assert isinstance(found, Fault)
    assert found.kind is RowFault.LEDGER_ORIGIN


def test_a_rewritten_event_breaks_the_chain_at_the_next_one() -> None:
    """An envelope rewritten to fit its new body no longer has the leaf that its successor names."""
    envelope = replace(decode(ROWS[1].envelope), body_sha256=sha256(b"forged").digest())
    forged = Row(2, encode(envelope), b"forged")
    found = verify_rows([ROWS[0], forged, *ROWS[2:]])
    assert found == Fault(FaultKind.PREV_LEAF, 4, RECORD.bytes, 3)


def test_a_walk_can_go_on_where_another_one_stood() -> None:
    """The two together say what one would have said."""
    first = LedgerWalk()
    for row in ROWS[:5]:
        assert first.take(row) is None
    said = first.summary()
    chains = first.chains
    second = LedgerWalk(
        position=5, origin=said.origin, digest=said.digest, chain_of=lambda seen: chains[seen.stream_id]
    )
    for row in ROWS[5:]:
        assert second.take(row) is None
    whole = verify_rows(ROWS)
    assert isinstance(whole, Summary)
    assert second.summary().digest == whole.digest


@pytest.mark.parametrize("all_at_once", [True, False])
def test_no_event_of_a_log_that_ended_is_taken_after_its_successor_began(*, all_at_once: bool) -> None:
    """In the page in which the log was succeeded, too, which was matched with the old one's beginning."""
    old, new = "north.example/1", "north.example/2"
    record, log = History(RECORD, origin=old), History(OTHER, origin=new)
    events = [record.add(b"1", USUAL_TYPE), record.add(b"2", USUAL_TYPE), log.add(b"3", LOG_SUCCEEDED)]
    record.origin = new
    events.append(record.add(b"4", USUAL_TYPE))
    record.origin = old
    events.append(record.add(b"5", USUAL_TYPE))
    rows = [
        Row(position, each.envelope, each.body, copies_of(decode(each.envelope), each.envelope))
        for position, each in enumerate(events, 1)
    ]
    walk = LedgerWalk()
    walk.take(rows[0])  # the walk knows the old log's beginning before it sees the page
    fault = walk.take_all(rows[1:])[1] if all_at_once else next(filter(None, map(walk.take, rows[1:])), None)
    assert fault == Fault(RowFault.LEDGER_ORIGIN, 5, RECORD.bytes, 4)
