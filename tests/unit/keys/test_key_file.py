"""The key file: whole, private and of its passphrase, or refused by name; generations only grow."""

from __future__ import annotations

import json
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ledger.keys.errors import GenerationNeeded, KeyFileUnusable
from ledger.keys.key_file import SETTLED, KeyFile, new_key_file, read_key_file, write_key_file
from ledger.keys.secret_file import lock_beside, read_line_secret, read_secret, write_secret

NOW = datetime(2026, 11, 27, tzinfo=UTC)
PASSPHRASE = b"correct horse"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A key file with one generation."""
    found = tmp_path / "keys.json"
    write_key_file(found, new_key_file(NOW, os.urandom), PASSPHRASE, os.urandom, new=True)
    return found


def test_what_is_written_is_read_and_lies_encrypted(file: Path) -> None:
    """Generations come back; neither key nor passphrase is in the file, whose mode is 0600."""
    content = new_key_file(NOW, os.urandom).rotated(NOW + timedelta(days=31), os.urandom)
    write_key_file(file, content, PASSPHRASE, os.urandom)
    assert read_key_file(file, PASSPHRASE) == content
    text = file.read_text()
    assert not any(each.key.hex() in text for each in content.generations)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_key_does_not_show_itself(file: Path) -> None:
    """A log line or traceback that prints the content tells nothing of a key."""
    content = read_key_file(file, PASSPHRASE)
    assert repr(content.newest.key) not in repr(content)
    assert content.newest.key.hex() not in repr(content.newest)


def test_a_passphrase_is_dear_to_guess_and_a_file_asks_for_no_more(file: Path) -> None:
    """At least 2^17 for what is written; a file that asks for more than 256 MiB of memory is refused unopened."""
    head = json.loads(file.read_text())
    assert (head["n"], head["r"]) == (1 << 17, 8)
    for cost in ({"n": 1 << 19}, {"n": 1 << 17, "r": 32}):
        file.write_text(json.dumps(head | cost))
        with pytest.raises(KeyFileUnusable, match="no key file"):
            read_key_file(file, PASSPHRASE)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o660])
def test_a_file_that_is_open_to_others_is_refused(file: Path, mode: int) -> None:
    """Readable or writable by group or world."""
    file.chmod(mode)
    with pytest.raises(KeyFileUnusable, match="others may read"):
        read_key_file(file, PASSPHRASE)


def test_a_symlink_a_folder_and_a_missing_file_are_refused(file: Path) -> None:
    """A link may point elsewhere tomorrow."""
    link = file.with_name("link")
    link.symlink_to(file)
    for each, why in ((link, "symbolic link"), (file.parent, "regular"), (file.with_name("none"), "opened")):
        with pytest.raises(KeyFileUnusable, match=why):
            read_key_file(each, PASSPHRASE)


def test_every_truncation_is_refused(file: Path) -> None:
    """A file cut anywhere is no key file, and never a shorter list of generations."""
    whole = file.read_bytes()
    for size in range(0, len(whole), 7):
        file.write_bytes(whole[:size])
        with pytest.raises(KeyFileUnusable):
            read_key_file(file, PASSPHRASE)


def test_another_passphrase_or_an_altered_head_is_refused(file: Path) -> None:
    """The head is bound to what it protects; a cost that would stop the machine is not even tried."""
    with pytest.raises(KeyFileUnusable, match="passphrase"):
        read_key_file(file, b"wrong horse")
    whole = json.loads(file.read_bytes())
    for change in ({"salt": "00" * 16}, {"n": 1 << 14}, {"n": 1 << 40}, {"format": "ledger-keys/2"}, {"kdf": "none"}):
        file.write_text(json.dumps({**whole, **change}))
        with pytest.raises(KeyFileUnusable):
            read_key_file(file, PASSPHRASE)


def test_an_existing_file_is_never_made_anew(file: Path) -> None:
    """The keys in it are all that opens what they sealed."""
    before = file.read_bytes()
    with pytest.raises(KeyFileUnusable, match="exists already"):
        write_key_file(file, new_key_file(NOW, os.urandom), PASSPHRASE, os.urandom, new=True)
    assert file.read_bytes() == before


def test_two_programs_do_not_change_it_at_once(file: Path) -> None:
    """The second is told so, instead of undoing the first's rotation."""
    with lock_beside(file), pytest.raises(KeyFileUnusable, match="another program"), lock_beside(file):
        raise AssertionError


def test_a_secret_is_one_line(tmp_path: Path) -> None:
    """Two lines, or none, are a mistake of whoever wrote the file."""
    file = tmp_path / "passphrase"
    write_secret(file, b"secret\n")
    assert read_line_secret(file) == b"secret"
    for wrong in (b"one\ntwo\n", b"\n"):
        write_secret(file, wrong)
        with pytest.raises(KeyFileUnusable):
            read_line_secret(file)
    write_secret(file, bytes((1 << 20) + 1))
    with pytest.raises(KeyFileUnusable, match="more than"):
        read_secret(file)


def _two_generations() -> KeyFile:
    return new_key_file(NOW, os.urandom).rotated(NOW + timedelta(days=31), os.urandom)


def test_a_rotation_is_due_after_its_days() -> None:
    """31 days, or what the file says."""
    content = new_key_file(NOW, os.urandom)
    assert not content.due(NOW + timedelta(days=31))
    assert content.due(NOW + timedelta(days=31, seconds=1))


def test_a_destroyed_generation_stays_known_by_its_number() -> None:
    """Its key is gone, its row is not: a number is never given twice."""
    content = _two_generations().without(1, NOW + timedelta(days=40))
    assert (content.key_of(1), content.newest.number) == (None, 2)
    assert content.rotated(NOW + timedelta(days=62), os.urandom).newest.number == 3


@pytest.mark.parametrize(
    ("number", "at", "why"),
    [
        (2, timedelta(days=40), "newest"),
        (3, timedelta(days=40), "there is none"),
        (1, timedelta(days=31) + SETTLED / 2, "less than"),
    ],
)
def test_a_generation_that_may_be_in_use_is_not_destroyed(number: int, at: timedelta, why: str) -> None:
    """The newest, one that is not there, and one under which another process may still wrap."""
    with pytest.raises(GenerationNeeded, match=why):
        _two_generations().without(number, NOW + at)
