"""What a setting may say: each check gives the value, or raises ValueError with what was expected."""

import ipaddress
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from ledger.clock import read_time

_PARTITIONS_MAX = 256
_CLOCK_SKEW_SECONDS_MAX = 60
_CHECKPOINT_SECONDS_MAX = 60
_PORT_MAX = 65_535


def postgres_url(text: str) -> str:
    """A libpq URL."""
    if not text:
        return text
    parts = urlsplit(text)
    if parts.scheme not in ("postgresql", "postgres") or not parts.path.strip("/") or not _ports_good(parts.netloc):
        raise ValueError("a libpq URL, postgresql://user:password@host:port/database")
    return text


def _ports_good(netloc: str) -> bool:
    """Whether every port named is one; libpq takes several hosts, separated by commas."""
    hosts = netloc.rpartition("@")[2].split(",")
    ports = (re.sub(r"^\[[^\]]*\]", "", host).partition(":")[2] for host in hosts)
    return all(not port or _is_port(port) for port in ports)


def _is_port(text: str) -> bool:
    # ASCII alone: Python takes the digits of every script for numbers.
    return text.isascii() and text.isdecimal() and 0 < int(text) <= _PORT_MAX


def one_of(*allowed: str) -> Callable[[str], str]:
    """One of these words."""

    def check(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"one of {', '.join(allowed)}")
        return text

    return check


def yes_or_no(text: str) -> bool:
    """Whether it is `yes`."""
    return one_of("yes", "no")(text) == "yes"


def addresses(text: str) -> str:
    """Addresses, separated by commas."""
    if text and not all(_is_address(one) for one in text.split(",")):
        raise ValueError("host:port, several separated by commas")
    return text


def _is_address(text: str) -> bool:
    host, _, port = text.rpartition(":")
    return bool(re.fullmatch(r"[^\s:,]+|\[[0-9a-fA-F:.]+\]", host)) and _is_port(port)


def loopback(text: str) -> str:
    """An address of this machine alone."""
    host, _, port = text.rpartition(":")
    if port != "0" and not _is_port(port):
        raise ValueError("host:port, port 0 for any free one")
    address = "127.0.0.1" if host == "localhost" else host.removeprefix("[").removesuffix("]")
    try:
        loopback = ipaddress.ip_address(address).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise ValueError("a loopback address: there is no authentication yet, so nobody else may reach it")
    return text


def origin_prefix(text: str) -> str:
    """What an origin may begin with."""
    if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(/[a-z0-9-]+)*", text) or len(text) > 100:
        raise ValueError("a host name in lower case, with path segments where wanted, at most 100 characters")
    return text


def partitions(text: str) -> int:
    """A number of partitions."""
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= _PARTITIONS_MAX:
        raise ValueError(f"a whole number from 1 to {_PARTITIONS_MAX}")
    return int(text)


def skew_seconds(text: str) -> int:
    """Seconds that clocks may lie apart."""
    if not text.isdecimal() or not 1 <= int(text) <= _CLOCK_SKEW_SECONDS_MAX:
        raise ValueError(f"a whole number from 1 to {_CLOCK_SKEW_SECONDS_MAX}")
    return int(text)


def clock_file(text: str) -> Path | None:
    """A file with a time in it."""
    if not text:
        return None
    file = Path(text).absolute()
    try:
        read_time(file)
    except (OSError, ValueError):
        raise ValueError("a file that holds an ISO 8601 time with its zone") from None
    return file


def folder(text: str) -> Path:
    """A folder, or where one can be made."""
    found = Path(text)
    nearest = next(level for level in (found, *found.absolute().parents) if level.exists())
    if not nearest.is_dir():
        raise ValueError("a folder, or a place where one can be made")
    return found


def programs(text: str) -> str:
    """A folder that exists, or none."""
    if text and not Path(text).is_dir():
        raise ValueError("a folder that exists")
    return text


def secret_file(text: str) -> Path | None:
    """A file of secrets that exists, or none; whether it is private enough is seen when it is read."""
    if not text:
        return None
    file = Path(text).absolute()
    if not file.exists():
        raise ValueError("a file that exists")
    return file


def whole_number(most: int) -> Callable[[str], int]:
    """A whole number from 1 on."""

    def check(text: str) -> int:
        if not text.isascii() or not text.isdecimal() or len(text) > len(str(most)) or not 1 <= int(text) <= most:
            raise ValueError(f"a whole number from 1 to {most}")
        return int(text)

    return check


def checkpoint_seconds(text: str) -> int:
    """Seconds between two checkpoints that witnesses are asked for."""
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= _CHECKPOINT_SECONDS_MAX:
        raise ValueError(f"a whole number from 1 to {_CHECKPOINT_SECONDS_MAX}")
    return int(text)


def blobs(text: str) -> str:
    """Where blobs lie: a bucket, a folder, or nothing said."""
    if text.startswith("s3://"):
        if not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9][A-Za-z0-9._-]*)*", text):
            raise ValueError("s3://bucket, or s3://bucket/prefix")
    elif text:
        folder(text)
    return text


def folder_or_none(text: str) -> Path | None:
    """A folder, or where one can be made; None where nothing is said."""
    return folder(text) if text else None


def path_or_none(text: str) -> Path | None:
    """Where a file is or will be, or nothing said."""
    if text and Path(text).is_dir():
        raise ValueError("a file, or where one can be made")
    return Path(text) if text else None


def file_or_none(text: str) -> Path | None:
    """A file that exists, or none."""
    if text and not Path(text).is_file():
        raise ValueError("a file that exists")
    return Path(text) if text else None
