"""What `ledger up` keeps in its folder between runs: ports, passwords of the database roles, the kind of stream."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ledger.cli.service_secrets import (
    make_reader,
    make_secrets,
    reader_settings,
    require_secrets,
    secret_settings,
)
from ledger.embedded.ports import LOOPBACK, free_port, is_free
from ledger.embedded.server_folder import write_privately

DATABASE = "ledger"
ROLES = ("ledger_migrate", "ledger_append", "ledger_stream", "ledger_views", "ledger_keys")
_FILE = "service.json"
LOG_PASSPHRASE = "keys.passphrase"  # noqa: S105 - the name of a file
"""Beside the folder of the logs' note keys, which it opens: who owns the folder owns the logs."""


@dataclass(frozen=True)
class Listen:
    """Where the edge is to listen, as LEDGER_GRPC_LISTEN and LEDGER_HTTP_LISTEN say it.

    Empty, or port 0: where it listened before if that port is free, else any free one.
    """

    grpc: str = ""
    http: str = ""


@dataclass(frozen=True)
class ServiceFolder:
    """The folder of one service; started again on it, the service goes on where it was."""

    path: Path
    passwords: dict[str, str]
    grpc_port: int
    http_port: int
    stream: str
    grpc_host: str = LOOPBACK
    http_host: str = LOOPBACK

    @classmethod
    def open(cls, path: Path, stream: str, listen: Listen) -> ServiceFolder:
        """The folder's state, new on first use. A ledger published on Kafka is not continued on the log, or back.

        Raises StreamDiffers, KeysMissing, PortTaken.
        """
        kept: dict[str, Any] = {}
        if (path / _FILE).exists():
            kept = json.loads((path / _FILE).read_text())
            if kept["stream"] != stream:
                raise StreamDiffers(kept["stream"], stream)
            require_secrets(path)
        passwords = kept.get("passwords") or {role: secrets.token_urlsafe(24) for role in ROLES}
        grpc_host, grpc_port = _place("LEDGER_GRPC_LISTEN", listen.grpc, kept.get("grpc_port"))
        http_host, http_port = _place("LEDGER_HTTP_LISTEN", listen.http, kept.get("http_port"))
        return cls(path, passwords, grpc_port, http_port, stream, grpc_host, http_host)

    @classmethod
    def look(cls, path: Path) -> ServiceFolder:
        """The folder's state as it was kept, changing nothing: for those who look at a running service.

        Raises NoService.
        """
        if not (path / _FILE).exists():
            raise NoService(path)
        return cls(path, **json.loads((path / _FILE).read_text()))

    @property
    def grpc(self) -> str:
        """Address of the gRPC edge."""
        return f"{self.grpc_host}:{self.grpc_port}"

    @property
    def http(self) -> str:
        """Address of the Connect/JSON edge."""
        return f"{self.http_host}:{self.http_port}"

    def settings(self, postgres_port: int, kafka: str) -> dict[str, str]:
        """The settings of every role on this folder's servers, as environment variables; holds passwords."""
        return {
            "LEDGER_POSTGRES_MIGRATE_URL": self.url("ledger_migrate", postgres_port),
            "LEDGER_POSTGRES_APPEND_URL": self.url("ledger_append", postgres_port),
            "LEDGER_POSTGRES_STREAM_URL": self.url("ledger_stream", postgres_port),
            "LEDGER_POSTGRES_VIEWS_URL": self.url("ledger_views", postgres_port),
            "LEDGER_POSTGRES_KEYS_URL": self.url("ledger_keys", postgres_port),
            **secret_settings(self.path),
            **reader_settings(self.path),
            "LEDGER_STREAM": self.stream,
            "LEDGER_KAFKA_BOOTSTRAP": kafka,
            "LEDGER_GRPC_LISTEN": self.grpc,
            "LEDGER_HTTP_LISTEN": self.http,
            "LEDGER_DATA_DIR": str(self.path),
            **self._passphrase(),
        }

    def _passphrase(self) -> dict[str, str]:
        file = self.path / LOG_PASSPHRASE
        return {"LEDGER_LOG_PASSPHRASE_FILE": str(file)} if file.exists() else {}

    def kept_settings(self) -> dict[str, str]:
        """The same for a program beside the service: where its servers were at their last start."""
        postgres = _kept_port(self.path / "postgres", "postgres")
        kafka = f"{LOOPBACK}:{_kept_port(self.path / 'kafka', 'broker')}" if self.stream == "kafka" else ""
        return self.settings(postgres, kafka)

    def superuser_url(self) -> str:
        """libpq URL of the superuser of the service's own PostgreSQL, as it was at its last start."""
        password = (self.path / "postgres" / "superuser.password").read_text().strip()
        port = _kept_port(self.path / "postgres", "postgres")
        return f"postgresql://postgres:{password}@127.0.0.1:{port}/{DATABASE}"

    def url(self, role: str, postgres_port: int) -> str:
        """libpq URL of a database role."""
        return f"postgresql://{role}:{self.passwords[role]}@127.0.0.1:{postgres_port}/{DATABASE}"

    def keep(self, *, new_secrets: bool = True) -> None:
        """Writes the state down, for the next start; only once the folder's servers are ours and nobody else's.

        Without `new_secrets` none are made: data whose keys are elsewhere must not be given others.
        """
        if new_secrets and not (self.path / _FILE).exists():
            make_secrets(self.path)
        make_reader(self.path)
        state = {
            "passwords": self.passwords,
            "grpc_port": self.grpc_port,
            "http_port": self.http_port,
            "stream": self.stream,
            "grpc_host": self.grpc_host,
            "http_host": self.http_host,
        }
        # The passwords of a database that outlives a power cut have to outlive it too.
        write_privately(self.path / _FILE, json.dumps(state, indent=2))
        if not (self.path / LOG_PASSPHRASE).exists():
            write_privately(self.path / LOG_PASSPHRASE, secrets.token_urlsafe(32) + "\n")


def kept_stream(path: Path) -> str | None:
    """The kind of stream with which the folder was made; None for a new folder."""
    file = path / _FILE
    return json.loads(file.read_text())["stream"] if file.exists() else None


class StreamDiffers(Exception):
    """The folder was made with the other kind of published stream."""

    def __init__(self, kept: str, asked: str) -> None:
        super().__init__(f"this folder publishes on {kept}, not on {asked}; use another --dir, or --stream {kept}")


class NoService(Exception):
    """A folder in which no service was ever started."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder} holds no service; `ledger up --dir` makes one")


class PortTaken(Exception):
    """Somebody else listens at the address that a setting names."""

    def __init__(self, setting: str, address: str) -> None:
        super().__init__(f"{setting}: somebody listens at {address} already")


def _place(setting: str, wanted: str, kept: int | None) -> tuple[str, int]:
    host, _, port = wanted.rpartition(":")
    if port in ("", "0"):
        return host or LOOPBACK, kept if kept and is_free(kept) else free_port()
    if host in (LOOPBACK, "localhost") and not is_free(int(port)):
        raise PortTaken(setting, wanted)
    return host, int(port)


def _kept_port(server: Path, name: str) -> int:
    return int(json.loads((server / "ports.json").read_text())[name])
