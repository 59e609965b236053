"""Who may read entries and bodies of logs: a bearer token per reader, of which the settings hold the digest alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest

from ledger.log.own_heads import OwnLogs
from ledger.server.errors import ReaderNotAllowed, ReaderUnknown

READERS_BYTES_MAX = 256 * 1024
EVERY_HOSPITAL = "*"
_LINE = re.compile(
    r"(?P<name>[A-Za-z0-9._-]{1,64}) (?P<hospital>[a-z][a-z0-9-]{1,30}|\*) (?P<digest>[0-9a-f]{64})", re.ASCII
)
_BEARER = "bearer "
_TOKEN_CHARACTERS_MAX = 512


class ReadersFault(Exception):
    """Not a list of readers:"""

    def __init__(self, *faults: str) -> None:
        super().__init__(f"{self.__doc__} {'; '.join(faults)}")
        self.faults = faults


@dataclass(frozen=True, slots=True)
class LogReader:
    """One reader: `name hospital digest`, the hospital `*` for all, the digest SHA-256 of the token in hexadecimal."""

    name: str
    hospital: str
    digest: bytes


@dataclass(frozen=True)
class Logs:
    """The logs of the hospitals, and who may read all of them."""

    own: OwnLogs
    readers: Sequence[LogReader] = ()


def parse_readers(data: bytes) -> tuple[LogReader, ...]:
    """The readers in a file's bytes, one a line, `#` before a comment. ReadersFault names every faulty line."""
    if len(data) > READERS_BYTES_MAX:
        raise ReadersFault("more than 256 KiB")
    lines = enumerate(data.decode("utf-8", "replace").splitlines(), 1)
    found = {number: _LINE.fullmatch(line.strip()) for number, line in lines if line.strip() and line[0] != "#"}
    faults = [f"line {number}: not name, hospital or *, SHA-256" for number, match in found.items() if match is None]
    if faults:
        raise ReadersFault(*faults)
    return tuple(
        LogReader(match["name"], match["hospital"], bytes.fromhex(match["digest"])) for match in found.values() if match
    )


def admit(readers: Sequence[LogReader], hospital: str, authorization: str) -> LogReader:
    """The reader whose token an Authorization header bears. Raises ReaderUnknown, ReaderNotAllowed."""
    token = authorization[len(_BEARER) :].strip() if authorization.lower().startswith(_BEARER) else ""
    digest = sha256(token[:_TOKEN_CHARACTERS_MAX].encode()).digest()
    # Every line is compared, each in constant time: how long it takes says nothing about which is near.
    known = [reader for reader in readers if compare_digest(reader.digest, digest)]
    if not token or not known:
        raise ReaderUnknown
    allowed = [reader for reader in known if reader.hospital in (EVERY_HOSPITAL, hospital)]
    if not allowed:
        raise ReaderNotAllowed(hospital)
    return allowed[0]
