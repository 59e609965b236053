"""Who may have bodies opened, for what and of which hospitals: a file of digests of tokens, which are random and long.

Format 2. A file without a format is of the first, which knew no hospitals: each of its consumers has them all.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from ledger.api.v1.keys_pb2 import UnsealPurpose
from ledger.keys.errors import KeyFileUnusable, UnknownToken
from ledger.keys.secret_file import read_secret, write_secret

EVERY_HOSPITAL = "*"
FORMAT = 2
_NAME = re.compile(r"[a-z][a-z0-9-]{0,40}")
_HOSPITAL = re.compile(r"[a-z][a-z0-9-]{1,30}|\*")
_PREFIX = "UNSEAL_PURPOSE_"


@dataclass(frozen=True, slots=True)
class Consumer:
    """Somebody who may have bodies opened."""

    name: str
    token_sha256: bytes
    purposes: frozenset[UnsealPurpose.ValueType]
    hospitals: frozenset[str]
    """Ids; EVERY_HOSPITAL alone for all there are and will be."""

    def serves(self, hospital: str) -> bool:
        """Whether it may open bodies of a hospital; empty stands for an envelope that names none."""
        return EVERY_HOSPITAL in self.hospitals or hospital in self.hospitals


class Consumers:
    """The consumers of one service."""

    def __init__(self, consumers: Iterable[Consumer]) -> None:
        self._consumers = tuple(consumers)

    def with_one(self, more: Consumer) -> tuple[Consumer, ...]:
        """These and one more; one of the same name gives way: its old token counts no longer."""
        return (*(each for each in self._consumers if each.name != more.name), more)

    def named_for(self, purpose: UnsealPurpose.ValueType, hospital: str) -> tuple[str, ...]:
        """The names of those who may ask for a purpose at a hospital."""
        return tuple(each.name for each in self._consumers if purpose in each.purposes and each.serves(hospital))

    def of_token(self, token: str) -> Consumer:
        """Whose token it is. UnknownToken. Takes the same time for every token, whichever it is or resembles."""
        digest = sha256(token.encode()).digest()
        matching = [each for each in self._consumers if hmac.compare_digest(each.token_sha256, digest)]
        if not token or not matching:
            raise UnknownToken
        return matching[0]


def consumer(name: str, token: str, *purposes: UnsealPurpose.ValueType, hospitals: Iterable[str]) -> Consumer:
    """A consumer with its token. ValueError for a name or hospitals that are none."""
    if not _NAME.fullmatch(name):
        raise ValueError("a consumer's name is a lower-case letter and up to 40 letters, digits or hyphens")
    return Consumer(name, sha256(token.encode()).digest(), frozenset(purposes), _checked(hospitals))


def read_consumers(file: Path) -> Consumers:
    """The file's consumers. KeyFileUnusable."""
    data = read_secret(file)
    try:
        content = cast("dict[str, Any]", json.loads(data))
        if content.get("format", 1) not in (1, FORMAT):
            raise KeyFileUnusable(file, "is of a format that this release does not know")
        rows = cast("list[dict[str, Any]]", content["consumers"])
        found = [_consumer(row, named="format" in content) for row in rows]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise KeyFileUnusable(file, "is no file of consumers") from None
    if len({each.name for each in found}) != len(found):
        raise KeyFileUnusable(file, "names a consumer twice")
    return Consumers(found)


def write_consumers(file: Path, consumers: Iterable[Consumer]) -> None:
    """Writes the file."""
    rows = [
        {
            "name": each.name,
            "token_sha256": each.token_sha256.hex(),
            "purposes": sorted(UnsealPurpose.Name(purpose).removeprefix(_PREFIX) for purpose in each.purposes),
            "hospitals": sorted(each.hospitals),
        }
        for each in consumers
    ]
    write_secret(file, json.dumps({"format": FORMAT, "consumers": rows}, indent=1).encode())


def _consumer(row: dict[str, Any], *, named: bool) -> Consumer:
    digest = bytes.fromhex(row["token_sha256"])
    if not _NAME.fullmatch(row["name"]) or len(digest) != sha256().digest_size:
        raise ValueError
    purposes = frozenset(UnsealPurpose.Value(_PREFIX + each) for each in row["purposes"])
    return Consumer(row["name"], digest, purposes, _checked(row["hospitals"] if named else [EVERY_HOSPITAL]))


def _checked(hospitals: Iterable[str]) -> frozenset[str]:
    found = frozenset(hospitals)
    if not found or not all(_HOSPITAL.fullmatch(each) for each in found):
        raise ValueError("hospitals are named by their ids, or by * for every one")
    if EVERY_HOSPITAL in found and len(found) > 1:
        raise ValueError("* means every hospital, so no other is named beside it")
    return found
