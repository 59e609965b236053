"""The program `ledger`: the one composition root."""

import click


@click.group()
@click.version_option(package_name="medical-record-ledger")
def main() -> None:
    """A ledger of medical records."""
