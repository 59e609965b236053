"""What is fetched of other people's stores, and what is said of them."""

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from benchmarks.peers.fetched import PeerMissing, npm_folder, peer_versions
from benchmarks.peers.job import EVENT_BYTES, Probe, event_text, record_id
from benchmarks.peers.limits import NOTES, limits_table

_PEERS = files("benchmarks.peers")


def test_every_package_is_pinned_by_its_digest_and_no_registry_is_named() -> None:
    """What is run beside us is what was looked at, from whatever registry a machine is set up with."""
    lock: dict[str, Any] = json.loads(_PEERS.joinpath("npm", "package-lock.json").read_text())
    packages = {name: each for name, each in lock["packages"].items() if name}
    assert packages
    assert [name for name, each in packages.items() if not each.get("integrity", "").startswith("sha512-")] == []
    assert [name for name, each in packages.items() if "resolved" in each] == []
    wheels = _PEERS.joinpath("umadb.lock").read_text()
    assert re.search(r"umadb==[\d.]+ \\\n +--hash=sha256:[0-9a-f]{64}\n", wheels)


def test_a_result_names_the_versions_that_are_locked() -> None:
    """A figure of another version is another figure."""
    found = peer_versions()
    assert {"@event-driven-io/emmett-postgresql", "@eventide/message-db", "pg", "umadb"} <= found.keys()
    assert all(found.values())


def test_the_event_and_the_records_are_the_same_in_every_system() -> None:
    """Else the job would not be one job."""
    assert len(event_text().encode()) == EVENT_BYTES
    assert record_id(7) == record_id(7) != record_id(8)


def test_a_system_that_was_not_tried_is_not_praised() -> None:
    """Expected versions and holes are told by what was seen alone."""
    table = limits_table({"UmaDB (Python client)": Probe(conflict_refused=False, positions_skipped=2)})
    by_system = dict(
        zip(table.columns[0].cells, zip(table.columns[1].cells, table.columns[2].cells, strict=True), strict=True)
    )
    assert by_system["UmaDB"] == ("NOT refused (tried)", "2")
    assert {by_system[each] for each in NOTES if each != "UmaDB"} == {("not tried", "not tried")}


def test_without_node_its_systems_are_missing_with_the_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without Node measures the others, and says why these are not there."""
    monkeypatch.setenv("LEDGER_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PeerMissing, match="Node and npm"):
        npm_folder()


def test_what_could_not_be_fetched_is_fetched_again_and_its_reason_is_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A registry that was out of reach once must not leave half a peer behind that is then measured."""
    monkeypatch.setenv("LEDGER_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    for name in ("npm", "node"):
        program = tmp_path / name
        program.write_text("#!/bin/sh\necho out of reach >&2\nexit 1\n")
        program.chmod(0o755)
    for _ in range(2):
        with pytest.raises(PeerMissing, match=r"fetch\.log"):
            npm_folder()
    (log,) = (tmp_path / "cache").rglob("fetch.log")
    assert log.read_text() == "out of reach\n"
