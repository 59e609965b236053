"""A transfer package before the receiving hospital: on its way, and from a sender who offers what he has changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from itertools import pairwise
from uuid import UUID

from consumers.receiving_hospital.inspection import Verified, inspect_package
from consumers.receiving_hospital.offer import Offer
from ledger.api.v1.transfers_pb2 import PackagedEvent, TransferPackage
from tests.fault.tampering.changes import Items
from tests.fault.tampering.medium import BytesMedium, Found, Medium
from tests.fault.tampering.stored_state import Stored


def package_media(stored: Stored) -> dict[str, Medium]:
    """The media by their name in the declaration."""
    now, older, offer = stored.now.package, stored.older.package, stored.offer
    whole = TransferPackage.FromString(now)
    # Two packages, each with its offer, so that they can change places.
    offers = {"the one": offer, "the other": _offer_of(older, offer)}

    def on_its_way(items: Items) -> Found:
        found = [_inspected(items.get(name, b""), offers[name]) for name in offers]
        return next((each for each in found if not each.accepted), found[0])

    def crooked(place: Callable[[PackagedEvent, bytes], None]) -> Callable[[Items], Found]:
        def checked(items: Items) -> Found:
            package = TransferPackage.FromString(now)
            events = [PackagedEvent(envelope=each.envelope, body=each.body) for each in package.events]
            kept: list[PackagedEvent] = []
            for version, event in enumerate(events, 1):
                if (data := items.get(f"version {version}")) is not None:
                    place(event, data)
                    kept.append(event)
            del package.events[:]
            package.events.extend(kept)
            data = package.SerializeToString(deterministic=True)
            said = replace(
                offer, package_sha256=sha256(data).digest(), package_size=len(data), events=len(package.events)
            )
            return _inspected(data, said)

        return checked

    envelopes = {f"version {at}": each.envelope for at, each in enumerate(whole.events, 1)}
    bodies = {f"version {at}": each.body for at, each in enumerate(whole.events, 1)}

    def in_record(name: str) -> tuple[str, ...]:
        following = int(name.removeprefix("version ")) + 1
        return f"at {name}", f"at version {following}", "ends at version"

    return {
        "package": BytesMedium(
            {"the one": now, "the other": older}, {"the one": older}, on_its_way, lambda _name: ("MISMATCH",)
        ),
        "package envelope": BytesMedium(envelopes, _earlier(envelopes), crooked(_put_envelope), in_record),
        "package body": BytesMedium(bodies, _earlier(bodies), crooked(_put_body), in_record),
    }


def _offer_of(data: bytes, like: Offer) -> Offer:
    package = TransferPackage.FromString(data)
    return replace(
        like,
        transfer_id=UUID(package.transfer_id),
        record_version=package.record_version,
        head_leaf=package.head_leaf,
        events=len(package.events),
        package_sha256=sha256(data).digest(),
        package_size=len(data),
    )


def _inspected(data: bytes, offer: Offer) -> Found:
    found = inspect_package(data, offer)
    return Found(accepted=isinstance(found, Verified), says=str(found))


def _earlier(items: Items) -> Items:
    names = list(items)
    return {name: items[before] for before, name in pairwise(names)}


def _put_envelope(event: PackagedEvent, data: bytes) -> None:
    event.envelope = data


def _put_body(event: PackagedEvent, data: bytes) -> None:
    event.body = data
