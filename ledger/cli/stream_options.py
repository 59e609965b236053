"""Which Kafka is meant: named on the command line, else that of the settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from ledger.config import Settings
from ledger.setting_checks import addresses

Command = TypeVar("Command", bound=Callable[..., Any])


def kafka_option(command: Command) -> Command:
    """Gives a command its `kafka`; empty where it is not named."""
    words = "Kafka that lives on, host:port; else that of the settings."
    return click.option("--kafka", default="", callback=_addresses, help=words)(command)


def kafka_of(settings: Settings) -> str:
    """That of the settings; empty where the stream runs on PostgreSQL."""
    return settings.kafka_bootstrap if settings.stream == "kafka" else ""


def _addresses(_context: click.Context, _option: click.Parameter, text: str) -> str:
    try:
        return addresses(text)
    except ValueError as error:
        raise click.BadParameter(f"expected {error}") from error
