"""The program `ledger`: the one composition root."""

from __future__ import annotations

import importlib

import click
from typing_extensions import override

_COMMANDS = {
    "serve": "ledger.cli.serve:serve",
    "publish": "ledger.cli.publish:publish",
    "integrate": "ledger.cli.integrate:integrate",
    "witness": "ledger.cli.witness:witness",
    "backup": "ledger.cli.backup:backup",
    "restore": "ledger.cli.restore:restore",
    "repair": "ledger.cli.repair:repair",
    "map": "ledger.cli.map_records:map_",
    "project": "ledger.cli.project:project",
    "consume": "ledger.cli.consume:consume",
    "keys": "ledger.cli.keys:keys",
    "migrate": "ledger.cli.migrate:migrate",
    "status": "ledger.cli.status:status",
    "dead-letters": "ledger.cli.dead_letters:dead_letters",
    "import": "ledger.cli.import_fhir:import_",
    "dispose": "ledger.cli.dispose:dispose",
    "packs": "ledger.cli.packs:packs",
    "purge": "ledger.cli.purge:purge",
    "replay": "ledger.cli.replay:replay",
    "verify": "ledger.cli.verify:verify",
    "monitor": "ledger.cli.monitor:monitor",
    "export": "ledger.cli.export.command:export",
    "forks": "ledger.cli.forks:forks",
    "transfers": "ledger.cli.transfers:transfers",
    "copy": "ledger.cli.printed_copy.command:copy",
    "demo": "ledger.cli.demo:demo",
    "up": "ledger.cli.up:up",
}


class _LazyGroup(click.Group):
    """Imports a command when it is asked for: `ledger status` need not load Kafka."""

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        place = _COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, _, name = place.partition(":")
        return getattr(importlib.import_module(module), name)


@click.group(cls=_LazyGroup)
@click.version_option(package_name="medical-record-ledger")
def main() -> None:
    """A ledger of medical records."""


if __name__ == "__main__":
    main()
