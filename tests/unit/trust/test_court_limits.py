"""Files and policies of hostile making: the court's verifier reads each once, and refuses what the product refuses."""

from __future__ import annotations

import time
from base64 import b64encode

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ledger.trust.format_fault import PolicyFault
from ledger.trust.note_key import KeyKind, SigningKey
from ledger.trust.pack_check import PackTrust, check_pack_file
from ledger.trust.pack_fault import PackFault, PackRefused
from ledger.trust.policy_file import PEERS_MAX, parse_policy
from ledger.trust.proof_pack import HASHES_MAX
from tests.unit.trust.sample_ledger import filled, policy, record_id
from tests.unit.trust.tlog_samples import LOG, POLICY
from verifier import verify as court

COURT_POLICY = court.policy_of(POLICY)
LINES = 20_000
CPU_SECONDS_MAX = 2.0
"""Read once, these files take some 0.05 s; tried again and again at each line, over 10 s."""
HASH = b64encode(bytes(32)).decode()
NOTE = f"x\n1\n{HASH}\n\n\u2014 a AAAAAAAA\n"
BEGUN = f"ledger-proof-pack@v1\nrecord {'0' * 32}\n"
EVENT = f"event {HASH}\n"
HOSTILE = {
    "hashes behind the head": f"{BEGUN}{EVENT}head 0\n" + f"hash {HASH}\n" * LINES + "xx\n",
    "hashes behind a later event": f"{BEGUN}{EVENT}head 0\nlater 1\n" + f"hash {HASH}\n" * LINES + "xx\n",
    "later events": f"{BEGUN}{EVENT}head 0\n" + f"later 1\nhash {HASH}\n" * LINES + "xx\n",
    "events": BEGUN + EVENT * LINES + "xx\n",
    "bodies": BEGUN + EVENT + f"body {HASH}\n" * LINES + "xx\n",
    "bodies of the map": f"{BEGUN}head 0\nmap {HASH}\n" + f"body {HASH}\n" * LINES + "xx\n",
    "hashes of the map": f"{BEGUN}head 0\nmap {HASH}\nplace 1\n" + f"hash {HASH}\n" * LINES + "xx\n",
    "hashes of the bucket": f"{BEGUN}head 0\nmap {HASH}\nplace 1\nbucket {HASH}\n" + f"hash {HASH}\n" * LINES + "xx\n",
}


@pytest.mark.parametrize("lines", HOSTILE.values(), ids=HOSTILE)
def test_no_file_is_tried_again_and_again(lines: str) -> None:
    """Twenty thousand lines that may stand where they stand, and one that may not: refused at once, by both."""
    data = f"{lines}\n{NOTE}".encode()
    begun = time.process_time()
    with pytest.raises(court.Refused, match=r"^FORM$"):
        court.check_pack(data, COURT_POLICY, [], None)
    assert time.process_time() - begun < CPU_SECONDS_MAX
    with pytest.raises(PackRefused) as refused:
        check_pack_file(data, PackTrust(policy()))
    assert refused.value.fault is PackFault.FORM


def test_no_path_is_longer_than_a_tree_can_need() -> None:
    """63 hashes too many are a path that does not lead to the root, 64 are no path at all: for both."""
    ledger = filled(5, 33)
    published = ledger.publish_map()
    ledger.append(record_id(1))
    whole = ledger.pack(record_id(1), published).encode().decode()
    for word, fault in (("head", "HEAD_INCLUSION"), ("later", "LATER_INCLUSION"), ("place", "MAP_INCLUSION"),
                        ("bucket", "BUCKET")):  # fmt: skip
        lines = whole.split("\n")
        at = next(at for at, line in enumerate(lines) if line.startswith(f"{word} ")) + 1
        length = next(n for n, line in enumerate(lines[at:]) if not line.startswith("hash "))
        for hashes, expected in ((HASHES_MAX, fault), (HASHES_MAX + 1, "FORM")):
            data = "\n".join([*lines[:at], *[f"hash {HASH}"] * (hashes - length), *lines[at:]]).encode()
            with pytest.raises(court.Refused, match=f"^{expected}( |$)"):
                court.check_pack(data, COURT_POLICY, [], None)
            with pytest.raises(PackRefused) as refused:
                check_pack_file(data, PackTrust(policy()))
            assert refused.value.fault.name == expected


def witness(number: int) -> str:
    """A witness's verifier key."""
    return str(SigningKey(f"w{number}", KeyKind.COSIGNATURE, number.to_bytes(32, "big")).verifier())


def log(number: int) -> str:
    """A log's verifier key."""
    return str(SigningKey(f"l{number}", KeyKind.ED25519, number.to_bytes(32, "big")).verifier())


def taken(text: str) -> tuple[bool, bool]:
    """Whether the product takes a policy, and whether the court's verifier does."""
    data = text.encode()
    try:
        parse_policy(data)
        product = True
    except PolicyFault:
        product = False
    try:
        court.policy_of(data)
        by_court = True
    except court.Refused:
        by_court = False
    return product, by_court


WITNESSES = [f"witness w{n} {witness(n)}\n" for n in range(1, PEERS_MAX + 2)]
LOGS = [f"log {log(n)}\n" for n in range(1, PEERS_MAX + 2)]
GROUPS = [f"group g{n} any {f'g{n - 1}' if n > 1 else 'w1'}\n" for n in range(1, PEERS_MAX + 2)]
QUORUM = "quorum w1\n"
OWN = f"log {LOG.verifier()}\n"
AT_THE_LIMIT = {
    "as many witnesses as there may be": (OWN + "".join(WITNESSES[:-1]) + QUORUM, True),
    "a witness more": (OWN + "".join(WITNESSES) + QUORUM, False),
    "as many logs as there may be": ("".join(LOGS[:-1]) + WITNESSES[0] + QUORUM, True),
    "a log more": ("".join(LOGS) + WITNESSES[0] + QUORUM, False),
    "as many groups as there may be": (OWN + WITNESSES[0] + "".join(GROUPS[:-1]) + "quorum g1\n", True),
    "a group more": (OWN + WITNESSES[0] + "".join(GROUPS) + "quorum g1\n", False),
    "a log twice": (OWN + OWN + "quorum none\n", False),
    "a log twice, with a URL": (OWN + f"log {LOG.verifier()} https://log.example\n" + "quorum none\n", False),
}


@pytest.mark.parametrize(("text", "holds"), AT_THE_LIMIT.values(), ids=AT_THE_LIMIT)
def test_both_take_the_same_policies_at_the_limits(text: str, holds: bool) -> None:
    """64 logs, witnesses and groups of each, and no log twice."""
    assert taken(text) == (holds, holds)


SOME = ["log l1", *(each[:-1] for each in LOGS[:2]), *(f"{each[:-1]} http://127.0.0.1:9" for each in WITNESSES[:3]),
        WITNESSES[0][:-1], f"witness none {witness(4)}", f"witness w9 {witness(3)}", "group g1 any w1 w2",
        "group g1 2 w1 w2", "group g2 3 g1 w3", "group g2 all g1 w3", "group g3 0 w1", "group g3 any w1 w1",
        "group w1 any w2", "group none any w1", "quorum g1", "quorum g2", "quorum w1", "quorum none", "quorum",
        "# nothing", "", "\tquorum  w2 ", "witness", "others w1", f"log {witness(1)}"]  # fmt: skip


@settings(deadline=None, max_examples=400)
@given(st.lists(st.sampled_from(SOME), max_size=9), st.booleans())
@example(["log l1"], True)
def test_both_take_the_same_policies(lines: list[str], ended: bool) -> None:
    """Of lines that are right and lines that are wrong, in any order."""
    text = "\n".join(lines) + ("\n" if ended else "")
    product, by_court = taken(text)
    assert product == by_court
