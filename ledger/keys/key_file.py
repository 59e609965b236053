"""The key file: generations of key-encryption keys, encrypted under a passphrase; format in `docs/formats.md`."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from ledger.keys.errors import GenerationNeeded, KeyFileUnusable
from ledger.keys.secret_file import read_secret, write_secret

FORMAT = "ledger-keys/1"
KEY_BYTES = 32
ROTATE_DAYS = 31
"""After how many days a generation should be followed by the next; kept in the file, where it may be changed."""
BACKUP_DAYS = 35
"""How long backups of keys are kept where nobody says otherwise; house policy, above a month of daily ones."""
SETTLED = timedelta(minutes=1)
"""How long after a rotation some process may still wrap under the generation before; above `KeyFileKeys`' look."""
_COST = {"n": 1 << 17, "r": 8, "p": 1}
"""128 MiB and some tenths of a second for each try at the passphrase (OWASP's figure); written files rise to it."""
COST_OF_A_RANDOM_PASSPHRASE = 1 << 14
"""For a passphrase of 32 random bytes, which nobody guesses at any cost: opening it then costs 50 ms."""
_COST_MAX = {"n": 1 << 20, "r": 32, "p": 16}
_MEMORY_BYTES_MAX = 256 << 20
"""What a file may ask of the process that opens it: scrypt takes 128 * n * r bytes."""
_SALT_BYTES = 16
_NONCE_BYTES = 12

Random = Callable[[int], bytes]
"""That many random bytes."""


@dataclass(frozen=True, slots=True, repr=False)
class Generation:
    """One key-encryption key, or what is left of it."""

    number: int
    made_at: datetime
    key: bytes
    """32 bytes; empty once destroyed."""
    destroyed_at: datetime | None = None
    emptied_at: datetime | None = None
    """From when on it wrapped no live key, as far as that was looked at; None while it wraps one."""


@dataclass(frozen=True, slots=True, repr=False)
class KeyFile:
    """The generations in order, the newest last. Frozen: each change is a new file."""

    generations: tuple[Generation, ...]
    register_key: bytes
    """32 bytes that prove the rows of the purge register; no generation takes it along when it goes."""
    rotate_days: int = ROTATE_DAYS
    backup_days: int = BACKUP_DAYS
    """How long backups of keys are kept: so long what was wrapped before can still be opened by somebody."""

    @property
    def newest(self) -> Generation:
        """Wraps new keys."""
        return self.generations[-1]

    def key_of(self, number: int) -> bytes | None:
        """The key of a generation; None for one that is destroyed or unknown."""
        return next((each.key for each in self.generations if each.number == number and each.key), None)

    def complete_at(self, number: int, unreadable_at: datetime, now: datetime) -> datetime | None:
        """Since when no backup opens a key that became a tombstone then and that this generation wrapped last.

        All generations up to this one are destroyed, and every backup that is kept was taken when neither they nor the
        tombstone's key wrapped or was a live key. None before. Whoever destroys one early makes nothing complete.
        """
        upto = [each for each in self.generations if each.number <= number]
        gone = [each.destroyed_at for each in upto if each.destroyed_at is not None]
        if not gone or len(gone) < len(upto):
            return None
        # What an earlier release destroyed was empty when it went, at the latest.
        lived = [unreadable_at, *(each.emptied_at or each.destroyed_at or now for each in upto)]
        out_of_backups = max(lived) + timedelta(days=self.backup_days)
        return max(*gone, out_of_backups) if out_of_backups <= now else None

    def may_go_at(self, number: int) -> datetime | None:
        """When the last backup from while a generation wrapped live keys is gone; None where it wraps any."""
        emptied = next((each.emptied_at for each in self.generations if each.number == number), None)
        return None if emptied is None else emptied + timedelta(days=self.backup_days)

    def looked_at(self, live: Mapping[int, int], now: datetime) -> KeyFile:
        """With what the rows say: how many live keys each generation wraps."""
        following = (*self.generations[1:], None)
        seen = [_looked_at(each, then, live, now) for each, then in zip(self.generations, following, strict=True)]
        return replace(self, generations=tuple(seen))

    def due(self, now: datetime) -> bool:
        """Whether the newest generation is older than `rotate_days`."""
        return now - self.newest.made_at > timedelta(days=self.rotate_days)

    def rotated(self, now: datetime, random: Random) -> KeyFile:
        """With one more generation."""
        return replace(
            self, generations=(*self.generations, Generation(self.newest.number + 1, now, random(KEY_BYTES)))
        )

    def without(self, number: int, live: Mapping[int, int], now: datetime) -> KeyFile:
        """With one generation destroyed. GenerationNeeded where none may be: unknown, newest, just superseded, or with
        live keys in the rows or in a backup that is kept.
        """
        if self.key_of(number) is None:
            raise GenerationNeeded(number, "there is none, or it is destroyed already")
        if number == self.newest.number:
            raise GenerationNeeded(number, "it is the newest; rotate first")
        following = next(each for each in self.generations if each.number > number)
        if now - following.made_at < SETTLED:
            raise GenerationNeeded(number, f"generation {following.number} was made less than {SETTLED} ago; wait")
        if live.get(number):
            raise GenerationNeeded(number, f"{live[number]} keys are wrapped by it; `ledger keys rewrap` first")
        may_go_at = self.may_go_at(number)
        if may_go_at is None:
            raise GenerationNeeded(number, "nobody has noted since when it wraps nothing; `ledger keys rewrap` first")
        if now < may_go_at:
            why = (
                f"until {may_go_at:%Y-%m-%d %H:%M} a backup of the last {self.backup_days} days has keys that it opens"
            )
            raise GenerationNeeded(number, why)
        gone = tuple(
            replace(each, key=b"", destroyed_at=now) if each.number == number else each for each in self.generations
        )
        return replace(self, generations=gone)


def _looked_at(each: Generation, following: Generation | None, live: Mapping[int, int], now: datetime) -> Generation:
    if following is None or not each.key:
        return each
    if live.get(each.number):
        return replace(each, emptied_at=None)
    # For a moment after a rotation somebody may still wrap under the generation before.
    return replace(each, emptied_at=each.emptied_at or max(now, following.made_at + SETTLED))


def new_key_file(now: datetime, random: Random) -> KeyFile:
    """A first generation."""
    return KeyFile((Generation(1, now, random(KEY_BYTES)),), random(KEY_BYTES))


def write_key_file(
    file: Path, content: KeyFile, passphrase: bytes, random: Random, *, new: bool = False, cost: int = _COST["n"]
) -> None:
    """Encrypts and writes. KeyFileUnusable where `new` and there is a file already. `cost`: scrypt's n."""
    head = {"format": FORMAT, "kdf": "scrypt", **_COST, "n": cost, "salt": random(_SALT_BYTES).hex()}
    nonce = random(_NONCE_BYTES)
    sealed = AESGCM(_key_of(passphrase, head)).encrypt(nonce, _inside(content), _bound_to(head))
    write_secret(file, json.dumps({**head, "nonce": nonce.hex(), "sealed": sealed.hex()}, indent=1).encode(), new=new)


def read_key_file(file: Path, passphrase: bytes) -> KeyFile:
    """Reads and decrypts. KeyFileUnusable where it is not whole, not private, or the passphrase is another."""
    data = read_secret(file)
    try:
        whole: dict[str, Any] = json.loads(data)
        head = {name: whole[name] for name in ("format", "kdf", *_COST, "salt")}
        _check_head(head)
        nonce, sealed = bytes.fromhex(whole["nonce"]), bytes.fromhex(whole["sealed"])
        clear = AESGCM(_key_of(passphrase, head)).decrypt(nonce, sealed, _bound_to(head))
        return _content(json.loads(clear))
    except InvalidTag:
        raise KeyFileUnusable(file, "the passphrase is another, or the file was altered") from None
    except (ValueError, KeyError, TypeError):
        raise KeyFileUnusable(file, "is truncated or no key file") from None


def _check_head(head: dict[str, Any]) -> None:
    costs = all(isinstance(head[name], int) and 1 <= head[name] <= most for name, most in _COST_MAX.items())
    if head["format"] != FORMAT or head["kdf"] != "scrypt" or not costs:
        raise ValueError
    if 128 * head["n"] * head["r"] > _MEMORY_BYTES_MAX:
        raise ValueError


def _key_of(passphrase: bytes, head: dict[str, Any]) -> bytes:
    scrypt = Scrypt(salt=bytes.fromhex(head["salt"]), length=KEY_BYTES, n=head["n"], r=head["r"], p=head["p"])
    return scrypt.derive(passphrase)


def _bound_to(head: dict[str, Any]) -> bytes:
    return json.dumps(head, sort_keys=True, separators=(",", ":")).encode()


def _inside(content: KeyFile) -> bytes:
    rows = [
        {
            "generation": each.number,
            "made_at": each.made_at.isoformat(),
            "key": each.key.hex(),
            "destroyed_at": _text(each.destroyed_at),
            "emptied_at": _text(each.emptied_at),
        }
        for each in content.generations
    ]
    days = {"rotate_days": content.rotate_days, "backup_days": content.backup_days}
    return json.dumps({**days, "register_key": content.register_key.hex(), "generations": rows}).encode()


def _content(clear: dict[str, Any]) -> KeyFile:
    rows = cast("list[dict[str, Any]]", clear["generations"])
    generations = tuple(map(_generation, rows))
    numbers = [each.number for each in generations]
    if numbers != list(range(1, len(numbers) + 1)) or not generations or not generations[-1].key:
        raise ValueError
    register_key = bytes.fromhex(clear["register_key"]) if "register_key" in clear else _from_before(generations)
    if len(register_key) != KEY_BYTES:
        raise ValueError
    return KeyFile(generations, register_key, int(clear["rotate_days"]), int(clear.get("backup_days", BACKUP_DAYS)))


def _from_before(generations: tuple[Generation, ...]) -> bytes:
    """The register key of a file without one: every process has the same until the file is written, and it is in it."""
    oldest = next(each.key for each in generations if each.key)
    return hmac.digest(oldest, b"ledger purge register 1", "sha256")


def _generation(row: dict[str, Any]) -> Generation:
    """A file of before says nothing of when a generation was empty: that is looked at again."""
    times = _when(row["destroyed_at"]), _when(row.get("emptied_at"))
    return Generation(int(row["generation"]), _time(row["made_at"]), bytes.fromhex(row["key"]), *times)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _text(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat()


def _when(text: str | None) -> datetime | None:
    return None if text is None else _time(text)
