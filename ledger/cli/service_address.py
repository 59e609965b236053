"""Which service a command speaks to: an address, or the folder of a `ledger up` that runs."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from ledger.cli.service_folder import NoService, ServiceFolder
from ledger.cli.service_secrets import reader_token, secret_settings
from ledger.keys.errors import KeyFileUnusable
from ledger.keys.secret_file import read_line_secret

_KEY = "ledger.service_folder"
_TOKEN_FILE = "LEDGER_UNSEAL_TOKEN_FILE"  # noqa: S105 - the name of a setting
DEFAULT_ADDRESS = "127.0.0.1:7070"
Command = TypeVar("Command", bound=Callable[..., Any])

beside_option = click.option(
    "--dir",
    "beside",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of the `ledger up` beside which this runs; its servers are used.",
)


def _note_folder(context: click.Context, _option: click.Parameter, folder: Path | None) -> None:
    context.meta[_KEY] = folder


def _address(context: click.Context, option: click.Parameter, address: str) -> str:
    folder: Path | None = context.meta.get(_KEY)
    if folder is None:
        return address
    if context.get_parameter_source(option.name or "") is ParameterSource.COMMANDLINE:
        raise click.UsageError("--dir and --address name a service each: give one of them")
    try:
        return ServiceFolder.look(folder).grpc
    except NoService as error:
        raise click.UsageError(str(error)) from error


def address_option(command: Command) -> Command:
    """Gives a command its `address`: by --address, or by --dir, which is read first."""
    of_folder = click.option(
        "--dir",
        type=click.Path(path_type=Path, exists=True, file_okay=False),
        is_eager=True,
        expose_value=False,
        callback=_note_folder,
        help="Folder of a running `ledger up`, instead of its address.",
    )
    of_address = click.option(
        "--address", default=DEFAULT_ADDRESS, show_default=True, callback=_address, help="gRPC address of the service."
    )
    return of_folder(of_address(command))


token_file_option = click.option(
    "--token-file",
    type=click.Path(path_type=Path),
    help="A file of yours alone whose one line is a reader's token (LEDGER_LOG_READERS); with --dir its own.",
)


def reader_metadata(token_file: Path | None) -> tuple[tuple[str, str], ...]:
    """What a call for entries of a log bears: the token of --token-file, else that of --dir, else nothing."""
    folder: Path | None = click.get_current_context().meta.get(_KEY)
    try:
        token = read_line_secret(token_file).decode() if token_file else reader_token(folder) if folder else ""
    except (KeyFileUnusable, UnicodeDecodeError) as error:
        raise click.UsageError(f"--token-file: {error}") from error
    return bearer(token)


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    """A token as a call bears it."""
    return (("authorization", f"Bearer {token}"),) if token else ()


def unseal_token() -> str:
    """The token with which the command under way has bodies opened: the folder's of --dir, else the environment's."""
    folder: Path | None = click.get_current_context().meta.get(_KEY)
    file = secret_settings(folder)[_TOKEN_FILE] if folder else os.environ.get(_TOKEN_FILE, "")
    if not file:
        raise click.UsageError(f"a token for having bodies opened is needed: --dir, or {_TOKEN_FILE}")
    try:
        return read_line_secret(Path(file)).decode()
    except KeyFileUnusable as error:
        raise click.UsageError(str(error)) from error
