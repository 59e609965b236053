"""The handlers of one server process, found for every method of the contract."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any
from uuid import uuid4

from google.protobuf.message import Message
from prometheus_client import CollectorRegistry

from ledger.application.ledger import Ledger
from ledger.log.own_heads import OwnLogs
from ledger.server.actor_register import ActorRegister
from ledger.server.allowed_actions import AllowedActions
from ledger.server.bulk_load import BulkLoad
from ledger.server.call_metrics import CallMetrics
from ledger.server.calls import Calls, ServedClientStream, ServedServerStream, ServedUnary
from ledger.server.commands import Commands
from ledger.server.disposal_lists import DisposalLists
from ledger.server.entry_signatures import EntrySignatures
from ledger.server.errors import ViewNotServedHere
from ledger.server.event_streams import EventStreams
from ledger.server.head_watch import HeadWatch
from ledger.server.hospitals import Hospitals
from ledger.server.limits import Limits
from ledger.server.log_states import LogStates
from ledger.server.method import Method, Shape, methods
from ledger.server.old_ranges import OldRanges
from ledger.server.packages import Packages
from ledger.server.patient_reads import PatientReads
from ledger.server.raw_bundles import RawBundles
from ledger.server.read_meter import ReadMeter
from ledger.server.reader_reports import ReaderReports
from ledger.server.record_reads import RecordReads
from ledger.server.rulebook import Rulebook
from ledger.server.service_status import ServiceStatus
from ledger.server.terms import Terms

Query = Callable[[Any], Awaitable[Message]]
"""A view's answer to one method: takes the request message, gives the response message."""

Served = ServedUnary | ServedServerStream | ServedClientStream


class Edge:
    """Every method of the contract with what serves it.

    `queries` holds the handlers of views by the full name of their method, for example
    `ledger.api.v1.BoardService/GetDepartmentBoard`; a method without a handler answers UNIMPLEMENTED. Without
    `own_logs` this process knows of no logs.
    """

    def __init__(
        self,
        ledger: Ledger,
        queries: Mapping[str, Query],
        registry: CollectorRegistry,
        limits: Limits | None = None,
        own_logs: OwnLogs | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self.heads = HeadWatch(ledger.head)
        logs = None if own_logs is None else LogStates(ledger, own_logs)
        old = None if own_logs is None else OldRanges(own_logs, ledger.origin_of)
        self.status = ServiceStatus(ledger, queries, logs)
        self._ledger = ledger
        self._queries = queries
        self._commands = Commands(ledger, self.heads, logs)
        self.reads = ReadMeter(ledger, uuid4())
        self._calls = Calls(self.limits, CallMetrics(registry), self.reads)
        self._handlers: tuple[object, ...] = (
            RecordReads(ledger),
            PatientReads(ledger),
            AllowedActions(ledger),
            Terms(ledger),
            BulkLoad(self._commands, self.limits),
            ActorRegister(ledger),
            Hospitals(ledger),
            EventStreams(ledger, self.heads, self.limits, old),
            RawBundles(ledger, self.limits, old),
            Packages(ledger),
            ReaderReports(ledger),
            DisposalLists(ledger),
            EntrySignatures(ledger),
            Rulebook(ledger),
            self.status,
        )
        self.served: dict[Method, Served] = {each: self._served(each) for each in methods()}

    async def ping(self) -> None:
        """Asks the store for something small. Raises what that raises."""
        await self._ledger.hospitals()

    def close(self) -> None:
        """Ends the streams that follow a hospital."""
        self.heads.close()

    def _served(self, method: Method) -> Served:
        handler = self._handler(method)
        match method.shape:
            case Shape.UNARY:
                return self._calls.unary(method, handler)
            case Shape.SERVER_STREAM:
                return self._calls.server_stream(method, handler)
            case Shape.CLIENT_STREAM:
                return self._calls.client_stream(method, handler)

    def _handler(self, method: Method) -> Callable[[Any], Any]:
        if method.is_command:
            return self._commands.handler(method)
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", method.name).lower()
        for each in self._handlers:
            if hasattr(each, name):
                return getattr(each, name)
        return self._queries.get(method.rpc) or partial(_not_served, method.rpc)


async def _not_served(rpc: str, _: Message) -> Message:
    raise ViewNotServedHere(rpc)
