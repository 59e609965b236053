"""What `ledger up` keeps in its folder between runs: ports, passwords of the database roles, the kind of stream."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ledger.embedded.ports import free_port, is_free

DATABASE = "ledger"
ROLES = ("ledger_migrate", "ledger_append", "ledger_stream", "ledger_views", "ledger_keys")
_FILE = "service.json"


@dataclass(frozen=True)
class ServiceFolder:
    """The folder of one service; started again on it, the service goes on where it was."""

    path: Path
    passwords: dict[str, str]
    grpc_port: int
    http_port: int
    stream: str

    @classmethod
    def open(cls, path: Path, stream: str) -> ServiceFolder:
        """The folder's state, new on first use. A ledger published on Kafka is not continued on the log, or back.

        Raises StreamDiffers.
        """
        path.mkdir(parents=True, exist_ok=True)
        kept: dict[str, Any] = {}
        if (path / _FILE).exists():
            kept = json.loads((path / _FILE).read_text())
            if kept["stream"] != stream:
                raise StreamDiffers(kept["stream"], stream)
        passwords = kept.get("passwords") or {role: secrets.token_urlsafe(24) for role in ROLES}
        return cls(path, passwords, _port(kept.get("grpc_port")), _port(kept.get("http_port")), stream)

    @classmethod
    def look(cls, path: Path) -> ServiceFolder:
        """The folder's state as it was kept, changing nothing: for those who look at a running service."""
        return cls(path, **json.loads((path / _FILE).read_text()))

    def url(self, role: str, postgres_port: int) -> str:
        """libpq URL of a database role."""
        return f"postgresql://{role}:{self.passwords[role]}@127.0.0.1:{postgres_port}/{DATABASE}"

    def keep(self) -> None:
        """Writes the state down, for the next start; only once the folder's servers are ours and nobody else's."""
        state = {
            "passwords": self.passwords,
            "grpc_port": self.grpc_port,
            "http_port": self.http_port,
            "stream": self.stream,
        }
        part = self.path / f"{_FILE}.part"
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            json.dump(state, out, indent=2)
        part.replace(self.path / _FILE)


def kept_stream(path: Path) -> str | None:
    """The kind of stream with which the folder was made; None for a new folder."""
    file = path / _FILE
    return json.loads(file.read_text())["stream"] if file.exists() else None


class StreamDiffers(Exception):
    """The folder was made with the other kind of published stream."""

    def __init__(self, kept: str, asked: str) -> None:
        super().__init__(f"this folder publishes on {kept}, not on {asked}; use another --dir, or --stream {kept}")


def _port(kept: int | None) -> int:
    return kept if kept and is_free(kept) else free_port()
