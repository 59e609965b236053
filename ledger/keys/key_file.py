"""The key file: generations of key-encryption keys, encrypted under a passphrase; format in `docs/formats.md`."""

from __future__ import annotations

import json
from collections.abc import Callable
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


@dataclass(frozen=True, slots=True, repr=False)
class KeyFile:
    """The generations in order, the newest last. Frozen: each change is a new file."""

    generations: tuple[Generation, ...]
    rotate_days: int = ROTATE_DAYS

    @property
    def newest(self) -> Generation:
        """Wraps new keys."""
        return self.generations[-1]

    def key_of(self, number: int) -> bytes | None:
        """The key of a generation; None for one that is destroyed or unknown."""
        return next((each.key for each in self.generations if each.number == number and each.key), None)

    def all_gone_at(self, number: int) -> datetime | None:
        """When the last of the generations up to this one was destroyed; None while one is left."""
        ends = [each.destroyed_at for each in self.generations if each.number <= number]
        gone = [each for each in ends if each is not None]
        return max(gone) if gone and len(gone) == len(ends) else None

    def due(self, now: datetime) -> bool:
        """Whether the newest generation is older than `rotate_days`."""
        return now - self.newest.made_at > timedelta(days=self.rotate_days)

    def rotated(self, now: datetime, random: Random) -> KeyFile:
        """With one more generation."""
        return replace(
            self, generations=(*self.generations, Generation(self.newest.number + 1, now, random(KEY_BYTES)))
        )

    def without(self, number: int, now: datetime) -> KeyFile:
        """With one generation destroyed. GenerationNeeded where none may be: unknown, newest, or just superseded."""
        if self.key_of(number) is None:
            raise GenerationNeeded(number, "there is none, or it is destroyed already")
        if number == self.newest.number:
            raise GenerationNeeded(number, "it is the newest; rotate first")
        following = next(each for each in self.generations if each.number > number)
        if now - following.made_at < SETTLED:
            raise GenerationNeeded(number, f"generation {following.number} was made less than {SETTLED} ago; wait")
        gone = tuple(
            replace(each, key=b"", destroyed_at=now) if each.number == number else each for each in self.generations
        )
        return replace(self, generations=gone)


def new_key_file(now: datetime, random: Random) -> KeyFile:
    """A first generation."""
    return KeyFile((Generation(1, now, random(KEY_BYTES)),))


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
            "destroyed_at": each.destroyed_at.isoformat() if each.destroyed_at else None,
        }
        for each in content.generations
    ]
    return json.dumps({"rotate_days": content.rotate_days, "generations": rows}).encode()


def _content(clear: dict[str, Any]) -> KeyFile:
    rows = cast("list[dict[str, Any]]", clear["generations"])
    generations = tuple(
        Generation(int(row["generation"]), _time(row["made_at"]), bytes.fromhex(row["key"]), _when(row["destroyed_at"]))
        for row in rows
    )
    numbers = [each.number for each in generations]
    if numbers != list(range(1, len(numbers) + 1)) or not generations or not generations[-1].key:
        raise ValueError
    return KeyFile(generations, int(clear["rotate_days"]))


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _when(text: str | None) -> datetime | None:
    return None if text is None else _time(text)
