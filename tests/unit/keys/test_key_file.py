"""The key file: whole, private and of its passphrase, or refused by name; generations only grow."""

from __future__ import annotations

import hmac
import json
import os
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from ledger.keys.errors import GenerationNeeded, KeyFileUnusable
from ledger.keys.key_file import (
    BACKUP_DAYS,
    SETTLED,
    Generation,
    KeyFile,
    new_key_file,
    read_key_file,
    write_key_file,
)
from ledger.keys.secret_file import lock_beside, read_line_secret, read_secret, write_secret

NOW = datetime(2026, 11, 27, tzinfo=UTC)
PASSPHRASE = b"correct horse"
ROTATED = NOW + timedelta(days=31)
WINDOW = timedelta(days=BACKUP_DAYS)


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
    return new_key_file(NOW, os.urandom).rotated(ROTATED, os.urandom)


def test_a_rotation_is_due_after_its_days() -> None:
    """31 days, or what the file says."""
    content = new_key_file(NOW, os.urandom)
    assert not content.due(NOW + timedelta(days=31))
    assert content.due(NOW + timedelta(days=31, seconds=1))


def test_a_destroyed_generation_stays_known_by_its_number() -> None:
    """Its key is gone, its row is not: a number is never given twice."""
    content = _two_generations().looked_at({2: 5}, ROTATED + SETTLED).without(1, {}, ROTATED + SETTLED + WINDOW)
    assert (content.key_of(1), content.newest.number) == (None, 2)
    assert content.rotated(NOW + timedelta(days=90), os.urandom).newest.number == 3


@pytest.mark.parametrize(
    ("number", "at", "live", "why"),
    [
        (2, WINDOW, {}, "newest"),
        (3, WINDOW, {}, "there is none"),
        (1, SETTLED / 2, {}, "less than"),
        (1, WINDOW, {1: 30}, "30 keys are wrapped by it"),
        (1, WINDOW, {}, "nobody has noted"),
    ],
)
def test_a_generation_that_may_be_in_use_is_not_destroyed(
    number: int, at: timedelta, live: dict[int, int], why: str
) -> None:
    """The newest, one that is not there, one under which another process may still wrap, and one that wraps."""
    with pytest.raises(GenerationNeeded, match=why):
        _two_generations().without(number, live, ROTATED + at)


def test_a_generation_outlives_the_backups_from_while_it_wrapped() -> None:
    """The window runs from when it was seen to wrap nothing, however long ago the next was made; a key that turns up
    under it begins the window again."""
    empty = ROTATED + timedelta(days=36)
    content = _two_generations().looked_at({1: 1, 2: 4}, empty - WINDOW).looked_at({2: 5}, empty)
    assert content.looked_at({2: 6}, empty + timedelta(days=3)) == content, "it stays as first seen"
    with pytest.raises(GenerationNeeded, match="a backup of the last 35 days"):
        content.without(1, {}, empty + WINDOW - timedelta(seconds=1))
    assert content.without(1, {}, empty + WINDOW).key_of(1) is None
    again = content.looked_at({1: 1}, empty + WINDOW)
    assert again.may_go_at(1) is None
    assert again.looked_at({}, empty + 2 * WINDOW).may_go_at(1) == empty + 3 * WINDOW


def test_a_generation_is_not_empty_while_another_process_may_wrap_by_it() -> None:
    """For a moment after the rotation: what is looked at before counts from then."""
    assert _two_generations().looked_at({}, ROTATED).may_go_at(1) == ROTATED + SETTLED + WINDOW


def test_a_destruction_is_complete_once_no_backup_from_before_is_kept() -> None:
    """From before the tombstone, and from while a generation up to its own wrapped; one destroyed early makes nothing
    complete, and of one that an earlier release destroyed its end counts."""
    empty, gone = ROTATED + SETTLED, ROTATED + SETTLED + WINDOW
    content = _two_generations().looked_at({2: 5}, empty)
    assert content.complete_at(1, NOW, gone) is None, "it is there"
    done = content.without(1, {}, gone)
    assert done.complete_at(1, NOW, gone) == gone
    late = empty + timedelta(days=30)
    assert done.complete_at(1, late, gone) is None
    assert done.complete_at(1, late, late + WINDOW) == late + WINDOW
    assert done.complete_at(2, NOW, gone) is None
    early = replace(content, generations=(_gone(content, empty), content.newest))
    assert early.complete_at(1, NOW, gone - timedelta(seconds=1)) is None
    assert early.complete_at(1, NOW, gone) == gone
    old = replace(content, generations=(replace(_gone(content, empty), emptied_at=None), content.newest))
    assert old.complete_at(1, NOW, gone) == gone


def _gone(content: KeyFile, at: datetime) -> Generation:
    return replace(content.generations[0], key=b"", destroyed_at=at)


def test_a_file_of_before_says_nothing_of_empty_generations(file: Path) -> None:
    """It is looked at again, and backups are kept as long as where nobody says otherwise. What proves the register
    comes of its oldest key, and stays the same once it is written."""
    head = json.loads(file.read_text())
    bound = {name: head[name] for name in ("format", "kdf", "n", "r", "p", "salt")}
    kdf = Scrypt(salt=bytes.fromhex(head["salt"]), length=32, n=head["n"], r=head["r"], p=head["p"])
    cipher, nonce = AESGCM(kdf.derive(PASSPHRASE)), bytes.fromhex(head["nonce"])
    data = json.dumps(bound, sort_keys=True, separators=(",", ":")).encode()
    inside = json.loads(cipher.decrypt(nonce, bytes.fromhex(head["sealed"]), data))
    oldest = bytes.fromhex(inside["generations"][0]["key"])
    register_key = hmac.digest(oldest, b"ledger purge register 1", "sha256")
    before = replace(read_key_file(file, PASSPHRASE), register_key=register_key)
    older = {"rotate_days": inside["rotate_days"], "generations": inside["generations"]}
    for each in older["generations"]:
        del each["emptied_at"]
    sealed = cipher.encrypt(nonce, json.dumps(older).encode(), data)
    file.write_text(json.dumps(head | {"sealed": sealed.hex()}))
    assert read_key_file(file, PASSPHRASE) == before
    write_key_file(file, before.rotated(ROTATED, os.urandom), PASSPHRASE, os.urandom)
    assert read_key_file(file, PASSPHRASE).register_key == register_key
