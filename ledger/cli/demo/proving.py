"""A record proven to a stranger: its pack out of the signed log, checked without the service, refused once altered."""

from __future__ import annotations

import asyncio
from pathlib import Path

import grpc.aio
from rich.console import Console

from ledger.api.v1.proofs_pb2 import GetProofPackRequest
from ledger.api.v1.proofs_pb2_grpc import ProofServiceStub
from ledger.cli.demo.checks import Checks
from ledger.cli.demo.client import Client
from ledger.cli.demo.looking import StoryFailed
from ledger.cli.demo.signed_log import signed_up_to
from ledger.cli.log_store import own_logs
from ledger.cli.map_records import publish_map
from ledger.cli.proof_words import pack_words
from ledger.cli.service_address import bearer
from ledger.cli.service_secrets import reader_token
from ledger.config import Settings
from ledger.keys.key_folder import KeyFolder, read_sealed_key
from ledger.trust.note_key import KeyKind, VerifierKey
from ledger.trust.pack_check import PackTrust, check_pack_file
from ledger.trust.pack_fault import PackRefused
from ledger.trust.policy import NO_QUORUM, Peer, Policy


async def prove(
    client: Client, record_id: str, settings: Settings, file: Path, checks: Checks, console: Console
) -> VerifierKey:
    """Publishes a map of the hospital's records, takes the record's pack, and checks it as its receiver would.

    The log's key, by which anybody can check the pack again.
    """
    signed = await signed_up_to(settings, client.hospital, client.position)
    mapped = await publish_map(client.channel, own_logs(settings), client.hospital, signed.origin)
    if mapped is None:
        raise StoryFailed("the log had no records to map")
    client.acknowledged += 1
    client.position = max(client.position, mapped.position)
    signed = await signed_up_to(settings, client.hospital, mapped.position)
    data = await _pack(client.channel, client.hospital, record_id, settings.data_dir)
    await asyncio.to_thread(file.write_bytes, data)
    key = _log_key(settings, signed.origin)
    trust = PackTrust(Policy((Peer(key),), {}, {}, NO_QUORUM))
    statement = check_pack_file(data, trust)
    console.print(f"{file.name}, {len(data):,} bytes, checked with the log's key and nothing else:", highlight=False)
    for line in pack_words(statement):
        console.print(f"  {line}", highlight=False)
    checks.say(
        f"{client.hospital}: a record's proof pack holds without the service",
        holds=len(statement.envelopes) > 0,
        compared=f"{len(statement.envelopes)} events, root of {signed.size:,} leaves, map of {mapped.size:,}",
    )
    refused = _refused(data, trust)
    checks.say(
        f"{client.hospital}: the pack with one byte altered is refused",
        holds=bool(refused),
        compared=refused or "it was taken",
    )
    return key


def _log_key(settings: Settings, origin: str) -> VerifierKey:
    """The verifier key of the service's own log, as its operator would hand it out."""
    folder = KeyFolder(settings.log_keys or settings.data_dir / "keys")
    return read_sealed_key(folder.path_of(origin, KeyKind.ED25519)).verifier


async def _pack(channel: grpc.aio.Channel, hospital: str, record_id: str, folder: Path) -> bytes:
    request = GetProofPackRequest(hospital=hospital, record_id=record_id)
    return (await ProofServiceStub(channel).GetProofPack(request, metadata=bearer(reader_token(folder)))).pack


def _refused(data: bytes, trust: PackTrust) -> str:
    """What is said of the pack with one bit of its middle flipped; empty where it is taken."""
    place = len(data) // 2
    altered = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
    try:
        check_pack_file(altered, trust)
    except PackRefused as refused:
        return str(refused)
    return ""
