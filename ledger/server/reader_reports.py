"""Takes what readers of the published stream say of themselves, and shows it beside the views."""

from __future__ import annotations

import re

from ledger.api.v1.stream_pb2 import GetStatusResponse, ReaderStatus, ReportReaderRequest, ReportReaderResponse
from ledger.application.ledger import Ledger
from ledger.application.message_codec import to_timestamp
from ledger.domain.faults import Faults
from ledger.store.reader_states import ReaderState

READERS = frozenset(
    {"transfers", "receiving-hospital", "transfer-answers", "deadline-clock", "archive-office", "monitor"}
)
RECIPIENT = re.compile(r"recipient:[a-z][a-z0-9-]{1,30}")
"""A hospital that receives from the one it reports on, wherever it is run."""
STATES = frozenset({"running", "stopped", "gap", "forked", "unproven"})
_COUNT_MAX = 2**31 - 1


class ReaderReports:
    """The handler of OperationsService.ReportReader."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def report_reader(self, request: ReportReaderRequest) -> ReportReaderResponse:
        """Keeps the newest report of each reader of a hospital."""
        said, faults = request.status, Faults()
        if said.reader not in READERS and not RECIPIENT.fullmatch(said.reader):
            faults.add("status.reader", "UNKNOWN_VALUE", f"recipient:HOSPITAL, or one of {', '.join(sorted(READERS))}")
        if said.state not in STATES:
            faults.add("status.state", "UNKNOWN_VALUE", f"one of {', '.join(sorted(STATES))}")
        for field, count in (("dead_letters", said.dead_letters), ("waiting", said.waiting)):
            if count > _COUNT_MAX:
                faults.add(f"status.{field}", "OUT_OF_RANGE", f"at most {_COUNT_MAX}")
        faults.refuse_if_any()
        figures = (said.dead_letters, said.waiting)
        await self._ledger.require(request.hospital)
        await self._ledger.notes.keep_reader_state(request.hospital, said.reader, said.state, *figures)
        return ReportReaderResponse()


def add_readers(response: GetStatusResponse, states: list[ReaderState]) -> None:
    """Puts the readers of each hospital into its status."""
    for hospital in response.hospitals:
        hospital.readers.extend(_status(each) for each in states if each.hospital == hospital.hospital)


def _status(each: ReaderState) -> ReaderStatus:
    return ReaderStatus(
        reader=each.reader,
        state=each.state,
        dead_letters=each.dead_letters,
        waiting=each.waiting,
        reported_at=to_timestamp(each.reported_at),
    )
