"""The signatures by certificate of a record as files that other people's programs check."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256

from ledger.api.v1.course_events_pb2 import EntryCertified
from ledger.trust.envelope import decode

_TYPE = "ledger.v1.EntryCertified"
_BODY = "body "


def certified_files(opened: Mapping[bytes, bytes]) -> dict[str, bytes]:
    """By name what each signature needs; `opened`: by envelope what the record's events say.

    `.signed` is what was signed, `.cms` the signature, and what showed that no certificate was revoked lies beside.
    """
    files: dict[str, bytes] = {}
    for event, name in _certified(opened):
        files |= {f"{name}.signed": event.signed_bytes, f"{name}.cms": event.cms}
        files |= {f"{name}.{at}.{each.method}": each.der for at, each in enumerate(event.evidence, 1)}
    return files


def without_version(opened: Mapping[bytes, bytes]) -> list[str]:
    """The signatures over a body that no event of the record has: of none, while nobody changed what is stored."""
    bodies = {sha256(body).hexdigest() for body in opened.values()}
    return [name for event, name in _certified(opened) if _named_body(event.signed_bytes) not in bodies]


def _certified(opened: Mapping[bytes, bytes]) -> Iterator[tuple[EntryCertified, str]]:
    for envelope, body in opened.items():
        place = decode(envelope)
        if place.type == _TYPE:
            event = EntryCertified.FromString(body)
            yield event, f"{event.entry_id}-v{event.entry_version}-{place.stream_version}"


def _named_body(signed: bytes) -> str:
    lines = signed.decode("utf-8", "replace").splitlines()
    return next((line.removeprefix(_BODY) for line in lines if line.startswith(_BODY)), "")
