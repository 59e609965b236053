"""What the peers are made of, fetched once by their own ecosystems' clients into .ledger-cache, checked by lock files.

Nothing of a peer is a dependency of the project: what cannot be fetched is "not measured", with the reason.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ledger.embedded.kafka_jars import default_cache

_HERE = Path(__file__).parent
_SECONDS_MAX = 300
_NAMED = ("@event-driven-io/emmett-postgresql", "@eventide/message-db", "pg")


class PeerMissing(Exception):
    """A peer could not be fetched."""


def npm_folder() -> Path:
    """The folder in which a program finds the packages of `npm/package-lock.json`. Raises PeerMissing."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        raise PeerMissing("Node and npm (20 or later) are not on PATH")
    lock = _HERE / "npm" / "package-lock.json"
    folder = _folder("npm", lock)
    if not (folder / "fetched").exists():
        for each in (lock, lock.with_name("package.json")):
            shutil.copy(each, folder)
        # No scripts of other people are run: these packages need none.
        _fetch([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder)
        (folder / "fetched").touch()
    return folder


def umadb_folder() -> Path:
    """The folder that holds UmaDB's wheel, unpacked. Raises PeerMissing."""
    lock = _HERE / "umadb.lock"
    folder = _folder("umadb", lock)
    if not (folder / "fetched").exists():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _fetch([*pip, "--no-deps", "--only-binary=:all:", "--require-hashes", "--target", ".", "-r", str(lock)], folder)
        (folder / "fetched").touch()
    return folder


def peer_versions() -> dict[str, str]:
    """Of what is fetched, as locked, and of the Node that runs it."""
    lock: dict[str, Any] = json.loads((_HERE / "npm" / "package-lock.json").read_text())
    found = {name: str(lock["packages"][f"node_modules/{name}"]["version"]) for name in _NAMED}
    wheel = re.search(r"^(umadb)==(\S+)", (_HERE / "umadb.lock").read_text(), re.MULTILINE)
    if wheel:
        found[wheel[1]] = wheel[2]
    if node := shutil.which("node"):
        told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False, timeout=_SECONDS_MAX)
        found["node"] = told.stdout.strip()
    return found


def _folder(name: str, lock: Path) -> Path:
    """Named after what is locked, so that another version never meets the files of this one."""
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:12]
    folder = default_cache().resolve() / "peers" / f"{name}-{digest}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _fetch(command: Sequence[str], folder: Path) -> None:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=_SECONDS_MAX
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise PeerMissing(f"{Path(command[0]).name} did not finish within {_SECONDS_MAX} s") from None
    if done.returncode:
        (folder / "fetch.log").write_text(done.stdout + done.stderr)
        raise PeerMissing(f"{Path(command[0]).name} failed; fetch.log in .ledger-cache/peers/{folder.name} says why")
