"""Reading a tlog-policy file: either a whole policy, or every fault with its line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ledger.trust.format_fault import KeyFault, PolicyFault
from ledger.trust.note_key import KeyKind, VerifierKey, parse_verifier_key
from ledger.trust.policy import NO_QUORUM, Group, Peer, Policy

POLICY_BYTES_MAX = 256 * 1024
PEERS_MAX = 64
"""Logs, witnesses and groups, of each; readers must take 32."""

_LOG_WORDS = (2, 3)
_WITNESS_WORDS = (3, 4)
_GROUP_WORDS_MIN = 4


def parse_policy(data: bytes) -> Policy:
    """The policy in a file's bytes; PolicyFault names every fault as `line N: what`."""
    if len(data) > POLICY_BYTES_MAX:
        raise PolicyFault("more than 256 KiB")
    # Names are opaque octets: no decoding may make two of them equal, or refuse one.
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    reading = _Reading()
    for number, line in enumerate(lines, 1):
        reading.take(number, line)
    if lines[-1]:
        # A name cut short may be another name: `quorum w1` of `quorum w12`.
        reading.faults.append(f"line {len(lines)}: no newline at the end")
    return reading.policy()


@dataclass
class _Reading:
    """What the lines so far have defined."""

    logs: list[Peer] = field(default_factory=list[Peer])
    witnesses: dict[str, Peer] = field(default_factory=dict[str, Peer])
    groups: dict[str, Group] = field(default_factory=dict[str, Group])
    quorums: list[str] = field(default_factory=list[str])
    members: set[str] = field(default_factory=set[str])
    faults: list[str] = field(default_factory=list[str])

    def take(self, number: int, line: str) -> None:
        if any((each < " " and each != "\t") or each == "\x7f" for each in line):
            self.faults.append(f"line {number}: a control character")
            return
        words = line.replace("\t", " ").split(" ")
        words = [word for word in words if word]
        if not words or words[0].startswith("#"):
            return
        takers: dict[str, Callable[[list[str]], str]] = {
            "log": self._log, "witness": self._witness, "group": self._group, "quorum": self._quorum
        }  # fmt: skip
        taker = takers.get(words[0])
        fault = taker(words) if taker else "begins with none of log, witness, group, quorum"
        if fault:
            self.faults.append(f"line {number}: {fault}")

    def policy(self) -> Policy:
        if not self.quorums:
            self.faults.append("no quorum line")
        if self.faults:
            raise PolicyFault(*self.faults)
        return Policy(tuple(self.logs), self.witnesses, self.groups, self.quorums[0])

    def _log(self, words: list[str]) -> str:
        if len(words) not in _LOG_WORDS:
            return "not log, key and perhaps a URL"
        key = _key_of(words[1], KeyKind.ED25519)
        if isinstance(key, str):
            return key
        if key.public_key in {log.key.public_key for log in self.logs}:
            return "a log with this key is there already"
        self.logs.append(Peer(key, "".join(words[2:])))
        return _fault_in_count(len(self.logs), "logs")

    def _witness(self, words: list[str]) -> str:
        if len(words) not in _WITNESS_WORDS:
            return "not witness, name, key and perhaps a URL"
        key = _key_of(words[2], KeyKind.COSIGNATURE)
        if isinstance(key, str):
            return key
        if key.public_key in {witness.key.public_key for witness in self.witnesses.values()}:
            return "a witness with this key is there already"
        if fault := self._fault_in_new(words[1]):
            return fault
        self.witnesses[words[1]] = Peer(key, "".join(words[3:]))
        return _fault_in_count(len(self.witnesses), "witnesses")

    def _group(self, words: list[str]) -> str:
        if len(words) < _GROUP_WORDS_MIN:
            return "not group, name, threshold and at least one member"
        _, name, threshold, *members = words
        if fault := self._fault_in_new(name) or self._fault_in_members(members):
            return fault
        k = _threshold_of(threshold, len(members))
        if k is None:
            return f"the threshold is not all, any or 1 to {len(members)}"
        self.members.update(members)
        self.groups[name] = Group(k, tuple(members))
        return _fault_in_count(len(self.groups), "groups")

    def _quorum(self, words: list[str]) -> str:
        if len(words) != 2:
            return "not quorum and a name"
        if self.quorums:
            return "a second quorum"
        self.quorums.append(words[1])
        return "" if words[1] == NO_QUORUM or self._defines(words[1]) else "the name is not defined above"

    def _fault_in_new(self, name: str) -> str:
        if name == NO_QUORUM:
            return "none is no name"
        return "the name is defined already" if self._defines(name) else ""

    def _fault_in_members(self, members: list[str]) -> str:
        if not all(map(self._defines, members)):
            return "a member is not defined above"
        # A witness in two groups would count twice.
        if len(set(members)) < len(members) or self.members & set(members):
            return "a member stands in a group already"
        return ""

    def _defines(self, name: str) -> bool:
        return name in self.witnesses or name in self.groups


def _key_of(text: str, kind: KeyKind) -> VerifierKey | str:
    """The key, or what is wrong with it."""
    try:
        key = parse_verifier_key(text)
    except KeyFault as fault:
        return f"the key: {', '.join(fault.faults)}"
    return key if key.kind is kind else f"the key is not of kind {kind:#04x}"


def _threshold_of(text: str, members: int) -> int | None:
    if text in ("all", "any"):
        return members if text == "all" else 1
    if not (text.isascii() and text.isdigit() and not text.startswith("0") and len(text) <= len(str(PEERS_MAX))):
        return None
    return int(text) if int(text) <= members else None


def _fault_in_count(count: int, what: str) -> str:
    return "" if count <= PEERS_MAX else f"more than {PEERS_MAX} {what}"
