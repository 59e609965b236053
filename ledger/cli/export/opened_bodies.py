"""What a record's bodies say, as the key service opens them for the person at the command line."""

from __future__ import annotations

from collections.abc import Mapping

import grpc.aio

from ledger.api.v1.keys_pb2 import UNSEAL_PURPOSE_INSPECTION
from ledger.cli.patient_opener import PatientOpener
from ledger.keys.remote_opener import RemoteOpener
from ledger.trust.sealing import Opened

_OPENED_AT_ONCE = 500


async def opened_bodies(channel: grpc.aio.Channel, token: str, bodies: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    """By envelope what its body says, where it opens. The service counts and logs it, by caller and purpose.

    Raises ServiceUnavailable, also for a token that is not let in.
    """
    opener, found = PatientOpener(RemoteOpener(channel, token, UNSEAL_PURPOSE_INSPECTION)), dict[bytes, bytes]()
    sealed = list(bodies.items())
    for begin in range(0, len(sealed), _OPENED_AT_ONCE):
        batch = sealed[begin : begin + _OPENED_AT_ONCE]
        for (envelope, _), opening in zip(batch, await opener.open(batch), strict=True):
            if isinstance(opening, Opened):
                found[envelope] = opening.plaintext
    return found
