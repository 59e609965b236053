"""Which browser prints for tests, and what this machine lacks for it."""

import os
import shutil
import subprocess
from functools import lru_cache

_SECONDS_MAX = 60


def program() -> str | None:
    """Debian's Chromium; LEDGER_TEST_CHROMIUM names another one."""
    return os.environ.get("LEDGER_TEST_CHROMIUM") or shutil.which("chromium")


@lru_cache(maxsize=1)
def missing() -> str:
    """What is not there; empty = nothing."""
    if program() is None:
        return "no chromium on this machine (Debian: apt install chromium fonts-wqy-microhei)"
    return (
        ""
        if _speaks_chinese()
        else "no Chinese font on this machine (Debian: apt install fontconfig fonts-wqy-microhei)"
    )


def _speaks_chinese() -> bool:
    listing = shutil.which("fc-list")
    if listing is None:
        return False
    found = subprocess.run([listing, ":lang=zh"], capture_output=True, timeout=_SECONDS_MAX, check=False)
    return bool(found.stdout.strip())
