"""Our integrator before transparency-dev's witness, over HTTP: cosigned while it grows, stopped where it goes back."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.integrator.log_keys import LogKeys
from ledger.log.log_files import LogFiles
from ledger.trust.note_key import VerifierKey, parse_verifier_key
from ledger.trust.policy import Policy
from ledger.trust.policy_file import parse_policy
from ledger.trust.signed_note import signers
from tests.contract.stream.loaded_ledger import ORIGIN_PREFIX, LoadedLedger
from tests.eventually import eventually
from tests.integration.log.conftest import Integrating, blobs, files, integrating, keys, ledger, settings
from tests.integration.log.waiting import until_halted, until_published

__all__ = ["blobs", "files", "integrating", "keys", "ledger", "settings"]
pytestmark = pytest.mark.timeout(300)  # the first build compiles the Go modules


@pytest.fixture
def log_key(keys: LogKeys, ledger: LoadedLedger) -> VerifierKey:
    """Of the hospital's log."""
    return keys.of(f"{ORIGIN_PREFIX}/{ledger.hospital}/1")[0].verifier()


@pytest.fixture
def policy(program: Path, log_key: VerifierKey, tmp_path: Path) -> Iterator[Policy]:
    """The witness that runs, and without which nothing is published."""
    folder = tmp_path / "witness"
    folder.mkdir()
    (folder / "log.vkey").write_text(str(log_key))
    process = subprocess.Popen([program, "serve", folder])
    try:
        eventually((folder / "address").exists, what="the witness's address")
        url, key = (folder / "address").read_text(), (folder / "witness.vkey").read_text().strip()
        yield parse_policy(f"witness w {key} {url}\nquorum w\n".encode())
    finally:
        process.kill()
        process.wait()


async def test_a_foreign_witness_cosigns_and_finds_what_was_put_back(
    ledger: LoadedLedger, files: LogFiles, integrating: Integrating, log_key: VerifierKey, policy: Policy,
    tmp_path: Path,
) -> None:  # fmt: skip
    """What is published bears its cosignature. Ledger and log both put back, it knows more; grown anew, another tree.

    Either stops the log: the files and the database agree with each other, and the witness alone remembers.
    """
    ledger.append(10)
    async with integrating(policy):
        await until_published(files, 10)
        ledger.append(600)
        await until_published(files, 610)
    note = files.published()
    assert note is not None
    (witness,) = policy.witnesses.values()
    assert set(signers(note, [log_key, parse_verifier_key(str(witness.key))])) == {log_key, witness.key}
    (tmp_path / "log").rename(tmp_path / "lost")
    ledger.cut(5)
    async with integrating(policy):
        assert "has cosigned 610" in await until_halted(files)
    (tmp_path / "log").rename(tmp_path / "behind")
    ledger.append(700)
    async with integrating():
        await until_published(files, 705)
    async with integrating(policy):
        assert "has cosigned another tree" in await until_halted(files)
