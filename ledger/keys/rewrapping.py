"""Puts every key under the newest generation, page by page, while keys are made and used."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.keys.key_encryption import KeyEncryption
from ledger.keys.key_rows import KeyRow, KeyRows, StreamOf
from ledger.keys.wrapping import Wrapped

PAGE = 500
_FIRST: StreamOf = ("", bytes(16))


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """What one run came to."""

    keys: int
    failed: tuple[KeyRow, ...]
    """Rows that do not unwrap; they stay as they are."""


async def rewrap_all(rows: KeyRows, encryption: KeyEncryption, newest: int) -> Rewrapped:
    """Every key under the generation `newest`; a run that was cut short is finished by the next.

    A page is one transaction, and a row that changes meanwhile is left to whoever changed it.
    Raises KeysUnavailable, StoreUnavailable.
    """
    after, keys = _FIRST, 0
    failed: list[KeyRow] = []
    while page := await rows.outdated(after, newest, PAGE):
        data_keys = await encryption.unwrap([(row.place, Wrapped(row.generation, row.wrapped or b"")) for row in page])
        good = [(row, key) for row, key in zip(page, data_keys, strict=True) if key is not None]
        failed += [row for row, key in zip(page, data_keys, strict=True) if key is None]
        await rows.rewrap([row for row, _ in good], await encryption.wrap([(row.place, key) for row, key in good]))
        keys += len(good)
        after = page[-1].stream
    return Rewrapped(keys, tuple(failed))
