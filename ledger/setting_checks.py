"""Checks of settings that name places and rounds: each gives the value, or raises ValueError with what was expected."""

from __future__ import annotations

import re
from pathlib import Path

_CHECKPOINT_SECONDS_MAX = 60


def checkpoint_seconds(text: str) -> int:
    """Seconds between two rounds of cosigning."""
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= _CHECKPOINT_SECONDS_MAX:
        raise ValueError(f"a whole number from 1 to {_CHECKPOINT_SECONDS_MAX}")
    return int(text)


def blobs(text: str) -> str:
    """Where blobs lie: a folder or a bucket."""
    if text.startswith("s3://"):
        if not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9][A-Za-z0-9._-]*)*", text):
            raise ValueError("s3://bucket, or s3://bucket/prefix")
    elif text:
        folder(text)
    return text


def folder_or_none(text: str) -> Path | None:
    """A folder, or None for none."""
    return folder(text) if text else None


def file_or_none(text: str) -> Path | None:
    """A file that is there, or None for none."""
    if text and not Path(text).is_file():
        raise ValueError("a file that exists")
    return Path(text) if text else None


def folder(text: str) -> Path:
    """A folder, which may not be there yet."""
    found = Path(text)
    nearest = next(level for level in (found, *found.absolute().parents) if level.exists())
    if not nearest.is_dir():
        raise ValueError("a folder, or a place where one can be made")
    return found
