"""The account that a server runs under: PostgreSQL refuses to run as root."""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from ledger.embedded.errors import PostgresUnavailable

_UNPRIVILEGED = "nobody"  # initdb looks its account up by number, so it has to be one that has a name


@dataclass(frozen=True)
class Account:
    """A user and group by number."""

    uid: int
    gid: int

    def may_enter(self, folder: Path) -> bool:
        """Whether this account may pass through the folder and all that lie above it (mode bits only)."""
        resolved = folder.resolve()
        return all(self._may_pass(level.stat()) for level in [resolved, *resolved.parents])

    def _may_pass(self, found: os.stat_result) -> bool:
        if found.st_uid == self.uid:
            return bool(found.st_mode & stat.S_IXUSR)
        if found.st_gid == self.gid:
            return bool(found.st_mode & stat.S_IXGRP)
        return bool(found.st_mode & stat.S_IXOTH)


def server_account() -> Account | None:
    """The account for servers that refuse root; None where we are not root and servers run as ourselves."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(_UNPRIVILEGED)
    except KeyError:
        raise PostgresUnavailable(
            f"running as root, and the account '{_UNPRIVILEGED}' is missing",
            "Run as another user, or add that account.",
        ) from None
    return Account(entry.pw_uid, entry.pw_gid)
