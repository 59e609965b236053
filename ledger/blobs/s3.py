"""Blobs as objects of a bucket, in any store that speaks S3 and honours `If-None-Match: *` on writes."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from ledger.blobs.contract import (
    BLOB_BYTES_MAX,
    NAMES_MAX,
    BlobDiffers,
    BlobsUnavailable,
    BlobTooLarge,
    TooManyBlobs,
    checked_name,
    checked_size,
)

CONNECT_SECONDS_MAX = 5
ANSWER_SECONDS_MAX = 30
_ATTEMPTS_MAX = 3
_WRITES_AT_ONCE = 8
_MISSING = ("NoSuchKey", "404")
_TAKEN = ("PreconditionFailed", "ConditionalRequestConflict", "412", "409")


class S3Blobs:
    """A store in a bucket below a prefix. Address and credentials come from boto3's `AWS_...` variables.

    An object is durable when its PUT is answered; a GET sees every answered PUT.
    """

    def __init__(self, bucket: str, prefix: str = "") -> None:
        """Nothing is asked of the store before it is needed."""
        config = Config(
            connect_timeout=CONNECT_SECONDS_MAX,
            read_timeout=ANSWER_SECONDS_MAX,
            retries={"total_max_attempts": _ATTEMPTS_MAX, "mode": "standard"},
            max_pool_connections=_WRITES_AT_ONCE * 2,
        )
        self._s3 = boto3.client("s3", config=config)  # pyright: ignore[reportUnknownMemberType]
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""

    def get(self, name: str) -> bytes | None:
        """As the contract says."""
        key = self._key(name)
        with _failures(name):
            try:
                answer = self._s3.get_object(Bucket=self._bucket, Key=key)
            except ClientError as error:
                if _code(error) in _MISSING:
                    return None
                raise
            if answer["ContentLength"] > BLOB_BYTES_MAX:
                raise BlobTooLarge(name)
            return answer["Body"].read()

    def put_if_absent(self, blobs: Mapping[str, bytes]) -> None:
        """As the contract says."""
        for name, data in blobs.items():
            self._key(name)
            checked_size(name, data)
        with ThreadPoolExecutor(min(_WRITES_AT_ONCE, len(blobs) or 1)) as threads:
            # All of them are waited for, also where one fails.
            done = [threads.submit(self._add, name, data) for name, data in blobs.items()]
        for each in done:
            each.result()

    def put(self, name: str, data: bytes) -> None:
        """As the contract says."""
        key = self._key(name)
        checked_size(name, data)
        with _failures(name):
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=data)

    def names(self, prefix: str) -> list[str]:
        """As the contract says."""
        found: list[str] = []
        with _failures(prefix):
            pages = self._s3.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=f"{self._key(prefix)}/"
            )
            for page in pages:
                found += [each.get("Key", "").removeprefix(self._prefix) for each in page.get("Contents", [])]
                if len(found) > NAMES_MAX:
                    raise TooManyBlobs(prefix)
        return sorted(found)

    def delete(self, name: str) -> None:
        """As the contract says."""
        key = self._key(name)
        with _failures(name):
            self._s3.delete_object(Bucket=self._bucket, Key=key)

    def _add(self, name: str, data: bytes) -> None:
        with _failures(name):
            try:
                self._s3.put_object(Bucket=self._bucket, Key=self._key(name), Body=data, IfNoneMatch="*")
            except ClientError as error:
                if _code(error) not in _TAKEN:
                    raise
            else:
                return
        # Also where a first attempt of ours was written and its answer lost.
        found = self.get(name)
        if found is None:
            raise BlobsUnavailable(f"{name}: somebody else writes it at this moment")
        if found != data:
            raise BlobDiffers(name)

    def _key(self, name: str) -> str:
        return self._prefix + checked_name(name)


@contextmanager
def _failures(what: str) -> Generator[None]:
    try:
        yield
    except ClientError as error:
        raise BlobsUnavailable(f"{what}: {_code(error)}") from error
    except BotoCoreError as error:
        raise BlobsUnavailable(f"{what}: {type(error).__name__}") from error


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")
