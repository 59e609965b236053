"""How bodies are sealed and opened: the one place where the adapters of both ports are chosen."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import grpc.aio

from ledger.api.v1.keys_pb2 import UNSEAL_PURPOSE_ARCHIVE, UnsealPurpose
from ledger.clock import clock_of
from ledger.config import BadSettings, Fault, Settings
from ledger.keys.consumers_file import Consumers, read_consumers
from ledger.keys.erasing import RECORD_DESTROYED, Erasing
from ledger.keys.held_back import HeldBack
from ledger.keys.key_file_keys import KeyFileKeys
from ledger.keys.key_rows import KeyRows, StreamOf
from ledger.keys.key_store import KeyStore
from ledger.keys.origin import hospital_of
from ledger.keys.purge_rows import PurgeRows
from ledger.keys.remote_opener import RemoteOpener
from ledger.keys.sealers import EventPlace, KeyedOpener, KeyedSealer
from ledger.keys.secret_file import read_line_secret
from ledger.keys.upheld import UpheldDestructions
from ledger.store.connections import reader_pool, writer_pool
from ledger.store.reading import EventReader
from ledger.trust.lineage import LOG_SUCCEEDED
from ledger.trust.sealing import Opener, Sealer

_log = logging.getLogger(__name__)
_CHANNEL_OPTIONS = [("grpc.max_receive_message_length", 8 * 1024 * 1024)]


@dataclass(frozen=True, slots=True)
class Bodies:
    """What a process that has the keys seals and opens with."""

    keys: KeyStore
    key_rows: KeyRows
    encryption: KeyFileKeys
    purges: PurgeRows
    events: EventReader
    upheld: UpheldDestructions
    held_back: HeldBack
    sealer: Sealer
    opener: Opener
    checking: Opener
    """Opens also what is held back: for who asks whether an event is one of this ledger, and shows it to nobody."""


@asynccontextmanager
async def bodies_with_keys(settings: Settings) -> AsyncGenerator[Bodies]:
    """With the keys themselves, for `ledger serve` alone. Raises KeyFileUnusable, BadSettings."""
    key_file = given(settings.key_file, "LEDGER_KEY_FILE")
    passphrase_file = given(settings.key_passphrase_file, "LEDGER_KEY_PASSPHRASE_FILE")
    encryption = KeyFileKeys(key_file, passphrase_file)
    if encryption.content.due(datetime.now(UTC)):
        _log.warning("the newest key-encryption key is due to be followed", extra={"file": str(key_file)})
    key_pool, event_pool = writer_pool(settings.postgres_keys_url), reader_pool(settings.postgres_append_url)
    events = EventReader(event_pool)

    async def is_destruction(stream: StreamOf, position: int) -> bool:
        origin, stream_id = stream
        hospital = hospital_of(origin)
        rows = await events.read_positions(hospital, position - 1, 1) if hospital else []
        if any((row.stream_id.bytes, row.type) == (stream_id, RECORD_DESTROYED) for row in rows):
            return True
        gave_up = any(row.position == position and row.type == LOG_SUCCEEDED for row in rows)
        if gave_up and await events.stream_head(hospital, UUID(bytes=stream_id)) is None:
            return True  # by `keys lost`: a record that was given up whole
        # Lost with a log that ended: its successor says so.
        return await upheld.by(stream) == position

    async def leaves_of(places: Sequence[EventPlace]) -> dict[EventPlace, bytes]:
        found: dict[EventPlace, bytes] = {}
        for origin in {origin for origin, _, _ in places if hospital_of(origin)}:
            versions = [(UUID(bytes=stream_id), version) for of, stream_id, version in places if of == origin]
            leaves = await events.leaves_of(hospital_of(origin), versions)
            found |= {(origin, stream_id.bytes, version): leaf for (stream_id, version), leaf in leaves.items()}
        return found

    key_rows, purges = KeyRows(key_pool), PurgeRows(key_pool, encryption.current)
    keys = KeyStore(key_rows, encryption, is_destruction)
    upheld = UpheldDestructions(keys, events)
    held_back, checking = HeldBack(key_pool), KeyedOpener(keys, purges, leaves_of)
    opener = KeyedOpener(keys, purges, leaves_of, held_back)
    try:
        yield Bodies(keys, key_rows, encryption, purges, events, upheld, held_back, KeyedSealer(keys), opener, checking)
    finally:
        await keys.close()
        await key_pool.close()
        await event_pool.close()


@asynccontextmanager
async def remote_opener(settings: Settings, purpose: UnsealPurpose.ValueType) -> AsyncGenerator[Opener]:
    """Through the KeyService of this service, with this program's token. Raises KeyFileUnusable, BadSettings."""
    async with grpc.aio.insecure_channel(settings.grpc_listen, options=_CHANNEL_OPTIONS) as channel:
        yield opener_over(channel, settings, purpose)


def opener_over(channel: grpc.aio.Channel, settings: Settings, purpose: UnsealPurpose.ValueType) -> Opener:
    """The same over a channel that is there already."""
    token_file = given(settings.unseal_token_file, "LEDGER_UNSEAL_TOKEN_FILE")
    return RemoteOpener(channel, read_line_secret(token_file).decode(), purpose)


def consumers_of(settings: Settings) -> Consumers:
    """For whom this process opens bodies. Raises KeyFileUnusable, BadSettings."""
    return read_consumers(given(settings.unseal_consumers_file, "LEDGER_UNSEAL_CONSUMERS_FILE"))


def erasing_of(settings: Settings, bodies: Bodies, consumers: Consumers) -> Erasing:
    """What destroys keys in this process; whoever may write a hospital's archive files holds all its records."""

    def offices(hospital: str) -> tuple[str, ...]:
        return consumers.named_for(UNSEAL_PURPOSE_ARCHIVE, hospital)

    clock = clock_of(settings.clock_file)
    return Erasing(bodies.keys, bodies.purges, bodies.events, offices, clock, bodies.upheld, bodies.held_back)


def given(file: Path | None, variable: str) -> Path:
    """The file of a setting that this program cannot do without. Raises BadSettings."""
    if file is None:
        raise BadSettings((Fault(variable, "missing"),))
    return file
