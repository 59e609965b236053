"""Proofs out of a hospital's log: hashes from its tiles, envelopes and bodies from its bundles.

The write side is asked for one thing alone, the positions of a record's events.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar
from uuid import UUID

from google.protobuf.message import Message

from ledger.api.v1 import proofs_pb2 as messages
from ledger.application.errors import UnknownRecord
from ledger.application.ledger import Ledger
from ledger.blobs.contract import BlobError
from ledger.log.record_maps import RecordMaps
from ledger.server.arguments import invalid, required_uuid
from ledger.server.caller import current_authorization
from ledger.server.errors import LogUnavailable, MapNotThere, NotInLogYet, PackTooLarge
from ledger.server.limits import Limits
from ledger.server.log_readers import Logs, admit
from ledger.server.map_choice import Disclose, MapChoice
from ledger.server.published_log import PublishedLog
from ledger.store.reading import ROWS_MAX, is_last_page
from ledger.trust.pack_making import PlacedEvent, RecordNotMapped, make_pack
from ledger.trust.proof_pack import PackEvent
from ledger.trust.tlog_proof import TlogProof

T = TypeVar("T")
_OF_THE_ANSWER = 16
"""Bytes of an answer beside the pack: the field's tag and length."""
Handler = Callable[[Any], Awaitable[Message]]


class Proofs:
    """Handlers of ProofService that are not commands."""

    def __init__(
        self,
        ledger: Ledger,
        logs: Logs,
        disclose: Disclose | None = None,
        pack_bytes_max: int = Limits.response_bytes_max,
    ) -> None:
        """`disclose` opens the events that publish maps, where bodies are sealed."""
        self._pack_bytes_max = pack_bytes_max - _OF_THE_ANSWER
        self._ledger = ledger
        self._logs = logs.own
        self._readers = logs.readers
        self._maps = MapChoice(disclose)

    def queries(self) -> Mapping[str, Handler]:
        """The handlers by the full name of their method."""
        service = "ledger.api.v1.ProofService/"
        handlers: dict[str, Handler] = {
            "GetInclusionProof": self.get_inclusion_proof,
            "GetConsistencyProof": self.get_consistency_proof,
            "GetTlogProof": self.get_tlog_proof,
            "GetProofPack": self.get_proof_pack,
        }
        return {service + name: _where_the_store_answers(handler) for name, handler in handlers.items()}

    async def get_inclusion_proof(
        self, request: messages.GetInclusionProofRequest
    ) -> messages.GetInclusionProofResponse:
        """That the event at a position is in the log."""
        proof, envelope = await self._proof(request.hospital, request.position)
        return messages.GetInclusionProofResponse(
            index=proof.index, envelope=envelope, hashes=proof.hashes, checkpoint=proof.note.encode()
        )

    async def get_tlog_proof(self, request: messages.GetTlogProofRequest) -> messages.GetTlogProofResponse:
        """The same as a file."""
        proof, envelope = await self._proof(request.hospital, request.position)
        return messages.GetTlogProofResponse(proof=proof.encode(), envelope=envelope)

    async def get_consistency_proof(
        self, request: messages.GetConsistencyProofRequest
    ) -> messages.GetConsistencyProofResponse:
        """That the log has only grown since a size."""
        log = await self._log(request.hospital)
        if request.old_size > log.size:
            raise NotInLogYet(request.old_size, log.size)
        hashes = await log.asked(lambda: log.tiles.consistency(request.old_size))
        return messages.GetConsistencyProofResponse(hashes=hashes, checkpoint=log.note.encode())

    async def get_proof_pack(self, request: messages.GetProofPackRequest) -> messages.GetProofPackResponse:
        """A record whole, up to the published checkpoint. Raises PackTooLarge, before all of it is in memory."""
        record_id = required_uuid(request.record_id, "record_id")
        log = await self._entries_of(request.hospital)
        maps = RecordMaps(self._logs.blobs, await self._ledger.log_folder(request.hospital))
        published = await self._maps.of(log, maps, request.map_position)
        events = await self._events(request.hospital, record_id, with_bodies=request.with_bodies)
        try:
            pack = await log.asked(lambda: make_pack(record_id.bytes, events, published, log.note, log.read))
        except RecordNotMapped:
            raise MapNotThere from None
        data = pack.encode()
        self._require_room(len(data))
        return messages.GetProofPackResponse(pack=data)

    async def _proof(self, hospital: str, position: int) -> tuple[TlogProof, bytes]:
        log = await self._entries_of(hospital)
        if position == 0:
            raise invalid("position", "REQUIRED", "positions begin at 1")
        if position > log.size:
            raise NotInLogYet(position, log.size)
        hashes = await log.asked(lambda: log.tiles.inclusion(position - 1))
        envelope, _ = await log.event(position)
        return TlogProof(position - 1, hashes, log.note), envelope

    async def _entries_of(self, hospital: str) -> PublishedLog:
        """As `_log`, for a reader of its entries, as the files of the log ask for. ReaderUnknown, ReaderNotAllowed."""
        admit(self._readers, hospital, current_authorization.get() or "")
        return await self._log(hospital)

    async def _log(self, hospital: str) -> PublishedLog:
        """The log at its published checkpoint. Raises UnknownHospital, NotInLogYet where nothing is published,
        LogDamaged where what is published is not ours.
        """
        origin = await self._ledger.origin_of(hospital)
        head = await asyncio.to_thread(self._logs.published, hospital, origin)
        if head is None:
            raise NotInLogYet(1, 0)
        return PublishedLog(self._logs.files(hospital, origin), head)

    async def _events(self, hospital: str, record_id: UUID, *, with_bodies: bool) -> list[PlacedEvent]:
        events: list[PlacedEvent] = []
        size = 0
        while True:
            page = await self._ledger.read_stream(hospital, record_id, len(events), ROWS_MAX)
            for row in page:
                event = PackEvent(row.envelope, row.body if with_bodies else b"")
                size += len(event.envelope) + len(event.body)
                events.append(PlacedEvent(row.position - 1, event))
            self._require_room(size)
            if is_last_page(page, ROWS_MAX):
                break
        if not events:
            raise UnknownRecord(record_id)
        return events

    def _require_room(self, size: int) -> None:
        if size > self._pack_bytes_max:
            raise PackTooLarge(size, self._pack_bytes_max)


def _where_the_store_answers(handler: Handler) -> Handler:
    async def handle(request: Message) -> Message:
        try:
            return await handler(request)
        except BlobError as error:
            raise LogUnavailable from error

    return handle
