"""The blob contract on a real S3 server, and a log that is integrated into it."""

from __future__ import annotations

import pytest

from ledger.blobs.contract import BlobsUnavailable
from ledger.blobs.s3 import S3Blobs
from ledger.integrator.signed_log import SignedLog
from ledger.log.fsck import check_log
from ledger.log.log_files import LogFiles
from tests.contract.blobs.blobs_contract import BlobsContract
from tests.fault.test_integration_step import EVENTS
from tests.unit.trust.tlog_samples import LOG, ORIGIN


@pytest.fixture
def blobs(bucket: str) -> S3Blobs:
    """A store below a prefix of a fresh bucket."""
    return S3Blobs(bucket, "of/the/tests")


class TestS3Blobs(BlobsContract):
    """The contract."""


def test_a_bucket_that_is_not_there_says_so(s3_server: str) -> None:
    """A missing bucket is a store that refuses, not a blob that is absent."""
    assert s3_server
    with pytest.raises(BlobsUnavailable, match="NoSuchBucket"):
        S3Blobs("no-such-bucket-here").get("log/a")


def test_a_store_that_is_away_says_so(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens: an error of the contract within the limits, for reads and writes."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    blobs = S3Blobs(bucket)
    with pytest.raises(BlobsUnavailable):
        blobs.get("log/a")
    with pytest.raises(BlobsUnavailable):
        blobs.put_if_absent({"log/a": b""})


def test_a_log_is_kept_in_a_bucket(blobs: S3Blobs) -> None:
    """Grown in three steps, each taken up from the bucket by another process's eyes, it is whole."""
    for upto in (250, 300, 530):
        log = SignedLog(LogFiles(blobs, "north"), ORIGIN, LOG)
        log.take(EVENTS[log.size : upto])
        log.publish(log.sign(), log.signed)
    assert check_log(LogFiles(blobs, "north").read, LOG.verifier()).checkpoint.size == 530
    assert blobs.get("north/tile/0/000.p/250") is None
