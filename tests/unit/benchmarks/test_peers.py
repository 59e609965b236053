"""What is fetched of other people's stores, and what is said of them."""

import json
import re
from importlib.resources import files
from typing import Any

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
