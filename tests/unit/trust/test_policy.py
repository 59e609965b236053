"""Policies: every fault by its line, quorums, and what a checkpoint proves under them."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.trust.format_fault import CheckpointFault, PolicyFault, QuorumMissing, SignatureFault
from ledger.trust.note import Note
from ledger.trust.note_key import KeyKind
from ledger.trust.policy import Group, Policy
from ledger.trust.policy_file import POLICY_BYTES_MAX, parse_policy
from tests.unit.trust.tlog_samples import LOG, POLICY, WITNESSES, key, root_at, signed

LOG_LINE, *WITNESS_LINES = [line for line in POLICY.decode().splitlines() if line.startswith(("log", "witness"))]
W1 = WITNESS_LINES[0]


def test_policy_is_read() -> None:
    """Logs, witnesses with their addresses, groups and quorum; comments, tabs and empty lines are passed over."""
    policy = parse_policy(POLICY.replace(b"quorum ours", b" \t\n\t# c\n\tquorum\t ours \t"))
    assert [log.key for log in policy.logs] == [LOG.verifier()]
    assert {name: peer.key for name, peer in policy.witnesses.items()} == {
        f"w{at}": each.verifier() for at, each in enumerate(WITNESSES, 1)
    }
    assert policy.witnesses["w2"].url == "https://witness.example/2"
    assert policy.groups == {"ours": Group(2, ("w1", "w2", "w3"))}
    assert policy.quorum == "ours"
    assert parse_policy(b"quorum none\n") == Policy((), {}, {}, "none")


@pytest.mark.parametrize(("threshold", "k"), [("all", 3), ("any", 1), ("1", 1), ("3", 3)])
def test_thresholds(threshold: str, k: int) -> None:
    """`all`, `any` and numbers."""
    policy = parse_policy(POLICY.replace(b"ours 2", f"ours {threshold}".encode()))
    assert policy.groups["ours"].threshold == k


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ("log", "line 1: not log"),
        ("log x y z", "line 1: not log"),
        ("log x", "line 1: the key: not name"),
        (f"log {WITNESSES[0].verifier()}", "line 1: the key is not of kind 0x01"),
        (f"witness w {LOG.verifier()}", "line 1: the key is not of kind 0x04"),
        ("witness w", "line 1: not witness"),
        (f"{LOG_LINE}\n{LOG_LINE}", "line 2: a log with this key"),
        (f"{W1}\n{W1.replace(' w1 ', ' w9 ')}", "line 2: a witness with this key"),
        (f"{W1}\n{WITNESS_LINES[1].replace(' w2 ', ' w1 ')}", "line 2: the name is defined"),
        (W1.replace(" w1 ", " none "), "line 1: none is no name"),
        (f"{W1}\ngroup none 1 w1", "line 2: none is no name"),
        (f"{W1}\ngroup w1 1 w1", "line 2: the name is defined"),
        (f"{W1}\ngroup g 1", "line 2: not group"),
        (f"{W1}\ngroup g 1 none", "line 2: a member is not defined"),
        (f"group g 1 w1\n{W1}", "line 1: a member is not defined"),
        (f"{W1}\ngroup g 1 g", "line 2: a member is not defined"),
        (f"{W1}\ngroup g 1 w1 w1", "line 2: a member stands"),
        (f"{W1}\ngroup g 1 w1\ngroup h 1 w1", "line 3: a member stands"),
        *((f"{W1}\ngroup g {k} w1", "line 2: the threshold") for k in ("0", "2", "01", "-1", "²", "some", "1" * 5000)),
        ("quorum", "line 1: not quorum"),
        ("quorum none none", "line 1: not quorum"),
        ("quorum w1", "line 1: the name is not defined"),
        ("quorum none", "line 2: a second quorum"),
        ("other", "line 1: begins with none"),
        ("Log x", "line 1: begins with none"),
        ("log\u00a0x", "line 1: begins with none"),
        ("# \x00", "line 1: a control character"),
        ("# \x7f", "line 1: a control character"),
        ("# \r", "line 1: a control character"),
    ],
)
def test_fault_is_named_with_its_line(lines: str, fault: str) -> None:
    """Every rule of the specification has its fault."""
    with pytest.raises(PolicyFault) as caught:
        parse_policy(f"{lines}\nquorum none\n".encode())
    assert any(each.startswith(fault) for each in caught.value.faults)


def test_every_fault_is_named() -> None:
    """One error names them all, and no content of the file."""
    with pytest.raises(PolicyFault) as caught:
        parse_policy(b"log secret\nother\nwitness w1 x\ngroup g 1 w1")
    assert caught.value.faults == (
        "line 1: the key: not name+key id+key",
        "line 2: begins with none of log, witness, group, quorum",
        "line 3: the key: not name+key id+key",
        "line 4: a member is not defined above",
        "line 4: no newline at the end",
        "no quorum line",
    )
    assert "secret" not in str(caught.value)


def test_limits_of_a_policy() -> None:
    """Larger files, and more than 64 witnesses, are refused; 64 are taken."""
    lines = [f"witness w{at} {key(f'w{at}', KeyKind.COSIGNATURE).verifier()}\n" for at in range(65)]
    assert len(parse_policy(("".join(lines[:64]) + "quorum w63\n").encode()).witnesses) == 64
    for data in (("".join(lines) + "quorum none\n").encode(), b"#" * POLICY_BYTES_MAX + b"\nquorum none\n"):
        with pytest.raises(PolicyFault, match="more than"):
            parse_policy(data)


def test_names_are_octets() -> None:
    """Two names that look alike are two names, and bytes that are no UTF-8 may be a name."""
    lines = (
        W1.encode().replace(b" w1 ", b" \xff "),
        WITNESS_LINES[1].encode().replace(b" w2 ", "\u212a".join("  ").encode()),
    )
    policy = parse_policy(lines[0] + b"\n" + lines[1] + b"\ngroup K any \xff \xe2\x84\xaa\nquorum K\n")
    assert set(policy.witnesses) == {"\udcff", "\u212a"}
    with pytest.raises(PolicyFault, match="line 2: the name is not defined"):
        parse_policy(lines[1] + b"\nquorum K\n")


def test_quorum_is_needed() -> None:
    """One of three witnesses is not two; the second makes up the quorum, at its time."""
    policy = parse_policy(POLICY)
    with pytest.raises(QuorumMissing, match="1 of 3"):
        policy.accept(signed(9, 1_700_000_001))
    witnessed = policy.accept(signed(9, 1_700_000_005, 0, 1_700_000_002))
    assert witnessed.times == {"w1": 1_700_000_005, "w3": 1_700_000_002}
    assert witnessed.proven_time == 1_700_000_005
    assert (witnessed.checkpoint.size, witnessed.checkpoint.root, witnessed.log) == (9, root_at(9), LOG.verifier())


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(1, 2**40), min_size=3, max_size=3))
def test_proven_time_is_the_k_th_smallest(times: list[int]) -> None:
    """With threshold k the k-th smallest cosignature time is proven, in whatever order they come."""
    note = signed(9, *times)
    for k in (1, 2, 3):
        policy = parse_policy(POLICY.replace(b"ours 2", f"ours {k}".encode()))
        assert policy.accept(note).proven_time == sorted(times)[k - 1]


def test_quorum_of_groups() -> None:
    """A group within a group counts from the moment at which its own threshold was reached."""
    lines = POLICY.replace(b"group ours 2 w1 w2 w3\nquorum ours", b"group g any w1 w2\ngroup h all g w3\nquorum h")
    policy = parse_policy(lines)
    assert policy.quorum_time({"w1": 30, "w2": 20, "w3": 10}) == 20
    assert policy.quorum_time({"w1": 30, "w3": 10}) == 30
    assert policy.quorum_time({"w1": 30, "w2": 20}) is None
    assert parse_policy(POLICY.replace(b"quorum ours", b"quorum w2")).quorum_time({"w2": 20}) == 20


def test_without_a_quorum_no_time_is_proven() -> None:
    """`quorum none` takes a checkpoint on the log's word alone; a witness's time is shown and proves nothing."""
    policy = parse_policy(POLICY.replace(b"quorum ours", b"quorum none"))
    assert policy.accept(signed(9)).proven_time is None
    assert policy.accept(signed(9, 1_700_000_001)).times == {"w1": 1_700_000_001}
    assert policy.accept(signed(9, 1_700_000_001)).proven_time is None


def test_checkpoints_that_are_not_accepted() -> None:
    """Another key, another origin under a known key, a broken cosignature, and a text that is no checkpoint."""
    policy = parse_policy(POLICY)
    good = signed(9, 1_700_000_001, 1_700_000_002)
    stranger = key("other.example", KeyKind.ED25519)
    foreign = good.text.replace("north", "south")
    for note in (
        signed(9, 1, 1, log=stranger),
        Note(foreign).signed_also(LOG.sign(foreign), *(each.cosign(foreign, 1) for each in WITNESSES)),
        replace(good, signatures=(*good.signatures, replace(good.signatures[1], value=bytes(72)))),
        replace(good, signatures=good.signatures[1:]),
    ):
        with pytest.raises(SignatureFault):
            policy.accept(note)
    with pytest.raises(CheckpointFault):
        policy.accept(Note("text\n").signed_also(LOG.sign("text\n")))
