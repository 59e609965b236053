"""`ledger keys`: every key of a service."""

from __future__ import annotations

import click

from ledger.cli.encryption_keys import consumer_, kek, rewrap
from ledger.cli.lost_record_keys import lost
from ledger.cli.note_keys import history, new, rotate, show
from ledger.cli.release_records import release


@click.group()
def keys() -> None:
    """Keys: of notes (logs and witnesses), key-encryption keys in generations, and who may have bodies opened."""


for _command in (new, rotate, show, history, kek, rewrap, consumer_, lost, release):
    keys.add_command(_command)
