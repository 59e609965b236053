"""Replays a hospital's ledger into files, checking it on the way; can be stopped and started again at any moment."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from consumers.archive_office.archived_tree import ArchivedTree
from consumers.archive_office.shelf import Shelf
from consumers.patience import Patience, ServiceUnavailable
from ledger.api.v1.stream_pb2 import ReadHospitalRequest, StoredEvent
from ledger.trust.checkpoint import Checkpoint
from ledger.trust.sealing import Opener
from ledger.trust.verify import Fault, LedgerWalk, Row, Summary

if TYPE_CHECKING:
    from ledger.api.v1.stream_pb2_grpc import StreamServiceAsyncStub


_BATCH_EVENTS = 500
_EVENTS_BETWEEN_MANIFESTS = 20_000


class ArchiveStopped(Exception):
    """The ledger that was read does not hold; nothing behind the last manifest was put into the archive."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(f"{ArchiveStopped.__doc__} {fault}")
        self.fault = fault


@dataclass(frozen=True, slots=True)
class ArchiveRun:
    """What one run added, and what the archive then holds."""

    added: Summary
    records: int
    events: int
    head_position: int
    checkpoint: Checkpoint | None
    """The head of the log that the archive was compared with; None where it was asked for none."""


class ArchiveOffice:
    """Writes the archive of one hospital."""

    def __init__(
        self,
        hospital: str,
        *,
        stub: StreamServiceAsyncStub,
        folder: Path,
        opener: Opener,
        patience: Patience,
        checkpoint: Checkpoint | None = None,
    ) -> None:
        """`checkpoint`: a head of the hospital's log that was accepted (`consumers.checkpoints`), to compare with.

        BadManifest or ArchiveFileChanged where the folder holds something else than an archive of this hospital."""
        self._hospital = hospital
        self._stub = stub
        self._opener = opener
        self._patience = patience
        self._shelf = Shelf(folder, hospital)
        self._walk = LedgerWalk(
            position=self._shelf.manifest.head_position,
            origin=self._shelf.manifest.origin,
            digest=bytes.fromhex(self._shelf.manifest.digest),
            chain_of=lambda seen: self._shelf.chain_of(seen.stream_id),
        )
        self._tree = ArchivedTree(folder, self._shelf.manifest, checkpoint)

    async def run(self) -> ArchiveRun:
        """Takes everything up to the head of now.

        ArchiveStopped at the first fault, ArchiveDiffers where the log has signed another history, ServiceUnavailable
        where the service does not answer.
        """
        while not await self._read_to_the_end():
            pass
        self._tree.require_compared()
        self._write_manifest()
        manifest = self._shelf.manifest
        return ArchiveRun(
            self._walk.summary(), len(manifest.records), manifest.events, manifest.head_position, self._tree.checkpoint
        )

    async def _read_to_the_end(self) -> bool:
        """Whether the end was reached; one that breaks off again and again is read on as long as it brings more."""
        before = self._walk.position
        try:
            await self._patience.call("ReadHospital", self._read_on)
        except ServiceUnavailable:
            if self._walk.position == before:
                raise
            return False
        return True

    async def _read_on(self, idle_seconds_max: float) -> None:
        """From behind the last event taken, so that a broken stream costs nothing twice. TimeoutError where it is mute.

        The whole may take as long as it takes; what is bounded is the wait for the next batch.
        """
        request = ReadHospitalRequest(
            hospital=self._hospital, after_position=self._walk.position, batch_size=_BATCH_EVENTS
        )
        call = self._stub.ReadHospital(request)
        batches = aiter(call)
        try:
            while response := await asyncio.wait_for(anext(batches, None), idle_seconds_max):
                await self._take(response.events)
        finally:
            call.cancel()

    async def _take(self, events: Sequence[StoredEvent]) -> None:
        """The whole batch is opened and checked before a byte of it is written."""
        openings = await self._opener.open([(event.envelope, event.body) for event in events])
        leaves, fault = self._walk.take_all(Row(each.position, each.envelope, each.body) for each in events)
        for leaf in leaves:
            self._tree.take(leaf)
        if fault:
            raise ArchiveStopped(fault)
        self._shelf.put(zip(events, openings, strict=True))
        if self._walk.position - self._shelf.manifest.head_position >= _EVENTS_BETWEEN_MANIFESTS:
            self._write_manifest()

    def _write_manifest(self) -> None:
        summary = self._walk.summary()
        self._shelf.commit(summary.origin, summary.last_position, summary.digest, self._tree.peaks)
