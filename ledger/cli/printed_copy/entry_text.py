"""An entry version as lines of text for people, nothing left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from zoneinfo import ZoneInfo

from google.protobuf.timestamp_pb2 import Timestamp

from ledger.api.v1.certificate_values_pb2 import Certified
from ledger.api.v1.common_pb2 import Actor, AmendmentKind, Attestation, Coding, EntryContent, Field
from ledger.api.v1.records_pb2 import EntryVersion

_METHODS = {"session": "confirmed by login", "cms": "electronic signature, not verified here"}


@dataclass(frozen=True)
class Line:
    """A line of an entry; `label` is what it is, empty for what needs no name."""

    label: str
    text: str
    heading: bool = False


def said_time(stamp: Timestamp, zone: ZoneInfo) -> str:
    """A time by the hospital's clocks, to the minute, with their distance from UTC: an hour may be struck twice."""
    local = stamp.ToDatetime(UTC).astimezone(zone)
    offset = f"{local:%z}"
    return f"{local:%Y-%m-%d %H:%M} UTC{offset[:3]}:{offset[3:5]}"


def attested_lines(version: EntryVersion, zone: ZoneInfo) -> Iterator[Line]:
    """Which version it is, when it happened, why it was changed, and who stands for it."""
    when = f", of {said_time(version.occurred_at, zone)}" if version.HasField("occurred_at") else ""
    yield Line("", f"{version.content.template}, version {version.version}{when}")
    if version.kind:
        yield Line(AmendmentKind.Name(version.kind).removeprefix("AMENDMENT_KIND_").capitalize(), version.reason)
    if version.attestation.method:
        yield Line("Signed by", _attested(version.attestation, zone))
    elif version.historical:
        yield Line("Signature", "none; taken over from an earlier system")
    if version.HasField("countersignature"):
        yield Line("Countersigned by", _attested(version.countersignature, zone))
    yield from (Line("Electronic signature", _certified(each, zone)) for each in version.certified)


def content_lines(content: EntryContent, zone: ZoneInfo) -> Iterator[Line]:
    """Every section with its text and fields, and the attachments by digest."""
    if content.subject_id:
        yield Line("Subject", f"newborn {content.subject_id}")
    for section in content.sections:
        yield Line("", named(section.code), heading=True)
        # One line each: where the author began a new one, the copy does.
        yield from (Line("", text) for text in section.text.splitlines() if text.strip())
        yield from (Line(_field_name(field), _value(field, zone)) for field in section.fields)
    for attached in content.attachments:
        what = f"{attached.title}, {attached.media_type}, {attached.size:,} bytes, SHA-256 {attached.sha256.hex()}"
        yield Line("Attachment", what)


def named(code: str) -> str:
    """A code of a template as a heading."""
    return code.replace("_", " ").capitalize()


def _attested(attestation: Attestation, zone: ZoneInfo) -> str:
    when = f", {said_time(attestation.signed_at, zone)}" if attestation.HasField("signed_at") else ""
    return f"{_named(attestation.signer)}{when} ({_METHODS.get(attestation.method, attestation.method)})"


def _certified(certified: Certified, zone: ZoneInfo) -> str:
    checked = certified.checked
    when = f", signed before {said_time(checked.proven_at, zone)}" if checked.HasField("proven_at") else ""
    by = f" by {checked.time_authority}" if checked.time_authority else ""
    certificate = f"certificate {checked.serial} of {checked.issuer}, {checked.subject}"
    return f"{_named(certified.signer)}: {certificate}, checked at {said_time(checked.checked_at, zone)}{when}{by}"


def _named(actor: Actor) -> str:
    return ", ".join(part for part in (actor.name, actor.role, actor.licence) if part)


def _field_name(field: Field) -> str:
    topic = f" ({_coding(field.topic)})" if field.HasField("topic") else ""
    return named(field.code) + topic


def _value(field: Field, zone: ZoneInfo) -> str:
    match field.WhichOneof("value"):
        case "text":
            said = field.text
        case "coding":
            said = _coding(field.coding)
        case "quantity":
            said = f"{field.quantity.value} {field.quantity.unit}".strip()
        case "time":
            said = said_time(field.time, zone)
        case "flag":
            said = "yes" if field.flag else "no"
        case None:
            said = ""
    uncoded = f" (not coded: {field.uncoded_reason})" if field.uncoded_reason else ""
    result = f" [result {field.result_id}]" if field.result_id else ""
    return f"{said}{uncoded}{result}".strip()


def _coding(coding: Coding) -> str:
    version = f" {coding.version}" if coding.version else ""
    code = f"{coding.code}, {coding.system}{version}"
    return f"{coding.display} ({code})" if coding.display else code
