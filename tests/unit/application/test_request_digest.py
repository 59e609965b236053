"""The digest that tells a retry from another command: everything counts but the command id."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given, settings

from ledger.api.v1 import common_pb2, records_pb2
from ledger.application.message_codec import to_message
from ledger.application.request_digest import content_digest
from ledger.domain.commands import RecordEntry
from tests.unit.application.strategies import values_of

RPC = "RecordEntry"
QUICK = settings(max_examples=60, deadline=None)
COMMANDS = values_of(RecordEntry)


def request(**context: Any) -> records_pb2.RecordEntryRequest:
    """A request with every part of it set."""
    return records_pb2.RecordEntryRequest(
        context=common_pb2.CommandContext(hospital="north", command_id="a", actor=common_pb2.Actor(id="x"), **context),
        record_id="r",
        content=common_pb2.EntryContent(
            template="course_note",
            template_version=1,
            sections=[common_pb2.Section(code="note", text="ab", fields=[common_pb2.Field(code="c", flag=False)])],
            attachments=[common_pb2.Attachment(sha256=b"12", size=3)],
        ),
        attestation=common_pb2.Attestation(method="session", signed_at=Timestamp(seconds=5, nanos=7)),
    )


def test_the_command_id_is_left_out() -> None:
    """It is what the digest is kept under."""
    other = request()
    other.context.command_id = "b"
    assert content_digest(RPC, other) == content_digest(RPC, request())


def test_the_digest_of_a_release_is_the_next_one_s() -> None:
    """It is stored with the command: were it made otherwise, a retry after an upgrade would be another command."""
    known = "5bfbe0b09a316d76c49249f044a5c34cfd246b0c8e6843ea20086a12df237e4c"
    assert content_digest(RPC, request()).hex() == known


def test_the_rpc_counts() -> None:
    """The same fields under another name are another command."""
    assert content_digest("AmendEntry", request()) != content_digest(RPC, request())


def test_every_field_counts() -> None:
    """Each leaf of the message, changed alone, changes the digest, and no two changes give the same one."""
    found = {content_digest(RPC, request())}
    paths = list(leaves(request()))
    for path in paths:
        changed = request()
        change(changed, path)
        found.add(content_digest(RPC, changed))
    assert len(paths) >= 14
    assert len(found) == len(paths) + 1


def test_presence_counts() -> None:
    """An expected version of 0 is not none; an empty message that is there is not one that is absent."""
    digests = {content_digest(RPC, request()), content_digest(RPC, request(expected_version=0))}
    there = request()
    there.context.source.SetInParent()
    digests.add(content_digest(RPC, there))
    assert len(digests) == 3


@pytest.mark.parametrize(("first", "second"), [(("ab", "c"), ("a", "bc")), (("", "abc"), ("abc", ""))])
def test_the_border_between_fields_counts(first: tuple[str, str], second: tuple[str, str]) -> None:
    """Lengths are hashed, so no text can pass for its neighbour's."""
    one, other = (common_pb2.Section(code=code, text=text) for code, text in (first, second))
    assert content_digest(RPC, one) != content_digest(RPC, other)


@given(COMMANDS)
@QUICK
def test_it_is_a_function_of_the_content_not_of_the_bytes(command: RecordEntry) -> None:
    """Decoded from other bytes of the same content: the same digest."""
    message = to_message(command, records_pb2.RecordEntryRequest)
    again = records_pb2.RecordEntryRequest()
    for field, value in reversed(message.ListFields()):
        part = records_pb2.RecordEntryRequest()
        if field.is_repeated:
            getattr(part, field.name).extend(value)
        elif isinstance(value, Message):
            getattr(part, field.name).CopyFrom(value)
        else:
            setattr(part, field.name, value)
        again.MergeFromString(part.SerializeToString())
    again.MergeFromString(b"\x98\x7d\x01")  # a field that this release does not know
    assert content_digest(RPC, again) == content_digest(RPC, message)


@given(COMMANDS, COMMANDS)
@QUICK
def test_other_content_has_another_digest(one: RecordEntry, other: RecordEntry) -> None:
    """Equal digests only for equal commands."""
    digests = {content_digest(RPC, to_message(each, records_pb2.RecordEntryRequest)) for each in (one, other)}
    assert len(digests) == len({one, other})


def leaves(message: Message, path: tuple[str, ...] = ()) -> Any:
    """The paths of all set fields that are no messages; the first item of a repeated field."""
    for field, value in message.ListFields():
        here = (*path, field.name)
        item = value[0] if field.is_repeated else value
        if isinstance(item, Message):
            yield from leaves(item, here)
        elif field.name != "command_id":
            yield here


def change(message: Any, path: tuple[str, ...]) -> None:
    """Makes the value at a path another one."""
    for name in path[:-1]:
        message = getattr(message, name)
        message = message if isinstance(message, Message) else message[0]
    value = getattr(message, path[-1])
    changed = not value if isinstance(value, bool) else value + type(value)(1) if isinstance(value, int) else value * 2
    setattr(message, path[-1], changed)
