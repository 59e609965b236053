"""Real keys for servers that run as processes of their own: a key file, a passphrase, consumers and their tokens."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from ledger.cli.service_secrets import make_secrets, secret_settings


def key_settings() -> dict[str, str]:
    """The settings that say where they are; one set for a test run, as its servers share one PostgreSQL."""
    return secret_settings(_folder())


@cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="ledger-test-keys-"))
    atexit.register(shutil.rmtree, folder)
    make_secrets(folder)
    return folder
