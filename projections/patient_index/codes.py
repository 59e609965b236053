"""The standardised codes of an entry."""

import json
from collections.abc import Iterator

from ledger.api.v1 import common_pb2


def codes_of(content: common_pb2.EntryContent) -> str:
    """Values and topics of its fields that come from a code system, each once, in order of system and code.

    Each with the newborn whom it is about: what a newborn has is no code of the mother's.
    """
    by_code = {(each.system, each.code): each for each in _codings(content) if each.system and each.code}
    found = [
        [*(_plain(text) for text in (each.system, each.code, each.display, each.version)), content.subject_id]
        for _, each in sorted(by_code.items())
    ]
    return json.dumps(found, ensure_ascii=False, separators=(",", ":"))


def _codings(content: common_pb2.EntryContent) -> Iterator[common_pb2.Coding]:
    for section in content.sections:
        for field in section.fields:
            if field.HasField("coding"):
                yield field.coding
            if field.HasField("topic"):
                yield field.topic


def _plain(text: str) -> str:
    """Without U+0000: JSON can spell it, and PostgreSQL would fail over it when somebody asks."""
    return text.replace("\0", "")
