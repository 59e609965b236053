"""Key files are written once and read only where they are safe."""

import fcntl
import os
import resource
from contextlib import nullcontext
from pathlib import Path

import pytest
from click.testing import CliRunner

from ledger.cli.keys import keys
from ledger.keys.key_folder import KeyFolder, open_signing_key, read_sealed_key
from ledger.keys.private_file import UnsafeFile, read_private, write_private
from ledger.trust.note_key import KeyKind, parse_verifier_key
from ledger.trust.sealed_key import SealedKeyFault

NAME = "ledger.example/north/1"
PASSPHRASE = b"a passphrase"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "keys"


@pytest.fixture
def key_file(folder: Path) -> Path:
    made = KeyFolder(folder)
    made.make(NAME, KeyKind.ED25519, PASSPHRASE, cost=14)
    return made.path_of(NAME, KeyKind.ED25519)


def test_key_is_made_and_opened(folder: Path) -> None:
    """What was made opens with its passphrase; folder and file are its owner's alone; no two keys are the same."""
    made = KeyFolder(folder)
    log = made.make(NAME, KeyKind.ED25519, PASSPHRASE, cost=14)
    witness = made.make(NAME, KeyKind.COSIGNATURE, PASSPHRASE, cost=14)
    path = made.path_of(NAME, KeyKind.ED25519)
    assert open_signing_key(path, PASSPHRASE).verifier() == log
    assert log.public_key != witness.public_key
    assert (folder.stat().st_mode & 0o777, path.stat().st_mode & 0o777) == (0o700, 0o600)
    assert path.name == "ledger.example+north+1.note-key"
    assert sorted(made.paths()) == sorted([path, made.path_of(NAME, KeyKind.COSIGNATURE)])


def test_key_is_never_written_over(folder: Path, key_file: Path) -> None:
    """A second key of the same name is refused and the first one stays."""
    before = key_file.read_bytes()
    with pytest.raises(FileExistsError):
        KeyFolder(folder).make(NAME, KeyKind.ED25519, PASSPHRASE, cost=14)
    assert key_file.read_bytes() == before


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o601])
def test_file_that_others_may_touch(key_file: Path, mode: int) -> None:
    """A key that others could read or exchange is refused."""
    key_file.chmod(mode)
    with pytest.raises(UnsafeFile, match="chmod 600"):
        read_sealed_key(key_file)


def test_symbolic_link(key_file: Path) -> None:
    """A link is refused even where the file behind it is safe."""
    link = key_file.with_name("link")
    link.symlink_to(key_file)
    with pytest.raises(UnsafeFile, match="a symbolic link"):
        read_sealed_key(link)


@pytest.mark.timeout(60)
def test_what_is_no_file(folder: Path, key_file: Path) -> None:
    """A folder is refused, and a pipe does not hold the reader."""
    pipe = key_file.with_name("pipe")
    os.mkfifo(pipe, 0o600)
    for path in (folder, pipe):
        with pytest.raises(UnsafeFile, match="not a regular file"):
            read_private(path, bytes_max=10)
    with pytest.raises(FileNotFoundError):
        read_private(folder / "nothing", bytes_max=10)


def test_truncated_and_oversized(key_file: Path) -> None:
    """A file that was cut or grew is refused."""
    whole = key_file.read_bytes()
    key_file.write_bytes(whole[:-5])
    with pytest.raises(SealedKeyFault):
        read_sealed_key(key_file)
    key_file.write_bytes(whole + bytes(4096))
    with pytest.raises(UnsafeFile, match="more than 4096 bytes"):
        read_sealed_key(key_file)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_file_of_another_user(key_file: Path) -> None:
    """A key that somebody else owns is refused."""
    os.chown(key_file, 65534, -1)
    with pytest.raises(UnsafeFile, match="another user"):
        read_sealed_key(key_file)


def test_every_fault_of_a_file_is_named(key_file: Path) -> None:
    """One error names them all."""
    key_file.write_bytes(bytes(5000))
    key_file.chmod(0o644)
    with pytest.raises(UnsafeFile) as caught:
        read_sealed_key(key_file)
    assert len(caught.value.faults) == 2


def test_nothing_is_left_of_a_failed_write(tmp_path: Path) -> None:
    """Where the system takes no more bytes, no half key is left."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            write_private(tmp_path / "key", bytes(11))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []


def test_what_a_kill_leaves_of_a_write_is_no_key(tmp_path: Path) -> None:
    """A file has its name once it is whole, so a torn one is nobody's key, and the next write takes its place; not
    while another process is at it, and never over a key that is there."""
    part = tmp_path / "key.part"
    part.touch(0o600)
    part.write_bytes(b"torn")
    with part.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(FileExistsError):
            write_private(tmp_path / "key", b"whole")
    assert list(tmp_path.iterdir()) == [part]
    write_private(tmp_path / "key", b"whole")
    with pytest.raises(FileExistsError):
        write_private(tmp_path / "key", b"another")
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {"key": b"whole"}


@pytest.mark.parametrize("moved", ["key", "key.retired"])
def test_a_key_whose_writer_was_killed_at_the_last_moment_is_never_written_over(tmp_path: Path, moved: str) -> None:
    """It has its name and still its first one too. What is written next under that first name is another file, also
    where the key was moved since: to be put away, or into the place of the one before it."""
    key = tmp_path / "key"
    write_private(key, b"whole")
    (tmp_path / "key.part").hardlink_to(key)
    key.rename(tmp_path / moved)
    with nullcontext() if moved != "key" else pytest.raises(FileExistsError):
        write_private(key, b"another")
    there = {each.name: each.read_bytes() for each in tmp_path.iterdir()}
    assert there == ({"key": b"whole"} if moved == "key" else {"key": b"another", moved: b"whole"})


def test_nothing_secret_goes_into_a_file_that_others_may_read(tmp_path: Path) -> None:
    """One that lies where the part is to be written, be it in a folder that others may write."""
    part = tmp_path / "key.part"
    part.touch(0o644)
    with pytest.raises(UnsafeFile, match="others may read"):
        write_private(tmp_path / "key", b"secret")
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {"key.part": b""}


def test_the_command_makes_and_shows(tmp_path: Path) -> None:
    """`ledger keys new` prints a verifier key, `show` the same again, with `--open` only under the right passphrase."""
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    write_private(right, PASSPHRASE + b"\nignored\n")
    write_private(wrong, b"another passphrase\n")
    place = ["--dir", str(tmp_path / "keys")]
    made = CliRunner().invoke(keys, ["new", NAME, "--witness", *place, "--passphrase-file", str(right)])
    assert made.exit_code == 0
    assert parse_verifier_key(made.stdout.strip()).kind is KeyKind.COSIGNATURE
    for arguments in ([], ["--open", "--passphrase-file", str(right)]):
        shown = CliRunner().invoke(keys, ["show", *place, *arguments])
        assert (shown.exit_code, shown.stdout) == (0, made.stdout)
    typed = f"{PASSPHRASE.decode()}\n"
    assert CliRunner().invoke(keys, ["show", *place, "--open"], input=typed).stdout == made.stdout
    second = CliRunner().invoke(keys, ["new", NAME, *place], input=typed * 2)
    assert parse_verifier_key(second.stdout.strip()).kind is KeyKind.ED25519
    mistyped = CliRunner().invoke(keys, ["new", "another", *place], input=typed + "mistyped\n")
    assert (mistyped.exit_code, len(KeyFolder(tmp_path / "keys").paths())) == (1, 2)
    refused = CliRunner().invoke(keys, ["show", *place, "--open", "--passphrase-file", str(wrong)])
    assert refused.exit_code == 1
    assert "does not open" in refused.stderr


def test_a_folder_without_keys_is_said(tmp_path: Path) -> None:
    """Asked in the wrong place, the command does not say that all is well."""
    shown = CliRunner().invoke(keys, ["show", "--dir", str(tmp_path)])
    assert (shown.exit_code, "no keys in" in shown.stderr) == (1, True)


@pytest.mark.parametrize(
    ("name", "passphrase", "said"),
    [("a b", PASSPHRASE, "whitespace"), ("name", b"short", "fewer than 12"), ("n" * 300, PASSPHRASE, "too long")],
)
def test_the_command_says_what_is_wrong(tmp_path: Path, name: str, passphrase: bytes, said: str) -> None:
    """A name, passphrase or file that cannot be used is said in one line, and nothing is left."""
    write_private(tmp_path / "passphrase", passphrase)
    place = ["--dir", str(tmp_path / "keys"), "--passphrase-file", str(tmp_path / "passphrase")]
    refused = CliRunner().invoke(keys, ["new", name, *place])
    assert (refused.exit_code, said in refused.stderr) == (1, True)
    assert list((tmp_path / "keys").glob("*")) == []
