"""Answers of the service as tables for people."""

from __future__ import annotations

from google.protobuf.timestamp_pb2 import Timestamp
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from ledger.api.v1 import boards_pb2, transfers_pb2
from ledger.api.v1.common_pb2 import Phase, TransferState, VisitType


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, box=SIMPLE_HEAD, title_justify="left")
    for column in columns:
        table.add_column(column)
    return table


def print_board(board: boards_pb2.GetDepartmentBoardResponse, title: str, console: Console) -> None:
    """A department board."""
    table = _table(title, "case", "visit", "phase", "bed", "physician", "entries", "open cons.", "latest entry")
    for row in board.rows:
        table.add_row(
            row.case_number,
            _visit(row.visit_type),
            _phase(row.phase),
            row.bed,
            row.responsible,
            str(row.entries),
            str(row.open_consultations),
            row.latest_entry[:32],
        )
    console.print(table)


def print_register(register: boards_pb2.ListArchiveRegisterResponse, title: str, console: Console) -> None:
    """Rows of the archive register."""
    table = _table(title, "case", "visit", "phase", "archived", "class", "keep until", "score", "head")
    for row in register.rows:
        table.add_row(
            row.case_number,
            f"{_visit(row.visit_type)} {row.visit_sequence}",
            _phase(row.phase),
            _time(row.archived_at) if row.HasField("archived_at") else "",
            row.retention_class,
            row.retain_until,
            str(row.score or ""),
            row.head_leaf.hex()[:12],
        )
    console.print(table)


def print_episodes(index: boards_pb2.GetPatientIndexResponse, title: str, console: Console) -> None:
    """A patient's episodes."""
    table = _table(title, "visit", "phase", "departments", "from", "to", "entries")
    for row in index.episodes:
        table.add_row(
            f"{_visit(row.visit_type)} {row.visit_sequence}",
            _phase(row.phase),
            ", ".join(row.departments),
            _time(row.started_at) if row.HasField("started_at") else "",
            _time(row.ended_at) if row.HasField("ended_at") else "",
            str(row.entries),
        )
    console.print(table)


def print_transfers(listed: transfers_pb2.ListTransfersResponse, title: str, console: Console) -> None:
    """Transfers of one side."""
    table = _table(title, "transfer", "direction", "with", "state", "record version", "bytes", "package SHA-256")
    for row in listed.transfers:
        table.add_row(
            row.transfer_id[:8],
            row.direction,
            row.counterpart,
            TransferState.Name(row.state).removeprefix("TRANSFER_STATE_") + (", outdated" if row.outdated else ""),
            str(row.record_version),
            f"{row.package_size:,}",
            row.package_sha256.hex()[:16],
        )
    console.print(table)


def _visit(value: VisitType.ValueType) -> str:
    return VisitType.Name(value).removeprefix("VISIT_TYPE_").lower()


def _phase(value: Phase.ValueType) -> str:
    return Phase.Name(value).removeprefix("PHASE_")


def _time(stamp: Timestamp) -> str:
    return f"{stamp.ToDatetime():%Y-%m-%d %H:%M}"
