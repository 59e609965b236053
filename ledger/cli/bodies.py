"""How bodies are sealed and opened: the one place where the adapters of both ports are chosen."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import grpc.aio

from ledger.api.v1.keys_pb2 import UnsealPurpose
from ledger.config import BadSettings, Fault, Settings
from ledger.keys.consumers_file import read_consumers
from ledger.keys.key_file_keys import KeyFileKeys
from ledger.keys.key_rows import KeyRows, StreamOf
from ledger.keys.key_store import KeyStore
from ledger.keys.origin import hospital_of
from ledger.keys.remote_opener import RemoteOpener
from ledger.keys.sealers import KeyedOpener, KeyedSealer
from ledger.keys.secret_file import read_line_secret
from ledger.keys.unsealing import Unsealing
from ledger.store.connections import reader_pool, writer_pool
from ledger.store.reading import EventReader
from ledger.trust.sealing import Opener, Sealer

_log = logging.getLogger(__name__)
_RECORD_DESTROYED = "ledger.v1.RecordDestroyed"
_CHANNEL_OPTIONS = [("grpc.max_receive_message_length", 8 * 1024 * 1024)]


@dataclass(frozen=True, slots=True)
class Bodies:
    """What a process that has the keys seals and opens with."""

    keys: KeyStore
    sealer: Sealer
    opener: Opener


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
        rows = await events.read_positions(hospital_of(origin), position - 1, 1) if hospital_of(origin) else []
        return any((row.stream_id.bytes, row.type) == (stream_id, _RECORD_DESTROYED) for row in rows)

    keys = KeyStore(KeyRows(key_pool), encryption, is_destruction)
    try:
        yield Bodies(keys, KeyedSealer(keys), KeyedOpener(keys))
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


def unsealing_of(settings: Settings, opener: Opener) -> Unsealing:
    """What this process opens for others. Raises KeyFileUnusable, BadSettings."""
    return Unsealing(read_consumers(given(settings.unseal_consumers_file, "LEDGER_UNSEAL_CONSUMERS_FILE")), opener)


def given(file: Path | None, variable: str) -> Path:
    """The file of a setting that this program cannot do without. Raises BadSettings."""
    if file is None:
        raise BadSettings((Fault(variable, "missing"),))
    return file
