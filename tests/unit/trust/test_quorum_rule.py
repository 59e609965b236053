"""Under a policy of ours no two histories can both be published, and somebody else has seen each head."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.trust.note_key import KeyKind, SigningKey
from ledger.trust.policy import Group, Peer, Policy
from ledger.trust.quorum_rule import quorum_faults

OWN = "ledger.example"
NAMES = [f"w{number}" for number in range(7)]


def peer(number: int, prefix: str) -> Peer:
    return Peer(SigningKey(f"{prefix}/w{number}", KeyKind.COSIGNATURE, bytes([number + 1] * 32)).verifier())


def policy(quorum: str, groups: dict[str, Group], own: int = 0, count: int = 7) -> Policy:
    """`own`: how many of the witnesses this service runs."""
    peers = {NAMES[each]: peer(each, OWN if each < own else "elsewhere.example") for each in range(count)}
    return Policy((), peers, groups, quorum)


def flat(threshold: int, members: int, own: int = 0) -> Policy:
    return policy("all", {"all": Group(threshold, tuple(NAMES[:members]))}, own, members)


@pytest.mark.parametrize(
    ("refused", "said"),
    [
        (policy("none", {}), ["quorum none"]),
        (policy("w0", {}, count=1), ["1 witnesses"]),
        (flat(2, 2), ["2 witnesses"]),
        (flat(1, 3), ["not a majority"]),
        (flat(2, 4), ["not a majority"]),
        (flat(2, 3, own=3), ["run by somebody else"]),
        (flat(1, 2, own=2), ["2 witnesses", "not a majority", "run by somebody else"]),
    ],
)
def test_a_weak_quorum_is_refused_with_every_fault(refused: Policy, said: list[str]) -> None:
    """None, too few, no majority, nobody else: each is named."""
    faults = quorum_faults(refused, OWN)
    assert len(faults) == len(said)
    assert all(word in fault for word, fault in zip(said, faults, strict=True))


@pytest.mark.parametrize("strong", [flat(2, 3), flat(3, 3), flat(3, 4), flat(4, 7, own=6), flat(2, 3, own=2)])
def test_a_majority_with_somebody_else_in_it_is_taken(strong: Policy) -> None:
    """More than half of three or more."""
    assert quorum_faults(strong, OWN) == []


def test_a_name_that_only_begins_like_ours_is_somebody_elses() -> None:
    """Names are compared by their parts."""
    assert quorum_faults(flat(2, 3, own=3), "ledger.exam") == []


@st.composite
def nested(draw: st.DrawFn) -> Policy:
    """Two levels of groups over seven witnesses."""
    cuts = sorted(draw(st.sets(st.integers(1, 6), min_size=1, max_size=3)))
    parts = [NAMES[begin:end] for begin, end in zip([0, *cuts], [*cuts, 7], strict=True)]
    groups = {f"g{at}": Group(draw(st.integers(1, len(part))), tuple(part)) for at, part in enumerate(parts)}
    groups["all"] = Group(draw(st.integers(1, len(parts))), tuple(groups))
    return policy("all", groups)


@given(nested())
def test_two_histories_can_part_exactly_where_it_is_said(tried: Policy) -> None:
    """Against every way of dividing the witnesses."""

    def satisfied(witnesses: set[str]) -> bool:
        return tried.quorum_time(dict.fromkeys(witnesses, 1)) is not None

    parts = any(
        satisfied(set(one)) and satisfied(set(NAMES) - set(one))
        for size in range(len(NAMES) + 1)
        for one in combinations(NAMES, size)
    )
    assert any("not a majority" in fault for fault in quorum_faults(tried, OWN)) is parts
