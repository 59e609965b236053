"""Which key signed a log from when on: every line signed by its own keys, each vouched for by the one before."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from ledger.backup.copied_log import copy_log
from ledger.blobs.directory import DirectoryBlobs
from ledger.cli.main import main
from ledger.integrator.signed_log import SignedLog
from ledger.keys.log_verifiers import LogVerifiers
from ledger.log.key_register import key_register, line_path, note_keys
from ledger.log.log_files import LogDamaged, LogFiles
from ledger.log.own_heads import OwnLogs
from ledger.server.errors import NoSuchLogFile
from ledger.server.log_pages import LogPages
from ledger.trust.format_fault import FormatFault
from ledger.trust.key_period import KeyPeriod, parse_key_period
from ledger.trust.note import Note
from ledger.trust.note_key import KeyKind, SigningKey
from tests.fault.test_integration_step import EVENTS
from tests.unit.trust.tlog_samples import LOG, ORIGIN

NEXT = SigningKey(ORIGIN, KeyKind.ED25519, bytes(31) + b"\x01")
STRANGE = SigningKey(ORIGIN, KeyKind.ED25519, bytes(31) + b"\x02")
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


@pytest.fixture
def files(tmp_path: Path) -> LogFiles:
    return LogFiles(DirectoryBlobs(tmp_path / "log"), "north")


def rotated(files: LogFiles) -> None:
    for size, keys in ((0, [LOG]), (0, [LOG]), (20, [LOG, NEXT]), (30, [NEXT])):
        note_keys(files, ORIGIN, size, keys, NOW)


def test_a_line_is_added_when_other_keys_sign_and_only_then(files: LogFiles) -> None:
    """Each overlaps the one before. A key that nobody before has signed for is there too, and said to be so."""
    rotated(files)
    lines = key_register(files)
    assert [(each.period.size, len(each.period.keys), each.vouched) for each in lines] == [
        (0, 1, True), (20, 2, True), (30, 1, True)
    ]  # fmt: skip
    assert {each.period.began for each in lines} == {int(NOW.timestamp())}
    note_keys(files, ORIGIN, 40, [STRANGE], NOW)
    assert [each.vouched for each in key_register(files)] == [True, True, True, False]


def test_a_line_that_its_keys_have_not_all_signed_is_none(files: LogFiles) -> None:
    """One signature of two, a changed size, another log's key, another form: refused, and the file is named."""
    text = KeyPeriod(ORIGIN, 20, 1, (LOG.verifier(), NEXT.verifier())).text()
    other = KeyPeriod("ledger.example/south/1", 20, 1, (LOG.verifier(),))
    whole = KeyPeriod(ORIGIN, 20, 1, (LOG.verifier(),)).signed([LOG])
    bad = (
        Note(text, (LOG.sign(text),)),
        Note(whole.text.replace("\n20\n", "\n21\n"), whole.signatures),
        other.signed([LOG]),
        Note("ledger-log-keys@v1\n", (LOG.sign("ledger-log-keys@v1\n"),)),
    )
    for note in bad:
        with pytest.raises(FormatFault):
            parse_key_period(note)
    files.write({line_path(1): bad[0].encode()})
    with pytest.raises(LogDamaged, match="keys/001"):
        key_register(files)


def test_the_register_goes_along_with_its_log_and_is_read_by_a_command(files: LogFiles, tmp_path: Path) -> None:
    """A backup of the log has it; `ledger keys history` says which key signed from when on, and whether the first one
    is known here."""
    log = SignedLog(files, ORIGIN, NEXT)
    log.take(EVENTS[:10])
    log.publish(log.sign(), log.signed)
    rotated(files)
    copied = DirectoryBlobs(tmp_path / "copied")
    copy_log(DirectoryBlobs(tmp_path / "log"), copied, "north")
    assert key_register(LogFiles(copied, "north")) == key_register(files)
    environment = {"LEDGER_DATA_DIR": str(tmp_path)}
    said = CliRunner().invoke(main, ["keys", "history", ORIGIN], env=environment).output
    assert "nobody vouches" in said
    (tmp_path / "keys").mkdir()
    LogVerifiers(tmp_path / "keys" / "verifiers").add(LOG.verifier())
    said = CliRunner().invoke(main, ["keys", "history", ORIGIN], env=environment).output
    assert said.splitlines()[0] == f"from size 0, 2026-11-27T12:00:00Z (claimed): {LOG.verifier()}"
    assert (len(said.splitlines()), "nobody vouches" in said) == (4, False)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_line_that_is_taken_away_is_found(files: LogFiles, tmp_path: Path, number: int) -> None:
    """Between others by its number, at the end by the newest head, which is signed by keys that no line names."""
    for size, keys in ((10, [LOG]), (20, [LOG, NEXT]), (30, [NEXT])):
        log = SignedLog(files, ORIGIN, *keys, known=[LOG.verifier()])
        if log.signed.size:
            log.take_up(log.signed.root)
        log.take(EVENTS[log.size : size])
        log.publish(log.sign(), log.signed)
        note_keys(files, ORIGIN, size, keys, NOW)
    history = ["keys", "history", ORIGIN], {"LEDGER_DATA_DIR": str(tmp_path)}
    whole = CliRunner().invoke(main, history[0], env=history[1])
    assert whole.exit_code == 0, whole.output
    (tmp_path / "log" / "north" / line_path(number)).unlink()
    found = CliRunner().invoke(main, history[0], env=history[1])
    assert (found.exit_code, f"{line_path(number)}: missing" in found.output) == (1, True), found.output


async def test_everybody_may_read_it(files: LogFiles, tmp_path: Path) -> None:
    """At the log's address, without a token; what is no line of it is not there."""

    async def origin_of(_: str) -> str:
        return ORIGIN

    rotated(files)
    logs = OwnLogs(DirectoryBlobs(tmp_path / "log"), lambda _: [LOG.verifier()])
    pages = LogPages(logs, origin_of, ())
    page = await pages.page("/log/north/keys/002", "")
    assert (page.body, page.caching) == (files.read("keys/002"), "no-cache")
    for path in ("keys/004", "keys/2", "keys/002/003", "halted/repair"):
        with pytest.raises(NoSuchLogFile):
            await pages.page(f"/log/north/{path}", "")
