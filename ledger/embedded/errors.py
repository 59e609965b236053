"""What can go wrong when a server is started on this machine. No field ever holds a password."""

from pathlib import Path


class EmbeddedError(Exception):
    """A server of our own could not be run."""


class PostgresUnavailable(EmbeddedError):
    """No PostgreSQL that can be run here."""

    def __init__(self, missing: str, remedy: str) -> None:
        super().__init__(f"PostgreSQL cannot be started: {missing}. {remedy}")
        self.missing = missing
        self.remedy = remedy


class KafkaUnavailable(EmbeddedError):
    """No Apache Kafka that can be run here."""

    def __init__(self, missing: str, remedy: str) -> None:
        super().__init__(f"Kafka cannot be started: {missing}. {remedy}")
        self.missing = missing
        self.remedy = remedy


class ServerFailed(EmbeddedError):
    """A server ended, or did not answer in time."""

    def __init__(self, server: str, what: str, log: Path) -> None:
        super().__init__(f"{server} {what}; the end of {log}:\n{_tail(log)}")
        self.server = server
        self.log = log


class FolderInUse(EmbeddedError):
    """Another running process owns this folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder} is in use by another running process")
        self.folder = folder


class UnsafeFolder(EmbeddedError):
    """A folder that belongs to somebody else, or that others may write."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"{folder} exists but is not a folder that this user alone may write: remove it or choose another"
        )
        self.folder = folder


def _tail(log: Path, lines_max: int = 15) -> str:
    if not log.exists():
        return "(no log)"
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines_max:])
