"""The public file by which those who sign nothing know the heads of the service's logs."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.integrator.log_keys import KeyUnusable, LogKeys
from ledger.keys.log_verifiers import FILE_NAME, LogVerifiers
from ledger.log.log_files import LogDamaged
from ledger.log.own_heads import own_head
from ledger.trust.checkpoint import Checkpoint
from ledger.trust.note import Note
from ledger.trust.note_key import KeyKind, SigningKey
from tests.unit.trust.tlog_samples import LOG, ORIGIN, WITNESSES

SECOND = SigningKey(ORIGIN, KeyKind.ED25519, bytes(range(32)))


def test_a_log_may_have_several_keys(tmp_path: Path) -> None:
    """Each is added once; who has read the file sees the next one; other logs' keys are not of this one."""
    file = tmp_path / "keys" / FILE_NAME
    reading = LogVerifiers(file)
    assert reading(ORIGIN) == ()
    for key in (LOG, LOG, SECOND):
        LogVerifiers(file).add(key.verifier())
    assert list(reading(ORIGIN)) == [LOG.verifier(), SECOND.verifier()]
    assert reading("ledger.example/south/1") == ()
    assert (file.stat().st_mode & 0o777) == 0o644


def test_a_head_counts_under_either_key() -> None:
    """While one key follows another a head of the old or the new is ours; of neither it is refused by name."""
    text = Checkpoint(ORIGIN, 0, bytes(32)).text()
    for keys in ([LOG.verifier(), SECOND.verifier()], [SECOND.verifier()]):
        assert own_head(Note(text, (SECOND.sign(text),)), ORIGIN, keys, "signed").size == 0
    for keys, what in (([LOG.verifier()], "no trusted key"), ([], "no verifier key")):
        with pytest.raises(LogDamaged, match=what):
            own_head(Note(text, (SECOND.sign(text),)), ORIGIN, keys, "signed")


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (str(LOG.verifier())[:-4], "line 2"),
        (str(LOG.verifier()).replace("/north/", "/south/"), "key id"),
        (str(WITNESSES[0].verifier()), "a witness's key"),
    ],
    ids=["torn", "another name", "a witness"],
)
def test_a_faulty_line_is_named(tmp_path: Path, line: str, what: str) -> None:
    """A file with one line that is no key of a log is not believed at all."""
    file = tmp_path / FILE_NAME
    file.write_text(f"{LOG.verifier()}\n{line}\n")
    with pytest.raises(LogDamaged, match=what):
        LogVerifiers(file)(ORIGIN)


def test_a_file_that_others_may_write_is_refused(tmp_path: Path) -> None:
    """Who can change it could pass off another log; a symbolic link is no such file either."""
    file = tmp_path / FILE_NAME
    file.write_text(f"{LOG.verifier()}\n")
    file.chmod(0o664)
    with pytest.raises(LogDamaged, match="alone"):
        LogVerifiers(file)(ORIGIN)
    file.chmod(0o644)
    (tmp_path / "link").symlink_to(file)
    with pytest.raises(LogDamaged, match="cannot be read"):
        LogVerifiers(tmp_path / "link")(ORIGIN)


def test_nothing_is_signed_that_others_could_not_check(tmp_path: Path) -> None:
    """A key is known before it signs; where it cannot be made known it is not used."""
    passphrase = tmp_path / "passphrase"
    passphrase.touch(0o600)
    passphrase.write_text("a passphrase of the tests\n")
    (made,) = LogKeys(tmp_path / "keys", passphrase, make=True).of(ORIGIN)
    assert list(LogVerifiers(tmp_path / "keys" / FILE_NAME)(ORIGIN)) == [made.verifier()]
    (tmp_path / "taken").mkdir()
    unwritable = LogVerifiers(tmp_path / "taken")
    with pytest.raises(KeyUnusable, match="made known"):
        LogKeys(tmp_path / "keys", passphrase, make=False, verifiers=unwritable).of(ORIGIN)
