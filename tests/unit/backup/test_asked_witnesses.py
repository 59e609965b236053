"""What witnesses say against a backup, which none of them can prove, is weighed as the log weighs it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import httpx
import pytest

from ledger.backup import asking
from ledger.backup.asking import Asked, ask_witnesses
from ledger.backup.faults import RestoreRefused
from ledger.backup.manifest import Ledger
from ledger.blobs.directory import DirectoryBlobs
from ledger.integrator.signed_log import SignedLog
from ledger.log.log_files import LogFiles
from ledger.trust.policy_file import parse_policy
from tests.fault.test_integration_step import EVENTS
from tests.unit.integrator.test_contradicting_witnesses import ANY, TWO, answer
from tests.unit.trust.tlog_samples import LOG, ORIGIN, WITNESSES

NORTH = Ledger("north", ORIGIN, 1, 10, "", None)


@pytest.fixture
def log(tmp_path: Path) -> DirectoryBlobs:
    """The log in a backup, ten events."""
    blobs = DirectoryBlobs(tmp_path / "log")
    signed = SignedLog(LogFiles(blobs, NORTH.log_folder), ORIGIN, LOG)
    signed.take(EVENTS[:10])
    signed.sign()
    return blobs


def asked(
    monkeypatch: pytest.MonkeyPatch, log: DirectoryBlobs, group: str, manners: str, *, for_repair: bool = False
) -> Asked:
    """What three witnesses of these manners come to under this group."""
    lines = [f"witness w{at} {each.verifier()} http://w{at}/" for at, each in enumerate(WITNESSES, 1)]
    policy = parse_policy("\n".join([*lines, group, "quorum ours", ""]).encode())
    transport = httpx.MockTransport(lambda request: answer(request, manners))
    monkeypatch.setattr(asking.httpx, "AsyncClient", partial(httpx.AsyncClient, transport=transport))
    return ask_witnesses(policy, log, NORTH, for_repair=for_repair)


@pytest.mark.parametrize("manners", ["fcc", "acc"])
def test_one_that_is_outvoted_keeps_no_backup_out(
    monkeypatch: pytest.MonkeyPatch, log: DirectoryBlobs, manners: str
) -> None:
    """Every quorum has a witness that has just cosigned: the one that contradicts is named, and refuses nothing."""
    found = asked(monkeypatch, log, TWO, manners)
    assert found.seen == ()
    assert [("outvoted" in said, WITNESSES[0].name in said) for said in found.unasked] == [(True, True)]


@pytest.mark.parametrize(("group", "manners"), [(TWO, "f.c"), (TWO, "ffc"), (ANY, "fcc")])
def test_what_may_be_true_keeps_it_out(
    monkeypatch: pytest.MonkeyPatch, log: DirectoryBlobs, group: str, manners: str
) -> None:
    """Without those that cosigned there could have been a quorum."""
    with pytest.raises(RestoreRefused) as refused:
        asked(monkeypatch, log, group, manners)
    assert WITNESSES[0].name in str(refused.value)


def test_for_a_repair_a_claim_is_said_and_refuses_nothing(monkeypatch: pytest.MonkeyPatch, log: DirectoryBlobs) -> None:
    """An older backup is cosigned by nobody, so one liar beside honest witnesses would keep every repair out; what is
    put back for one does not grow before the witnesses are asked again."""
    found = asked(monkeypatch, log, TWO, "faa", for_repair=True)
    assert [(each.source, each.size) for each in found.seen] == [(f"witness {w.name}", 4711) for w in WITNESSES[1:]]
    assert any("without proof" in said and WITNESSES[0].name in said for said in found.unasked)
