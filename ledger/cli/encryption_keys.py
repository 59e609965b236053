"""`ledger keys kek`, `rewrap` and `consumer`: the key-encryption keys of a service, and who may have bodies opened."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import click
from rich.table import Table

from ledger.api.v1.keys_pb2 import UnsealPurpose
from ledger.cli.bodies import given
from ledger.cli.running import settings_for
from ledger.cli.service_address import beside_option
from ledger.cli.shown_tables import table_console
from ledger.clock import clock_of
from ledger.config import Settings
from ledger.keys.consumers_file import Consumers, consumer, read_consumers, write_consumers
from ledger.keys.errors import KeyFileUnusable, KeyProblem
from ledger.keys.key_file import Generation, KeyFile, new_key_file, read_key_file, write_key_file
from ledger.keys.key_file_keys import KeyFileKeys
from ledger.keys.key_rows import KeyRows
from ledger.keys.rewrapping import Rewrapped, rewrap_all
from ledger.keys.secret_file import lock_beside, read_line_secret, write_secret
from ledger.store.connections import writer_pool
from ledger.store.errors import StoreError

T = TypeVar("T")
_PREFIX = "UNSEAL_PURPOSE_"
_PURPOSES = [name.removeprefix(_PREFIX).lower() for name in UnsealPurpose.keys() if not name.endswith("UNSPECIFIED")]  # noqa: SIM118  # no dict
_new_file = click.Path(path_type=Path, dir_okay=False)


@click.group()
def kek() -> None:
    """The key-encryption keys, in generations, in the file LEDGER_KEY_FILE."""


@kek.command()
@click.argument("file", type=_new_file)
@click.option("--passphrase-file", required=True, type=_new_file, help="One line; made with a random one where absent.")
def new(file: Path, passphrase_file: Path) -> None:
    """Make FILE with a first generation. An existing file is never replaced."""
    with shown():
        if not passphrase_file.exists():
            write_secret(passphrase_file, secrets.token_urlsafe(32).encode(), new=True)
        made = new_key_file(datetime.now(UTC), os.urandom)
        write_key_file(file, made, read_line_secret(passphrase_file), os.urandom, new=True)
    click.echo(f"generation 1 in {file}; keep a copy of it and of {passphrase_file} apart from every database backup")


@kek.command()
@beside_option
def rotate(beside: Path | None) -> None:
    """Add a generation, which wraps every new key from now on; `ledger keys rewrap` moves the old ones."""
    settings = key_settings(beside)
    with shown(), changing(settings) as (content, write):
        grown = content.rotated(clock_of(settings.clock_file)(), os.urandom)
        write(grown)
    click.echo(f"generation {grown.newest.number} is the newest; copy the key file to its backup now")


@kek.command("list")
@beside_option
def list_(beside: Path | None) -> None:
    """List the generations, how many live keys each wraps, and whether the next is due."""
    settings = key_settings(beside)
    with shown():
        content = _content(settings)
        live = with_rows(settings, lambda rows: rows.live_by_generation())
    table = Table("generation", "made at", "state", "live keys")
    for each in content.generations:
        row = (
            str(each.number),
            f"{each.made_at:%Y-%m-%d %H:%M}",
            _state(content, each),
            f"{live.get(each.number, 0):,}",
        )
        table.add_row(*row)
    table_console(100).print(table)
    if content.due(datetime.now(UTC)):
        click.echo(f"the newest is older than {content.rotate_days} days: rotate")


def _state(content: KeyFile, generation: Generation) -> str:
    if generation.destroyed_at:
        return f"destroyed {generation.destroyed_at:%Y-%m-%d %H:%M}"
    may_go_at = content.may_go_at(generation.number)
    return f"kept; may go {may_go_at:%Y-%m-%d %H:%M}" if may_go_at else "kept"


@kek.command()
@click.argument("generation", type=click.IntRange(min=1))
@beside_option
def destroy(generation: int, beside: Path | None) -> None:
    """Destroy GENERATION in the key file; refused while a key is wrapped by it, or was in a backup that is kept.

    Its copies in backups are yours.
    """
    settings = key_settings(beside)
    with shown(), changing(settings) as (content, write):
        live = with_rows(settings, lambda rows: rows.live_by_generation())
        write(content.without(generation, live, clock_of(settings.clock_file)()))
    click.echo(f"generation {generation} is gone from the key file; destroy its copies in backups too")


@click.command()
@beside_option
def rewrap(beside: Path | None) -> None:
    """Wrap every key anew under the newest generation, while the service runs; may be cut short and run again."""
    settings = key_settings(beside)
    with shown():
        newest = _content(settings).newest.number
        done = rewrapped(settings, newest)
    click.echo(f"{done.keys:,} keys wrapped by generation {newest}")
    for row in done.failed:
        origin, stream_id = row.stream
        click.echo(f"NOT unwrapped: {origin}, stream {stream_id.hex()}, generation {row.generation}", err=True)
    if done.failed:
        raise SystemExit(1)


@click.command("consumer")
@click.argument("name")
@click.option("--purpose", "purposes", required=True, multiple=True, type=click.Choice(_PURPOSES))
@click.option(
    "--hospital",
    "hospitals",
    required=True,
    multiple=True,
    help="A hospital whose bodies it may open; may be repeated; '*' for all there are and will be.",
)
@click.option("--token-file", required=True, type=_new_file, help="Where its new token is written.")
@click.option("--consumers-file", required=True, type=_new_file, help="LEDGER_UNSEAL_CONSUMERS_FILE of `ledger serve`.")
def consumer_(
    name: str, purposes: tuple[str, ...], hospitals: tuple[str, ...], token_file: Path, consumers_file: Path
) -> None:
    """Let the program NAME have bodies opened, under a new token; `ledger serve` knows it from its next start."""
    with shown(), lock_beside(consumers_file):
        if token_file.exists():
            raise KeyFileUnusable(token_file, "exists already")
        known = read_consumers(consumers_file) if consumers_file.exists() else Consumers(())
        token = secrets.token_urlsafe(32)
        asked = [UnsealPurpose.Value(_PREFIX + each.upper()) for each in purposes]
        changed = known.with_one(consumer(name, token, *asked, hospitals=hospitals))
        # In this order: a crash leaves a program without its token, never a token that is out before it is known.
        write_consumers(consumers_file, changed)
        write_secret(token_file, token.encode(), new=True)
    click.echo(f"{name} may have bodies of {', '.join(hospitals)} opened for {', '.join(purposes)}")
    click.echo(f"its token is in {token_file}")


def rewrapped(settings: Settings, newest: int) -> Rewrapped:
    """Wraps every key by the generation `newest`, and notes in the file since when the ones before wrap nothing.

    Looked at before, too: a time of which it is no longer true must not outlive a run that is killed.
    """
    _look_at_rows(settings)
    encryption = KeyFileKeys(*key_files(settings))
    done = with_rows(settings, lambda rows: rewrap_all(rows, encryption, newest))
    _look_at_rows(settings)
    return done


def _look_at_rows(settings: Settings) -> None:
    with changing(settings) as (content, write):
        live = with_rows(settings, lambda rows: rows.live_by_generation())
        seen = content.looked_at(live, clock_of(settings.clock_file)())
        if seen != content:
            write(seen)


def key_settings(beside: Path | None) -> Settings:
    return settings_for("postgres_keys_url", "key_file", "key_passphrase_file", beside=beside)


def key_files(settings: Settings) -> tuple[Path, Path]:
    passphrase_file = given(settings.key_passphrase_file, "LEDGER_KEY_PASSPHRASE_FILE")
    return given(settings.key_file, "LEDGER_KEY_FILE"), passphrase_file


def _content(settings: Settings) -> KeyFile:
    file, passphrase_file = key_files(settings)
    return read_key_file(file, read_line_secret(passphrase_file))


@contextmanager
def changing(settings: Settings) -> Generator[tuple[KeyFile, Callable[[KeyFile], None]]]:
    """The file's content and a way to replace it, while nobody else may change it."""
    file, passphrase_file = key_files(settings)
    passphrase = read_line_secret(passphrase_file)
    with lock_beside(file):
        yield read_key_file(file, passphrase), lambda changed: write_key_file(file, changed, passphrase, os.urandom)


def with_rows(settings: Settings, work: Callable[[KeyRows], Awaitable[T]]) -> T:
    async def run() -> T:
        pool = writer_pool(settings.postgres_keys_url)
        try:
            return await work(KeyRows(pool))
        finally:
            await pool.close()

    return asyncio.run(run())


@contextmanager
def shown() -> Generator[None]:
    try:
        yield
    except (KeyProblem, StoreError, OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error
