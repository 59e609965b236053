"""Tells the service how a reader fares, so that whoever looks at its status need not look for the reader's files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from consumers.patience import Patience
from ledger.api.v1.stream_pb2 import ReaderStatus, ReportReaderRequest

if TYPE_CHECKING:
    from ledger.api.v1.stream_pb2_grpc import OperationsServiceAsyncStub


@dataclass(slots=True)
class ReaderReport:
    """One reader of one hospital; says only what differs from what it said last."""

    stub: OperationsServiceAsyncStub
    hospital: str
    reader: str
    patience: Patience
    _said: tuple[str, int, int] | None = field(default=None, init=False)

    async def say(self, state: str, dead_letters: int = 0, waiting: int = 0) -> None:
        """One of `ReaderStatus`, with the figures. Raises ServiceUnavailable, AioRpcError."""
        if (state, dead_letters, waiting) == self._said:
            return
        status = ReaderStatus(reader=self.reader, state=state, dead_letters=dead_letters, waiting=waiting)
        request = ReportReaderRequest(hospital=self.hospital, status=status)
        await self.patience.call("ReportReader", lambda seconds: self.stub.ReportReader(request, timeout=seconds))
        self._said = (state, dead_letters, waiting)
