"""Every event that any release stored stays readable: bytes of every type and version, committed once."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest

from ledger.application.body_codec import decode_body, encode_body
from ledger.application.upcast import READABLE
from ledger.domain.events import EVENT_TYPES
from ledger.domain.events import stored_name as newest_name
from ledger.trust.envelope import decode
from ledger.trust.leaf import leaf_hash

CORPUS = {row["type"]: row for row in json.loads(Path(__file__).with_name("corpus.json").read_text())}


@pytest.mark.parametrize("stored_name", sorted(CORPUS))
def test_a_stored_event_decodes_upcasts_and_verifies(stored_name: str) -> None:
    """Stored bytes are read by today's code, and their digests are what they were."""
    row = CORPUS[stored_name]
    envelope, body = bytes.fromhex(row["envelope"]), bytes.fromhex(row["body"])
    clear = decode(envelope)
    assert clear.type == stored_name
    assert clear.body_sha256 == sha256(body).digest()
    assert leaf_hash(envelope).hex() == row["leaf"]
    event = decode_body(stored_name, body)
    assert type(event) in EVENT_TYPES
    if stored_name == newest_name(type(event)):
        assert encode_body(event) == body, "nothing of the body is lost on its way through the domain"


def test_no_readable_type_is_without_a_stored_example() -> None:
    """A new event, or a new version of one, cannot be released without an example of its bytes."""
    assert set(CORPUS) == set(READABLE)
