"""`ledger verify`: whole ledgers by default, the files of a log, and files of proof."""

from __future__ import annotations

import click
from typing_extensions import override

from ledger.cli.verify_backup import backup
from ledger.cli.verify_keys import keys
from ledger.cli.verify_ledger import ledger
from ledger.cli.verify_log import log
from ledger.cli.verify_pack import pack, proof


class _WholeLedgersByDefault(click.Group):
    """`ledger verify north` is `ledger verify ledger north`: a hospital called like a command is named that way."""

    @override
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        named = bool(args) and (args[0] in self.commands or args[0] in ctx.help_option_names)
        return super().parse_args(ctx, args if named else [ledger.name or "", *args])


@click.group(cls=_WholeLedgersByDefault)
def verify() -> None:
    """Check whole ledgers, their keys, an archive, a backup, a log's files, a record's pack or an event's proof."""


verify.add_command(ledger)
verify.add_command(backup)
verify.add_command(log)
verify.add_command(keys)
verify.add_command(pack)
verify.add_command(proof)
