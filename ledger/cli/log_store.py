"""Where the logs' files lie, the one place where the adapter of the blob port is chosen, and by which policy."""

from __future__ import annotations

from pathlib import Path

import click

from ledger.blobs.contract import Blobs
from ledger.blobs.directory import DirectoryBlobs
from ledger.config import Settings
from ledger.keys.key_folder import KeyFolder
from ledger.keys.known_keys import KnownKeys
from ledger.keys.log_verifiers import FILE_NAME, LogVerifiers
from ledger.log.own_heads import OwnLogs
from ledger.trust.format_fault import PolicyFault
from ledger.trust.policy import Policy
from ledger.trust.policy_file import POLICY_BYTES_MAX, parse_policy
from ledger.trust.quorum_rule import quorum_faults

_S3 = "s3://"


def log_blobs(settings: Settings) -> Blobs:
    """The store of the settings. Nothing is opened before it is needed."""
    return blobs_at(settings.blobs or str(settings.data_dir / "log"))


def blobs_at(place: str) -> Blobs:
    """The store at a place: a folder, or `s3://bucket/prefix`."""
    if place.startswith(_S3):
        # boto3 takes half a second to import, which who keeps files in a folder need not wait for.
        from ledger.blobs.s3 import S3Blobs

        bucket, _, prefix = place.removeprefix(_S3).partition("/")
        return S3Blobs(bucket, prefix)
    return DirectoryBlobs(Path(place))


def key_folder(settings: Settings) -> Path:
    """Where the note keys lie, which those need who sign."""
    return settings.log_keys or settings.data_dir / "keys"


def log_verifiers(settings: Settings) -> LogVerifiers:
    """The verifier keys of this service's logs."""
    return LogVerifiers(settings.log_verifiers or key_folder(settings) / FILE_NAME)


def known_keys(settings: Settings) -> KnownKeys:
    """What this machine knows of the logs' keys, whether it signs or not."""
    return KnownKeys(KeyFolder(key_folder(settings)), log_verifiers(settings))


def own_logs(settings: Settings) -> OwnLogs:
    """The logs as those read them who sign nothing."""
    return OwnLogs(log_blobs(settings), log_verifiers(settings))


def read_policy(file: Path) -> Policy:
    """The policy in a file; ends the program where it cannot be used."""
    try:
        with file.open("rb") as opened:
            return parse_policy(opened.read(POLICY_BYTES_MAX + 1))
    except (OSError, PolicyFault) as error:
        raise click.ClickException(f"{file}: {error}") from error


def publishing_policy(file: Path | None, own_prefix: str) -> Policy | None:
    """The policy under which this service publishes heads; None without a file: then no witness has to see them.

    Ends the program, with every reason, for one under which two histories could be published.
    """
    if file is None:
        return None
    policy = read_policy(file)
    if faults := quorum_faults(policy, own_prefix):
        raise click.ClickException("\n  ".join([f"LEDGER_LOG_POLICY: {file}: refused:", *faults]))
    return policy
