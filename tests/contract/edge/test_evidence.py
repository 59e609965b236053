"""`ledger export evidence` as a court gets it: who acted by name, what was proven, and since when."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from ledger.cli.map_records import publish_map
from ledger.server.key_service import RPC
from ledger.trust.note_key import VerifierKey
from ledger.trust.policy import Policy
from ledger.trust.policy_file import parse_policy
from tests.contract.edge.conftest import RunningEdge
from tests.contract.edge.test_proofs import grounded
from tests.services.key_service import fixed_key_service, token_file
from tests.services.witness import WitnessProcess
from tests.unit.domain.test_pack_text import NATIONAL
from tests.unit.domain.test_release_rules import whole_text

NAME = "Dr Hale, L-1"
TOOLS = (
    *((name, version(name)) for name in ("medical-record-ledger", "cryptography")),
    ("Python", ".".join(map(str, sys.version_info[:3]))),
)
"""With which the pack was checked: a court may want the same ones."""


class Witnesses:
    """Three of the log, once its key is known, and the policy file that names them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.policy = folder / "policy"
        self.running: list[WitnessProcess] = []

    def of(self, log: VerifierKey) -> Policy:
        """Starts them; two must cosign."""
        for at in (1, 2, 3):
            self.running.append(WitnessProcess(self._folder / f"w{at}", f"witness.test/w{at}", [log]))
            self.running[-1].start()
        named = [f"witness w{at} {each.key} {each.url}" for at, each in enumerate(self.running, 1)]
        text = "\n".join([f"log {log}", *named, "group ours 2 w1 w2 w3", "quorum ours", ""])
        self.policy.write_text(text)
        return parse_policy(text.encode())


@pytest.fixture
def witnesses(tmp_path: Path) -> Iterator[Witnesses]:
    """Stopped afterwards."""
    found = Witnesses(tmp_path)
    yield found
    for each in found.running:
        each.stop()


async def test_evidence_names_who_acted_and_since_when_it_is_proven(
    idle_edge: RunningEdge, tmp_path: Path, witnesses: Witnesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of sealed bodies: with --names as the key service opens them, without it by id alone; the pack stays sealed.

    The page says each witness, the proven time and the versions of the tools, and the policy lies beside it.
    """
    idle_edge.queries[RPC] = fixed_key_service().unseal
    async with grounded(idle_edge, tmp_path, witnesses.of) as ground:
        record_id, position = await ground.record(2)
        await ground.published(position)
        made = await publish_map(ground.channel, ground.logs, "north", ground.origin)
        assert made is not None
        await ground.published(made.position)
        unseal = tmp_path / "unseal"
        unseal.mkdir()
        asked = ("export", "evidence", record_id, *ground.at, "--policy", str(witnesses.policy))
        named, unnamed = tmp_path / "named", tmp_path / "unnamed"
        refused = await ground.cli(*asked, "--out", str(named), "--names")
        assert (refused.exit_code, "LEDGER_UNSEAL_TOKEN_FILE" in refused.output) == (2, True)
        monkeypatch.setenv("LEDGER_UNSEAL_TOKEN_FILE", str(token_file(unseal)))
        for out, more in ((named, ("--names",)), (unnamed, ())):
            exported = await ground.cli(*asked, "--out", str(out), *more)
            assert exported.exit_code == 0, exported.output
        page = (named / "evidence.html").read_text()
        assert f"<td>{NAME}</td>" in page
        assert sum(f"Witness w{at} saw it at " in page for at in (1, 2, 3)) >= 2
        for tool, its_version in TOOLS:
            assert f"<td>{tool}</td><td>{its_version}</td>" in page
        assert "<td>clock of the machine that made this</td>" in page
        assert "Proven time: it existed at the latest at " in page
        assert (named / "policy.txt").read_bytes() == witnesses.policy.read_bytes()
        assert NAME.encode() not in (named / "record.proof-pack").read_bytes()
        for out in (named, unnamed):
            book = ("verify", "pack", str(out / "rulebook.proof-pack"), "--policy", str(witnesses.policy))
            assert (await ground.cli(*book)).exit_code == 0
        rules = {each.name: each.read_text() for each in (named / "rules").iterdir()}
        assert rules == {"cn-2010@1.toml": NATIONAL, "templates-3.toml": whole_text()}, "as signed, without a release"
        assert not (unnamed / "rules").exists()
        without = (unnamed / "evidence.html").read_text()
        assert NAME not in without
        assert "<td>not opened</td>" in without
