"""The chain of a stream names its first fault."""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from ledger.trust.chain import ChainFault, ChainWalk, FaultKind, Link, walk_chain
from ledger.trust.envelope import FORMAT, Envelope, decode, encode
from ledger.trust.leaf import leaf_hash

STREAM = b"\x0b" * 16


def chain_of(count: int) -> list[Link]:
    links: list[Link] = []
    leaf = b""
    for version in range(1, count + 1):
        body = f"body {version}".encode()
        envelope = Envelope(
            FORMAT, "o/north/1", STREAM, version, "ledger.v1.EntryRecorded", 1_000 + version, b"\x01" * 16, b"",
            sha256(body).digest(), b"", leaf,
        )  # fmt: skip
        data = encode(envelope)
        leaf = leaf_hash(data)
        links.append(Link(data, body, position=10 * version, kept_leaf=leaf))
    return links


def rewritten(link: Link, **fields: Any) -> Link:
    data = encode(replace(decode(link.envelope), **fields))
    return replace(link, envelope=data, kept_leaf=leaf_hash(data))


def test_whole_chain_holds() -> None:
    """A stream as it was appended has no fault; the walk ends at its head."""
    links = chain_of(5)
    walk = ChainWalk(STREAM)
    assert [walk.take(link) for link in links] == [None] * 5
    assert (walk.version, walk.head_leaf) == (5, leaf_hash(links[-1].envelope))
    assert walk_chain(STREAM, links) is None
    assert walk_chain(STREAM, []) is None


CHANGES: list[tuple[Callable[[Link], Link], FaultKind]] = [
    (lambda link: replace(link, envelope=link.envelope + b"\x00"), FaultKind.ENVELOPE),
    (lambda link: replace(link, body=link.body + b"!"), FaultKind.BODY),
    (lambda link: replace(link, kept_leaf=b"\x00" * 32), FaultKind.LEAF),
    (lambda link: rewritten(link, stream_id=b"\x0c" * 16), FaultKind.STREAM),
    (lambda link: rewritten(link, origin="o/south/1"), FaultKind.ORIGIN),
    (lambda link: rewritten(link, stream_version=7), FaultKind.VERSION),
    (lambda link: rewritten(link, prev_leaf=b"\x00" * 32), FaultKind.PREV_LEAF),
    (lambda link: rewritten(link, recorded_at=1), FaultKind.TIME),
]


@pytest.mark.parametrize(("change", "kind"), CHANGES)
def test_change_is_named_where_it_is(change: Callable[[Link], Link], kind: FaultKind) -> None:
    """Whatever is changed in version 3 is found there."""
    links = chain_of(5)
    links[2] = change(links[2])
    assert walk_chain(STREAM, links) == ChainFault(kind, 3, 30)


def test_consistent_rewriting_breaks_the_next_link() -> None:
    """An event rewritten with its body and leaf is found by the event after it."""
    links = chain_of(3)
    links[1] = rewritten(links[1], actor=b"\x02" * 16)
    assert walk_chain(STREAM, links) == ChainFault(FaultKind.PREV_LEAF, 3, 30)


@pytest.mark.parametrize("order", [[0, 2], [1], [0, 0], [0, 2, 1]])
def test_removed_repeated_or_reordered_event_is_a_version_fault(order: list[int]) -> None:
    """Versions begin at 1 and have no gap."""
    links = chain_of(3)
    fault = walk_chain(STREAM, [links[at] for at in order])
    assert fault is not None
    assert fault.kind is FaultKind.VERSION


def test_walk_goes_on_from_a_known_head() -> None:
    """A reader that remembers version and leaf hash need not begin at version 1."""
    links = chain_of(4)
    walk = ChainWalk(STREAM, version=2, head_leaf=leaf_hash(links[1].envelope))
    assert [walk.take(link) for link in links[2:]] == [None, None]
