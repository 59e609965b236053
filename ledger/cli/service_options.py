"""What `ledger up` and `ledger demo` are told alike: their folder, what carries the stream, and the settings around."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import click

from ledger.cli.running import settings_for
from ledger.cli.service import PARTITIONS
from ledger.cli.service_folder import Listen, kept_stream
from ledger.cli.supervision import say
from ledger.config import Settings
from ledger.embedded.errors import KafkaUnavailable
from ledger.embedded.java import find_java
from ledger.embedded.kafka_jars import provide_jars

dir_option = click.option(
    "--dir", "folder", type=click.Path(path_type=Path, file_okay=False), help="Where everything is kept."
)
stream_option = click.option(
    "--stream",
    type=click.Choice(["kafka", "postgres"]),
    help="What carries the published stream; default: LEDGER_STREAM, else Kafka where it can run.",
)
partitions_option = click.option(
    "--partitions",
    type=click.IntRange(1, 256),
    help=f"Of a new hospital's topic; default: LEDGER_PARTITIONS, else {PARTITIONS}.",
)


_LISTEN = ("LEDGER_GRPC_LISTEN", "LEDGER_HTTP_LISTEN")


def own_servers_settings() -> Settings:
    """The settings around a service with servers of its own; ends the program where one cannot be used."""
    return settings_for(own_servers=True)


@dataclass(frozen=True)
class Asked:
    """What options and environment say; None or empty where neither does: the folder's own, or a default, stays."""

    stream: str | None
    partitions: int | None
    listen: Listen


def asked_of(stream: str | None, partitions: int | None, settings: Settings) -> Asked:
    """Options go before the environment; the defaults of settings are those of single roles and do not count here."""
    if stream is None and os.environ.get("LEDGER_STREAM"):
        stream = settings.stream
    if partitions is None and os.environ.get("LEDGER_PARTITIONS"):
        partitions = settings.partitions
    return Asked(stream, partitions, Listen(*(os.environ.get(name, "") for name in _LISTEN)))


def choose_stream(folder: Path, wanted: str | None) -> str:
    """Kafka where it can run, else the PostgreSQL log with one loud line; a folder keeps what it began with.

    Raises KafkaUnavailable where Kafka was asked for, or carried the stream of this folder before.
    """
    kept = kept_stream(folder)
    stream = wanted or kept
    if stream == "postgres":
        if wanted is None:
            _say_log("this folder began so; for Kafka begin another with --dir")
        return stream
    try:
        find_java()
        provide_jars(None)
    except KafkaUnavailable as error:
        if stream == "kafka":
            raise
        _say_log(f"{error.missing}. {error.remedy}")
        return "postgres"
    return "kafka"


def _say_log(why: str) -> None:
    say(f"The published stream runs on the PostgreSQL log, not on Kafka: {why}")
