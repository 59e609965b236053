"""Which command a request is, and on which stream it acts."""

from __future__ import annotations

from dataclasses import fields
from typing import get_args
from uuid import UUID

import pytest

from ledger.api.v1 import common_pb2, records_pb2
from ledger.application.command_table import STREAM_FIELD, decode_request
from ledger.domain.commands import Command, EndCare
from ledger.domain.refusal import RefusalKind, Refused
from tests.unit.application.test_message_codec import request_of

ID = "00000000-0000-4000-8000-000000000001"


def test_every_command_of_the_domain_has_a_row_and_a_request() -> None:
    """None can be added to the one without the other."""
    assert set(STREAM_FIELD) == set(get_args(Command))
    for cls, field in STREAM_FIELD.items():
        context = request_of(cls).DESCRIPTOR.fields_by_name["context"].message_type
        assert context is common_pb2.CommandContext.DESCRIPTOR
        assert field is None or field in {each.name for each in fields(cls)}


def test_no_field_of_a_request_is_left_unread() -> None:
    """Every field of every request reaches the command, but for the context."""
    for cls in STREAM_FIELD:
        named = {each.name for each in request_of(cls).DESCRIPTOR.fields} - {"context"}
        assert named == {each.name for each in fields(cls)}, cls.__name__


def test_a_request_names_its_stream() -> None:
    """The record of a command on a record; none for one that opens a stream."""
    context = common_pb2.CommandContext(hospital="north", command_id=ID, actor=common_pb2.Actor(id=ID, name="Dr. Wu"))
    asked = decode_request(records_pb2.EndCareRequest(context=context, record_id=ID, disposition=1))  # pyright: ignore[reportArgumentType]
    assert isinstance(asked.command, EndCare)
    assert asked.stream_id == UUID(ID)
    opened = decode_request(
        records_pb2.RegisterPatientRequest(context=context, identity=1, details={})  # pyright: ignore[reportArgumentType]
    )
    assert opened.stream_id is None


def test_faults_of_context_and_command_are_told_together() -> None:
    """A client sees everything that is wrong in one answer."""
    with pytest.raises(Refused) as refused:
        decode_request(records_pb2.EndCareRequest(record_id="x"))
    assert refused.value.kind is RefusalKind.INVALID
    found = {(each.field, each.rule) for each in refused.value.violations}
    assert found >= {
        ("context.command_id", "REQUIRED"),
        ("context.actor", "REQUIRED"),
        ("record_id", "MALFORMED_UUID"),
        ("disposition", "REQUIRED"),
    }
