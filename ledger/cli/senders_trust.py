"""By which keys a receiving hospital believes the logs of those that send and answer, and whose it asks at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

from consumers.waiting_room import NotNow
from ledger.cli.log_store import log_verifiers, read_policy
from ledger.config import Settings
from ledger.keys.log_verifiers import LogVerifiers
from ledger.log.log_files import LogDamaged
from ledger.trust.note_key import VerifierKey
from ledger.trust.policy import NO_QUORUM, Peer, Policy


@dataclass(frozen=True, slots=True)
class SendersTrust:
    """What a receiver goes by."""

    policy: Callable[[], Policy]
    """As it is now. NotNow where it cannot be read for the moment."""
    only_at: str = ""
    """Only hospitals at this address are held to it; empty: every one, and who is in no policy is not taken from."""


def senders_policy(file: Path | None) -> SendersTrust | None:
    """The policy in a file under which a receiver takes packages; None without one: then no log of a sender is asked.

    Ends the program for one that names no log, or does not say where it is read.
    """
    if file is None:
        return None
    policy = read_policy(file)
    faults = [f"{each.key.name}: no URL, under which its files are read" for each in policy.logs if not each.url]
    faults += [] if policy.logs else ["no log"]
    if faults:
        raise click.ClickException("\n  ".join([f"LEDGER_RECEIVER_POLICY: {file}: refused:", *faults]))
    return SendersTrust(lambda: policy)


def own_senders(settings: Settings) -> SendersTrust:
    """The hospitals of this service, by the verifier keys and the witnesses of its own logs, read on its own edge.

    It finds what parts from what was seen; that the key itself shows others another tree, only witnesses find.
    """
    witnessed = read_policy(settings.log_policy) if settings.log_policy else Policy((), {}, {}, NO_QUORUM)
    verifiers, edge = log_verifiers(settings), f"http://{settings.http_listen}/log"

    def policy() -> Policy:
        # Keys come with a hospital's first event, and with each rotation.
        peers = tuple(Peer(key, f"{edge}/{key.name.split('/')[-2]}") for key in _keys(verifiers) if "/" in key.name)
        return Policy(peers, witnessed.witnesses, witnessed.groups, witnessed.quorum)

    return SendersTrust(policy, settings.grpc_listen)


def _keys(verifiers: LogVerifiers) -> tuple[VerifierKey, ...]:
    try:
        return verifiers.all()
    except LogDamaged as error:
        raise NotNow("the file of verifier keys", f"DAMAGED: {error}") from error
