"""Answers of the edge's ArchiveService from the view archive_register."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from ledger.api.v1 import boards_pb2, common_pb2
from ledger.views.event import protobuf_time
from ledger.views.page_size import page_rows
from ledger.views.queries import RegisterFilter
from projections.archive_register.view import ArchiveRegister
from projections.pinned_order import PLACES_MAX, read_order, write_order
from projections.reading import ViewReader

_ORDERS = {
    boards_pb2.REGISTER_ORDER_RETAIN_UNTIL: "order_retain_until",
    boards_pb2.REGISTER_ORDER_CASE_NUMBER: "order_case_number",
}
"""Statements of the orders by what changes in a record; by registration nothing is to be pinned."""
_RUNNING = range(common_pb2.PHASE_REGISTERED, common_pb2.PHASE_ARCHIVED)
_NAMELESS = {common_pb2.PHASE_VOIDED, common_pb2.PHASE_DESTROYED}


class ArchiveQueries:
    """The archive register. Every answer waits for `min_position` first, as Freshness says."""

    def __init__(self, reader: ViewReader) -> None:
        self._reader = reader
        self._register = ArchiveRegister()

    async def archive_register(
        self, hospital: str, asked: RegisterFilter, page_size: int, page_token: str, min_position: int
    ) -> boards_pb2.ListArchiveRegisterResponse:
        """Records that pass the filter, in its order. BadPageSize, BadPageToken: a token is of one filter only."""
        limit, listed = page_rows(page_size), f"register {asked}"
        order = read_order(listed, page_token, (0,))
        kept = (asked.phase, asked.held, asked.lent, asked.retention_before, asked.sealed, asked.quality_passed)
        chosen = (*kept, asked.department, asked.sample)
        if order.marks is None:
            order = order.pinned(await self._places(hospital, asked.order, chosen, min_position))
        parameters = (*chosen, *order.parameters, limit + 1)
        rows = await self._reader.rows(hospital, self._register, "listed", parameters, min_position)
        more = write_order(listed, order, rows[limit - 1][22], rows[limit - 1][2]) if len(rows) > limit else ""
        return boards_pb2.ListArchiveRegisterResponse(rows=map(_register_row, rows[:limit]), next_page_token=more)

    async def _places(self, hospital: str, order: int, chosen: tuple[Any, ...], min_position: int) -> list[int]:
        # No two records are registered by one event: the position is mark and id in one.
        statement = _ORDERS.get(boards_pb2.RegisterOrder.ValueType(order))
        if statement is None:
            return []
        found = await self._reader.rows(hospital, self._register, statement, (*chosen, PLACES_MAX), min_position)
        return [position for (position,) in found]


def _register_row(row: tuple[Any, ...]) -> boards_pb2.RegisterRow:
    overlays: list[list[Any]] = row[21] or []
    return boards_pb2.RegisterRow(
        record_id=str(row[0]),
        record_version=row[1],
        head_leaf=row[3],
        case_number=row[4],
        visit_type=row[5],
        visit_sequence=row[6],
        phase=row[7],
        name=_name(row[7], archived=row[10] is not None),
        ended_at=protobuf_time(row[8]),
        submitted_at=protobuf_time(row[9]),
        archived_at=protobuf_time(row[10]),
        retention_class=row[11],
        retain_until=row[12],
        returns=row[13],
        score=row[14],
        grade=row[23],
        department=row[24],
        quality_passed=row[25],
        sample=row[26],
        sampled_at=protobuf_time(row[27]),
        copies=row[15],
        restricted=row[16] > 0,
        disposal=_disposal(*row[17:21]),
        holds=map(_hold, _of("hold", overlays)),
        seals=map(_seal, _of("seal", overlays)),
        loan=next(map(_loan, _of("loan", overlays)), None),
        papers=map(_paper, _of("paper", overlays)),
    )


def _name(phase: int, *, archived: bool) -> boards_pb2.RecordName.ValueType:
    """One record, two names: which it bears now."""
    if phase in _NAMELESS:
        return boards_pb2.RECORD_NAME_UNSPECIFIED
    running = phase in _RUNNING or not archived
    return boards_pb2.RECORD_NAME_RUNNING_RECORD if running else boards_pb2.RECORD_NAME_ARCHIVED_CASE


def _disposal(opinion: int, approved: bool, list_id: str, at: int | None) -> boards_pb2.RegisterDisposal | None:  # noqa: FBT001 - the columns of a row
    if not opinion and at is None:
        return None
    value = boards_pb2.RegisterDisposal(approved=approved, list_id=list_id, destroyed_at=protobuf_time(at))
    value.opinion = opinion  # pyright: ignore[reportAttributeAccessIssue] - a number that came from this enum
    return value


def _of(kind: str, overlays: list[list[Any]]) -> Iterator[list[Any]]:
    return (each for each in overlays if each[0] == kind)


def _hold(item: list[Any]) -> boards_pb2.RegisterHold:
    return boards_pb2.RegisterHold(hold_id=_id(item), authority=item[3], since=protobuf_time(item[2]))


def _seal(item: list[Any]) -> boards_pb2.RegisterSeal:
    return boards_pb2.RegisterSeal(seal_id=_id(item), mode=item[4], since=protobuf_time(item[2]))


def _loan(item: list[Any]) -> boards_pb2.RegisterLoan:
    return boards_pb2.RegisterLoan(
        loan_id=_id(item),
        borrower_id=item[3],
        out_of_house=bool(item[4]),
        due_on=item[5],
        since=protobuf_time(item[2]),
    )


def _paper(item: list[Any]) -> boards_pb2.RegisterPaper:
    return boards_pb2.RegisterPaper(scan_id=_id(item), shelf=item[3], since=protobuf_time(item[2]))


def _id(item: list[Any]) -> str:
    return str(UUID(item[1]))
