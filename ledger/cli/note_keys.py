"""`ledger keys new` and `show`: the note keys of logs and witnesses."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from ledger.blobs.contract import BlobError
from ledger.cli.log_store import key_folder, known_keys, log_blobs, log_verifiers
from ledger.cli.running import settings_for
from ledger.keys.key_folder import KeyFolder, open_signing_key, read_sealed_key
from ledger.keys.log_verifiers import FILE_NAME, LogVerifiers
from ledger.keys.origin import hospital_of
from ledger.keys.private_file import UnsafeFile, read_private
from ledger.log.key_register import key_register, missing_line
from ledger.log.log_files import CHECKPOINT, SIGNED, LogDamaged, LogFiles, log_folder
from ledger.trust.format_fault import KeyFault, SignatureFault
from ledger.trust.note_key import KeyKind, SigningKey, VerifierKey
from ledger.trust.sealed_key import SealedKeyFault, WrongPassphrase
from ledger.trust.signed_note import signers

_PASSPHRASE_BYTES_MAX = 1024

_folder_option = click.option(
    "--dir", "folder", type=click.Path(path_type=Path), help="Folder of the keys; else LEDGER_LOG_KEYS."
)
_passphrase_option = click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path),
    help="A file of yours alone whose first line is the passphrase; else it is asked for.",
)


@click.command()
@click.argument("name")
@click.option("--witness", is_flag=True, help="A witness's key, which cosigns; else a log's.")
@_folder_option
@_passphrase_option
def new(name: str, witness: bool, folder: Path | None, passphrase_file: Path | None) -> None:
    """Make a key called NAME (for a log its origin) and print its verifier key, which others need.

    The private key is sealed under the passphrase. A lost passphrase is a lost key: nobody can open it.
    """
    kind = KeyKind.COSIGNATURE if witness else KeyKind.ED25519
    keys = _keys_in(folder)
    with _shown_faults():
        verifier = keys.make(name, kind, _passphrase(passphrase_file, confirm=True))
        if kind is KeyKind.ED25519:
            _verifiers_of(keys, folder).add(verifier)
    click.echo(str(verifier))


@click.command()
@click.argument("name")
@click.option("--finish", is_flag=True, help="End the overlap: the old key is put away, the new one alone signs.")
@_folder_option
@_passphrase_option
def rotate(name: str, finish: bool, folder: Path | None, passphrase_file: Path | None) -> None:
    """Let a new key follow that of the log NAME (its origin), with an overlap in which both sign.

    First run: makes the new key and prints it; from now on every head bears both signatures. Put it into every policy
    and witness. Then `--finish`, which is refused before the log's files bear the new signature.
    """
    held = _keys_in(folder)
    with _shown_faults():
        if finish:
            _finish(held, name)
        else:
            verifier = _followed(held, name, _passphrase(passphrase_file, confirm=False))
            _verifiers_of(held, folder).add(verifier)
            click.echo(str(verifier))


def _followed(held: KeyFolder, name: str, passphrase: bytes) -> VerifierKey:
    # Whoever opens the one opens the other: the service has one passphrase for both.
    open_signing_key(held.path_of(name, KeyKind.ED25519), passphrase)
    return held.make(name, KeyKind.ED25519, passphrase, following=True)


def _finish(held: KeyFolder, name: str) -> None:
    key = read_sealed_key(held.next_path_of(name, KeyKind.ED25519)).verifier
    settings = settings_for()
    files = LogFiles(log_blobs(settings), log_folder(hospital_of(name), name))
    try:
        notes = {SIGNED: files.signed(), CHECKPOINT: files.published()}
        unsigned = [path for path, note in notes.items() if note is not None and key not in signers(note, [key])]
    except (BlobError, LogDamaged, SignatureFault) as error:
        raise click.ClickException(str(error)) from error
    if unsigned or not any(notes.values()):
        what = " and ".join(unsigned) or "the log"
        raise click.ClickException(
            f"{what}: not signed by the new key yet; `ledger integrate` does so with the next event"
        )
    held.finish_rotation(name, KeyKind.ED25519)
    click.echo(f"{key} alone signs from now on.")


@click.command()
@_folder_option
@click.option("--open", "opened", is_flag=True, help="Open each with the passphrase as well.")
@_passphrase_option
def show(folder: Path | None, opened: bool, passphrase_file: Path | None) -> None:
    """Print the verifier key of every key file."""
    passphrase = b""
    with _shown_faults():
        passphrase = _passphrase(passphrase_file, confirm=False) if opened else b""
    held = _keys_in(folder)
    if not held.paths():
        raise click.ClickException(f"no keys in {held.folder}")
    whole = True
    for path in held.paths():
        try:
            with _shown_faults():
                verifier = open_signing_key(path, passphrase).verifier() if opened else read_sealed_key(path).verifier
            click.echo(str(verifier))
        except click.ClickException as fault:
            fault.show(sys.stderr)
            whole = False
    if not whole:
        raise SystemExit(1)


@click.command()
@click.argument("name")
def history(name: str) -> None:
    """Say which key signed the log NAME (its origin) from which head on, by the log's own key register."""
    settings = settings_for()
    files = LogFiles(log_blobs(settings), log_folder(hospital_of(name), name))
    try:
        lines = key_register(files)
        missing = missing_line(files, lines)
    except (BlobError, LogDamaged) as error:
        raise click.ClickException(str(error)) from error
    if not lines:
        raise click.ClickException(f"{name}: its log has no key register yet")
    known = set(known_keys(settings)(name))
    if not known & set(lines[0].period.keys):
        click.echo(
            "The first key is not among those known here (LEDGER_LOG_VERIFIERS): nobody vouches for this register."
        )
    for line in lines:
        began = datetime.fromtimestamp(line.period.began, UTC)
        word = "" if line.vouched else ", NOT vouched for by the key before"
        for key in line.period.keys:
            click.echo(f"from size {line.period.size:,}, {began:%Y-%m-%dT%H:%M:%SZ} (claimed){word}: {key}")
    if missing:
        raise click.ClickException(missing)


def opened_key(file: Path, passphrase_file: Path, kind: KeyKind) -> SigningKey:
    """The private key in a file, for a program that signs; ends the program with one line where it cannot."""
    with _shown_faults():
        key = open_signing_key(file, _passphrase(passphrase_file, confirm=False))
        if key.kind is not kind:
            raise KeyFault("the key is of the other kind: a log's for a witness, or a witness's for a log")
        return key


def _keys_in(folder: Path | None) -> KeyFolder:
    return KeyFolder(folder or key_folder(settings_for()))


def _verifiers_of(keys: KeyFolder, folder: Path | None) -> LogVerifiers:
    """Beside the keys of a folder that was named; else where the settings say."""
    return LogVerifiers(keys.folder / FILE_NAME) if folder else log_verifiers(settings_for())


def _passphrase(file: Path | None, *, confirm: bool) -> bytes:
    if file is None:
        asked: str = click.prompt("Passphrase", hide_input=True, confirmation_prompt=confirm, err=True)
        return asked.encode(errors="surrogateescape")  # whatever bytes the terminal sent
    return read_private(file, bytes_max=_PASSPHRASE_BYTES_MAX).partition(b"\n")[0]


@contextmanager
def _shown_faults() -> Generator[None]:
    """Turns what is wrong with a key or its file into one line."""
    try:
        yield
    except FileExistsError as error:
        raise click.ClickException(f"{error.filename} is there already; a key is never written over") from error
    except OSError as error:
        raise click.ClickException(": ".join(str(each) for each in (error.filename, error.strerror) if each)) from error
    except (KeyFault, LogDamaged, SealedKeyFault, UnsafeFile, WrongPassphrase) as error:
        raise click.ClickException(str(error)) from error
