"""The keys and tokens of a service of `ledger up`: made with its folder, never made again for data that exist."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from ledger.api.v1.keys_pb2 import (
    UNSEAL_PURPOSE_ARCHIVE,
    UNSEAL_PURPOSE_INSPECTION,
    UNSEAL_PURPOSE_ROUTING,
    UNSEAL_PURPOSE_TRANSFERS,
    UNSEAL_PURPOSE_VIEWS,
    UnsealPurpose,
)
from ledger.keys.consumers_file import EVERY_HOSPITAL, consumer, write_consumers
from ledger.keys.key_file import COST_OF_A_RANDOM_PASSPHRASE, new_key_file, write_key_file
from ledger.keys.secret_file import read_line_secret, write_secret

FOLDER = "keys"
OPERATOR = "operator"
"""Whoever sits at the machine and may read the folder."""
_PURPOSES: Mapping[str, tuple[UnsealPurpose.ValueType, ...]] = {
    "publish": (UNSEAL_PURPOSE_ROUTING,),
    "project": (UNSEAL_PURPOSE_VIEWS,),
    "consume": (UNSEAL_PURPOSE_TRANSFERS,),
    OPERATOR: (UNSEAL_PURPOSE_VIEWS, UNSEAL_PURPOSE_ARCHIVE, UNSEAL_PURPOSE_INSPECTION),
}
_READERS = "log-readers"
_READER_TOKEN = "token-reader"  # noqa: S105 - the name of a file
_READERS_SETTING = "LEDGER_LOG_READERS"
KEY_FILE_NAME = "key-encryption-keys.json"
PASSPHRASE = "passphrase"  # noqa: S105 - the name of a file
_OF_SERVE_ALONE = (
    "LEDGER_POSTGRES_KEYS_URL",
    "LEDGER_KEY_FILE",
    "LEDGER_KEY_PASSPHRASE_FILE",
    "LEDGER_UNSEAL_CONSUMERS_FILE",
)


class KeysMissing(Exception):
    """The folder holds a service but not its keys: nothing in it can be read, and new ones would not help."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"{folder}: {KeysMissing.__doc__} Put the folder `{FOLDER}` back from its backup. "
            "A service from before bodies were sealed is not taken up by this release."
        )
        self.folder = folder


def require_secrets(folder: Path) -> None:
    """Raises KeysMissing for a service whose keys are not in its folder."""
    if not (folder / FOLDER / KEY_FILE_NAME).exists():
        raise KeysMissing(folder)


def make_secrets(folder: Path) -> None:
    """Makes what is not there yet, for a new service: never for one that has data."""
    own = folder / FOLDER
    own.mkdir(mode=0o700, exist_ok=True)
    if not (own / PASSPHRASE).exists():
        write_secret(own / PASSPHRASE, secrets.token_urlsafe(32).encode())
    if not (own / KEY_FILE_NAME).exists():
        passphrase = read_line_secret(own / PASSPHRASE)
        made = new_key_file(datetime.now(UTC), os.urandom)
        cost = COST_OF_A_RANDOM_PASSPHRASE
        write_key_file(own / KEY_FILE_NAME, made, passphrase, os.urandom, new=True, cost=cost)
    tokens = {name: secrets.token_urlsafe(32) for name in _PURPOSES}
    for name, token in tokens.items():
        write_secret(own / f"token-{name}", token.encode())
    # The roles of one machine serve every hospital on it; other programs are let in hospital by hospital.
    made = [consumer(each, tokens[each], *_PURPOSES[each], hospitals=[EVERY_HOSPITAL]) for each in _PURPOSES]
    write_consumers(own / "consumers.json", made)


def make_reader(folder: Path) -> None:
    """Makes the operator's token for the entries of the logs, where there is none: also for a service that has data."""
    own = folder / FOLDER
    own.mkdir(mode=0o700, exist_ok=True)  # a restore without keys has made none
    if not (own / _READERS).exists():
        token = secrets.token_urlsafe(32)
        write_secret(own / _READER_TOKEN, token.encode())
        write_secret(own / _READERS, f"{OPERATOR} * {sha256(token.encode()).hexdigest()}\n".encode())


def reader_token(folder: Path) -> str:
    """The operator's token for the entries of the logs; empty where the folder has none. KeyFileUnusable."""
    file = folder / FOLDER / _READER_TOKEN
    return read_line_secret(file).decode() if file.exists() else ""


def reader_settings(folder: Path) -> dict[str, str]:
    """Who may read entries: a file of the operator's own choice goes before the one made here."""
    file = os.environ.get(_READERS_SETTING) or str(folder / FOLDER / _READERS)
    return {_READERS_SETTING: file} if Path(file).exists() else {}


def secret_settings(folder: Path, token_of: str = OPERATOR) -> dict[str, str]:
    """Where they are, as environment variables."""
    own = folder / FOLDER
    return {
        "LEDGER_KEY_FILE": str(own / KEY_FILE_NAME),
        "LEDGER_KEY_PASSPHRASE_FILE": str(own / PASSPHRASE),
        "LEDGER_UNSEAL_CONSUMERS_FILE": str(own / "consumers.json"),
        "LEDGER_UNSEAL_TOKEN_FILE": str(own / f"token-{token_of}"),
    }


def settings_of_role(folder: Path, command: str, settings: Mapping[str, str]) -> dict[str, str]:
    """A service's settings without those that are not this role's business, and with its own token if it has one."""
    if command == "serve":
        return dict(settings)
    kept = {name: value for name, value in settings.items() if name not in _OF_SERVE_ALONE}
    if command in _PURPOSES:
        kept["LEDGER_UNSEAL_TOKEN_FILE"] = str(folder / FOLDER / f"token-{command}")
    return kept
