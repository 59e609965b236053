"""`ledger export`: a record's proof pack, and the folder of evidence that a court gets."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import click
import grpc.aio
from google.protobuf.message import DecodeError

from consumers.patience import ServiceUnavailable
from ledger.api.v1.proofs_pb2 import GetProofPackRequest, GetTlogProofRequest
from ledger.api.v1.proofs_pb2_grpc import ProofServiceStub
from ledger.api.v1.stream_pb2 import ReadRecordRequest
from ledger.api.v1.stream_pb2_grpc import StreamServiceStub
from ledger.cli.errors_shown import shown_errors
from ledger.cli.export.audit_note import newest_audit
from ledger.cli.export.certified_files import certified_files, without_version
from ledger.cli.export.judge_page import judge_page
from ledger.cli.export.opened_bodies import opened_bodies
from ledger.cli.export.rule_files import NotARule, rule_files, rulebook_id
from ledger.cli.export.signers import signers_of
from ledger.cli.export.tool_versions import tool_versions
from ledger.cli.service_address import address_option, reader_metadata, token_file_option, unseal_token
from ledger.cli.trusted_keys import LogKey, required_policy, trust_options
from ledger.telemetry.clock_source import clock_state
from ledger.trust.note_key import VerifierKey
from ledger.trust.pack_check import PackStatement, PackTrust, check_pack_file
from ledger.trust.pack_fault import PackRefused
from ledger.trust.proof_pack import parse_proof_pack

_RESPONSE_BYTES_MAX = 8 * 1024 * 1024
_hospital = click.option("--hospital", required=True, help="Hospital whose ledger it is.")
_audit = click.option(
    "--audit",
    type=click.Path(path_type=Path, exists=True),
    help="A monitor's signed note, or its folder of notes: the pack is of the newest map found right there, not of the "
    "newest published.",
)
_bodies = click.option("--with-bodies", is_flag=True, help="Put the bodies in, as they are stored.")


class Asked(NamedTuple):
    """The service that is asked, and as whom."""

    address: str
    reader: tuple[tuple[str, str], ...]


@click.group()
def export() -> None:
    """Write files by which a stranger checks a record or an event, offline."""


@export.command()
@click.argument("record", type=click.UUID)
@_hospital
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="File to write.")
@_bodies
@_audit
@token_file_option
@address_option
def proof(
    record: UUID,
    hospital: str,
    out: Path,
    with_bodies: bool,
    audit: Path | None,
    token_file: Path | None,
    address: str,
) -> None:
    """Write the proof pack of RECORD. `ledger verify pack` checks it."""
    data = _pack(Asked(address, reader_metadata(token_file)), hospital, record, audit, with_bodies=with_bodies)
    _write(out, data)
    click.echo(f"{len(data):,} bytes in {out}")


@export.command()
@click.argument("position", type=click.IntRange(min=1))
@_hospital
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The .tlog-proof to write.")
@token_file_option
@address_option
def event(position: int, hospital: str, out: Path, token_file: Path | None, address: str) -> None:
    """Write the .tlog-proof of the event at POSITION, and its envelope beside it (`.envelope`)."""
    reader = reader_metadata(token_file)

    async def read() -> tuple[bytes, bytes]:
        async with grpc.aio.insecure_channel(address) as channel:
            request = GetTlogProofRequest(hospital=hospital, position=position)
            answer = await ProofServiceStub(channel).GetTlogProof(request, metadata=reader)
            return answer.proof, answer.envelope

    with shown_errors():
        proof_bytes, envelope = asyncio.run(read())
    _write(out, proof_bytes)
    _write(out.with_name(out.name + ".envelope"), envelope)
    click.echo(f"{out} and {out.name}.envelope")


@export.command()
@click.argument("record", type=click.UUID)
@_hospital
@click.option(
    "--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder to make; it must not exist."
)
@_bodies
@_audit
@trust_options
@click.option("--monitor", "monitors", type=LogKey(), multiple=True, help="Key of a monitor whose word on maps counts.")
@click.option("--names", is_flag=True, help="Have the bodies opened (purpose inspection), to name who acted.")
@token_file_option
@address_option
def evidence(
    record: UUID,
    hospital: str,
    out: Path,
    with_bodies: bool,
    audit: Path | None,
    key: VerifierKey | None,
    policy: Path | None,
    monitors: tuple[VerifierKey, ...],
    names: bool,
    token_file: Path | None,
    address: str,
) -> None:
    """Write the evidence on RECORD: pack, signers, times, tools and a page of explanation. It is checked first.

    Beside it the pack of the hospital's rulebook, and with --names its texts: by which rules and templates the record
    was written. With --names a token for having bodies opened is needed: --dir, or LEDGER_UNSEAL_TOKEN_FILE.
    """
    trust, service = PackTrust(required_policy(key, policy), monitors), Asked(address, reader_metadata(token_file))
    opened = _opened(service, hospital, record) if names else {}
    data = _pack(service, hospital, record, audit, with_bodies=with_bodies)
    statement, rules = _checked(data, trust), _rules(service, hospital)
    book = _pack(service, hospital, rules, audit, with_bodies=with_bodies) if rules else None
    if book is not None:
        _checked(book, trust)
    texts = _rule_texts(_proven(book, _opened(service, hospital, rules))) if rules and book and names else {}
    tools = [*tool_versions(), ("clock of the machine that made this", clock_state().words())]
    page = judge_page(statement, signers_of(parse_proof_pack(data), opened), tools, datetime.now(UTC))
    try:
        out.mkdir()
    except OSError as error:
        raise click.ClickException(f"{out}: {error.strerror}") from error
    _write(out / "record.proof-pack", data)
    _write(out / "evidence.html", page.encode())
    if policy is not None:
        _write(out / "policy.txt", policy.read_bytes())
    if book is not None:
        _write(out / "rulebook.proof-pack", book)
    for name, text in texts.items():
        _write(out / "rules" / name, text.encode())
    click.echo(f"evidence in {out}")


@export.command()
@click.argument("record", type=click.UUID)
@_hospital
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder to make.")
@token_file_option
@address_option
def signatures(record: UUID, hospital: str, out: Path, token_file: Path | None, address: str) -> None:
    """Write the signatures by certificate of RECORD, with the bytes that were signed, for `openssl cms -verify`.

    A token for having bodies opened is needed: --dir, or LEDGER_UNSEAL_TOKEN_FILE.
    """
    opened = _opened(Asked(address, reader_metadata(token_file)), hospital, record)
    if strange := without_version(opened):
        raise click.ClickException(f"signed over what no event of the record says: {', '.join(strange)}")
    files = certified_files(opened)
    try:
        out.mkdir()
    except OSError as error:
        raise click.ClickException(f"{out}: {error.strerror}") from error
    for name, data in files.items():
        _write(out / name, data)
    count = sum(name.endswith(".cms") for name in files)
    click.echo(f"{count} {'signature' if count == 1 else 'signatures'} in {out}; docs/formats.md says how to check one")


def _checked(data: bytes, trust: PackTrust) -> PackStatement:
    try:
        return check_pack_file(data, trust)
    except PackRefused as refused:
        raise click.ClickException(f"the pack does not hold under your keys: {refused}") from refused


def _rules(service: Asked, hospital: str) -> UUID | None:
    async def read() -> str:
        async with grpc.aio.insecure_channel(service.address) as channel:
            return await rulebook_id(channel, hospital)

    with shown_errors():
        found = asyncio.run(read())
    return UUID(found) if found else None


def _proven(book: bytes, opened: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """What opened of the very events that the checked pack proves."""
    events = [each.envelope for each in parse_proof_pack(book).events]
    if any(each not in opened for each in events):
        raise click.ClickException("the service proves rules that it does not open")
    return {each: opened[each] for each in events}


def _rule_texts(opened: dict[bytes, bytes]) -> dict[str, str]:
    try:
        return rule_files(opened)
    except (NotARule, DecodeError) as error:
        raise click.ClickException("the service opened something else than a rulebook") from error


def _pack(service: Asked, hospital: str, record: UUID, audit: Path | None, *, with_bodies: bool) -> bytes:
    said = newest_audit(audit) if audit else None

    async def read() -> bytes:
        options = [("grpc.max_receive_message_length", _RESPONSE_BYTES_MAX)]
        async with grpc.aio.insecure_channel(service.address, options=options) as channel:
            position = said.map_position if said else 0
            request = GetProofPackRequest(hospital=hospital, record_id=str(record), map_position=position)
            pack = (await ProofServiceStub(channel).GetProofPack(request, metadata=service.reader)).pack
            return await _with_bodies(pack, channel, hospital, record) if with_bodies else pack

    with shown_errors():
        data = asyncio.run(read())
    return said.put_into(data) if said else data


def _opened(service: Asked, hospital: str, record: UUID) -> dict[bytes, bytes]:
    token = unseal_token()

    async def read() -> dict[bytes, bytes]:
        async with grpc.aio.insecure_channel(service.address) as channel:
            return await opened_bodies(channel, token, await _stored_bodies(channel, hospital, record))

    try:
        with shown_errors():
            return asyncio.run(read())
    except ServiceUnavailable as error:
        raise click.ClickException(str(error)) from error


async def _stored_bodies(channel: grpc.aio.Channel, hospital: str, record: UUID) -> dict[bytes, bytes]:
    """By envelope the bodies as stored, which come as a stream: together they may be large."""
    bodies: dict[bytes, bytes] = {}
    async for part in StreamServiceStub(channel).ReadRecord(
        ReadRecordRequest(hospital=hospital, record_id=str(record))
    ):
        bodies |= {each.envelope: each.body for each in part.events}
    return bodies


async def _with_bodies(data: bytes, channel: grpc.aio.Channel, hospital: str, record: UUID) -> bytes:
    """The pack with the bodies that its envelopes name."""
    pack, bodies = parse_proof_pack(data), await _stored_bodies(channel, hospital, record)
    if any(each.envelope not in bodies for each in pack.events):
        raise click.ClickException("the service proves an event that it does not read out")
    return replace(pack, events=tuple(replace(each, body=bodies[each.envelope]) for each in pack.events)).encode()


def _write(path: Path, data: bytes) -> None:
    try:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}") from error
