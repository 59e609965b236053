"""What a reader trusts, by the command line: a log's key, a policy, monitors. Nothing comes from what is checked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from ledger.trust.format_fault import KeyFault, PolicyFault
from ledger.trust.note_key import KeyKind, VerifierKey, parse_verifier_key
from ledger.trust.policy import NO_QUORUM, Peer, Policy
from ledger.trust.policy_file import POLICY_BYTES_MAX, parse_policy

Command = TypeVar("Command", bound=Callable[..., Any])


class LogKey(click.ParamType[VerifierKey]):
    """A verifier key of a log or a monitor (kind Ed25519)."""

    name = "verifier key"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> VerifierKey:
        """The key, or a usage error that says what is wrong with it."""
        try:
            key = parse_verifier_key(value)
        except KeyFault as fault:
            self.fail(str(fault), param, ctx)
        if key.kind is not KeyKind.ED25519:
            self.fail("a witness's key, not a log's or a monitor's", param, ctx)
        return key


def trust_options(command: Command) -> Command:
    """Gives a command its `key` and `policy`."""
    of_key = click.option("--key", type=LogKey(), help="The log's verifier key, from a source that you trust.")
    of_policy = click.option(
        "--policy",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        help="tlog-policy file: logs, witnesses and how many of them are enough.",
    )
    return of_key(of_policy(command))


def policy_of(key: VerifierKey | None, file: Path | None) -> Policy | None:
    """The policy of these options; a key alone needs no witness. None where neither is given.

    UsageError for a policy that is none, or that knows other logs than the key.
    """
    if file is None:
        return Policy((Peer(key),), {}, {}, NO_QUORUM) if key else None
    try:
        with file.open("rb") as opened:
            policy = parse_policy(opened.read(POLICY_BYTES_MAX + 1))
    except (OSError, PolicyFault) as error:
        raise click.UsageError(f"--policy: {error}") from error
    if key is None:
        return policy
    if policy.logs and key not in {log.key for log in policy.logs}:
        raise click.UsageError("--key: the policy knows other logs")
    return Policy((Peer(key),), policy.witnesses, policy.groups, policy.quorum)


def required_policy(key: VerifierKey | None, file: Path | None) -> Policy:
    """As `policy_of`; UsageError where neither is given: without a trusted key nothing can be checked."""
    policy = policy_of(key, file)
    if policy is None or not policy.logs:
        raise click.UsageError("--key or a --policy with a log: without a trusted key nothing can be checked")
    return policy
