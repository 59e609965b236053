#!/usr/bin/env python3
"""Checks a record's proof pack, or a .tlog-proof of one event, from the file and trusted keys alone: no network.

    python verify.py pack  FILE --key LOGKEY            [--policy FILE] [--monitor KEY]... [--map-age SECONDS]
    python verify.py proof FILE --entry FILE --key LOGKEY [--policy FILE]

This one file is written to be read whole. It shares no code with the ledger; the formats are in docs/formats.md and
at c2sp.org (signed-note, tlog-checkpoint, tlog-cosignature, tlog-policy, tlog-proof). It needs Python 3.11 and the
package `cryptography`, for Ed25519 alone. Exit status: 0 holds, 1 refused, 2 used wrongly or a file is unreadable.
The last line says what was shown, or the name of the first fault and the version of the event where it is.
"""

import argparse
import base64
import hmac
import re
import sys
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

SIZE_MAX = (1 << 63) - 1
PACK_BYTES_MAX, PROOF_BYTES_MAX, NOTE_BYTES_MAX = 256 << 20, 384 << 10, 256 << 10
LOG_KEY, WITNESS_KEY = 1, 4
MAP_AHEAD_SECONDS = 300
MAP_EVENT_TYPE = "ledger.v1.MapPublished"


class Refused(Exception):
    """The first fault: its name, and the version of the record's event where it is (0 = none)."""

    def __init__(self, name: str, version: int = 0) -> None:
        super().__init__(f"{name} at version {version}" if version else name)
        self.name, self.version = name, version


def need(holds: object, name: str, version: int = 0) -> None:
    if not holds:
        raise Refused(name, version)


def number(text: str, fault: str) -> int:
    need(re.fullmatch("0|[1-9][0-9]{0,18}", text, re.ASCII) and int(text) <= SIZE_MAX, fault)
    return int(text)


def octets(text: str, fault: str) -> bytes:
    """Base64 of at least one byte."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise Refused(fault) from None
    need(data and base64.b64encode(data).decode() == text, fault)
    return data


class Lines:
    """Lines `word value value`, taken one by one."""

    def __init__(self, text: str, fault: str) -> None:
        self.lines, self.at, self.fault = text.split("\n"), 0, fault

    def next_is(self, word: str) -> bool:
        return self.at < len(self.lines) and self.lines[self.at].split(" ")[0] == word

    def take(self, word: str, values: int = 1) -> list[str]:
        need(self.next_is(word), self.fault)
        words = self.lines[self.at].split(" ")
        self.at += 1
        need(len(words) == values + 1, self.fault)
        return words[1:]

    def hashes(self) -> list[bytes]:
        found: list[bytes] = []
        while self.next_is("hash"):
            found.append(octets(self.take("hash")[0], self.fault))
        return found


@dataclass(frozen=True)
class Key:
    """A verifier key `name+id+base64(kind, public key)`."""

    name: str
    kind: int
    public: bytes

    @property
    def id(self) -> bytes:
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    def time_of(self, text: str, value: bytes) -> int | None:
        """The second at which it signed `text` (0 where its kind says none), or None where it did not."""
        time, message = 0, text
        if self.kind == WITNESS_KEY:
            time, value = int.from_bytes(value[:8], "big"), value[8:]
            message = f"cosignature/v1\ntime {time}\n{text}"
            if not 0 < time <= SIZE_MAX:
                return None
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(value, message.encode())
        except (InvalidSignature, ValueError):
            return None
        return time


def key_of(text: str) -> Key:
    name, key_id, encoded = [*text.split("+", 2), "", ""][:3]
    data = octets(encoded, "KEY")
    key = Key(name, data[0], data[1:])
    need(is_name(name) and data[0] in (LOG_KEY, WITNESS_KEY) and len(data) == 33 and key.id.hex() == key_id, "KEY")
    return key


def is_name(name: str) -> bool:
    return bool(name) and not any(each.isspace() or each == "+" or each < " " for each in name)


class Note(NamedTuple):
    text: str
    signatures: list[tuple[str, bytes, bytes]]  # name, key id, signature

    def signers(self, keys: list[Key], fault: str) -> dict[Key, int]:
        """Who of these has signed, and when. A broken signature of one of them condemns the note."""
        found: dict[Key, int] = {}
        for name, key_id, value in self.signatures:
            for key in keys:
                if (key.name, key.id) == (name, key_id):
                    time = key.time_of(self.text, value)
                    need(time is not None, fault)
                    found[key] = min(time or 0, found.get(key, time or 0))
        return found


def note_of(data: bytes, fault: str) -> Note:
    try:
        text, gap, lines = data.decode().rpartition("\n\n")
    except UnicodeDecodeError:
        raise Refused(fault) from None
    need(len(data) <= NOTE_BYTES_MAX and gap and lines.endswith("\n"), fault)
    need(not any(each < " " and each != "\n" for each in text + lines), fault)
    signatures: list[tuple[str, bytes, bytes]] = []
    for line in lines[:-1].split("\n"):
        name, _, encoded = line.removeprefix("\u2014 ").partition(" ")
        need(line.startswith("\u2014 ") and is_name(name), fault)
        value = octets(encoded, fault)
        need(len(value) > 4, fault)
        signatures.append((name, value[:4], value[4:]))
    need(len(signatures) <= 64, fault)
    return Note(text + "\n", signatures)


@dataclass
class Policy:
    logs: list[Key] = field(default_factory=list)
    witnesses: dict[str, Key] = field(default_factory=dict)
    groups: dict[str, tuple[int, list[str]]] = field(default_factory=dict)
    quorum: str = ""

    def time_of(self, name: str, times: dict[str, int]) -> int | None:
        """When `name` had witnessed: for a group of threshold k the k-th smallest time."""
        if name not in self.groups:
            return times.get(name)
        threshold, members = self.groups[name]
        reached = sorted(time for each in members if (time := self.time_of(each, times)) is not None)
        return reached[threshold - 1] if len(reached) >= threshold else None


def policy_of(data: bytes) -> Policy:
    """The policy of a file; names are opaque bytes there, so nothing is decoded that could make two of them equal."""
    try:
        return policy_in(data.decode("utf-8", "surrogateescape"))
    except UnicodeError:  # the name of a key, which must be UTF-8
        raise Refused("POLICY") from None


def policy_in(text: str) -> Policy:
    policy, used = Policy(), set[str]()
    need(len(text) <= 256 << 10 and text.endswith("\n"), "POLICY")
    need(not any((each < " " and each not in "\t\n") or each == "\x7f" for each in text), "POLICY")
    for line in text.split("\n"):
        words = line.replace("\t", " ").split(" ")
        words = [word for word in words if word]
        defined = {*policy.witnesses, *policy.groups}
        match words:
            case []:
                continue
            case [first, *_] if first.startswith("#"):
                continue
            case ["log", key, *rest] if len(rest) < 2:
                need(key_of(key).kind == LOG_KEY, "POLICY")
                policy.logs.append(key_of(key))
            case ["witness", name, key, *rest] if len(rest) < 2 and name not in {"none", *defined}:
                same = [each for each in policy.witnesses.values() if each.public == key_of(key).public]
                need(key_of(key).kind == WITNESS_KEY and not same, "POLICY")
                policy.witnesses[name] = key_of(key)
            case ["group", name, limit, *members] if members and name not in {"none", *defined}:
                need(set(members) <= defined and len({*members}) == len(members) and not used & {*members}, "POLICY")
                k = {"all": len(members), "any": 1}.get(limit) or number(limit, "POLICY")
                need(1 <= k <= len(members), "POLICY")
                used |= {*members}
                policy.groups[name] = (k, members)
            case ["quorum", name] if not policy.quorum and name in {"none", *defined}:
                policy.quorum = name
            case _:
                raise Refused("POLICY")
    need(policy.quorum, "POLICY")
    return policy


# `proven`: the Unix second at which it existed at the latest, by the witnesses' word; None without witnesses.
class Checkpoint(NamedTuple):
    origin: str
    size: int
    root: bytes
    proven: int | None


def checkpoint_of(note: Note, policy: Policy) -> Checkpoint:
    signed = note.signers([*policy.logs, *policy.witnesses.values()], "CHECKPOINT")
    lines = note.text.split("\n")
    need(len(lines) > 3 and not lines[-1] and all(lines[:-1]), "CHECKPOINT")
    size, root = number(lines[1], "CHECKPOINT"), octets(lines[2], "CHECKPOINT")
    need(len(root) == 32 and any(key in signed and key.name == lines[0] for key in policy.logs), "CHECKPOINT")
    times = {name: signed[key] for name, key in policy.witnesses.items() if key in signed}
    proven = policy.time_of(policy.quorum, times)
    need(proven is not None or policy.quorum == "none", "QUORUM")
    return Checkpoint(lines[0], size, root, proven)


def leaf_hash(data: bytes) -> bytes:
    return sha256(b"\x00" + data).digest()


def bucket_of(record: bytes) -> int:
    return int.from_bytes(sha256(record).digest()[:2], "big")


def included(leaf: bytes, index: int, size: int, path: list[bytes], root: bytes) -> bool:
    """Whether the path leads from the leaf at `index` to the root of the tree of `size` leaves (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size or len(path) > 63 or any(len(each) != 32 for each in path):
        return False
    at, last, found = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = sha256(b"\x01" + sibling + found).digest()
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = sha256(b"\x01" + found + sibling).digest()
        at, last = at >> 1, last >> 1
    return last == 0 and found == root


def varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    begin = at
    while at < len(data) and at - begin < 10:
        value |= (data[at] & 127) << shift
        if data[at] < 128:
            if (data[at] == 0 and at > begin) or value >= 1 << 64:
                raise ValueError  # not the shortest, or above 64 bits
            return value, at + 1
        at, shift = at + 1, shift + 7
    raise ValueError


def fields_of(data: bytes, numeric: set[int]) -> tuple[dict[int, int], dict[int, bytes]]:
    """Protobuf fields in ascending order, each once, none empty: numbers and bytes; ValueError for anything else."""
    numbers, texts = dict[int, int](), dict[int, bytes]()
    at = last = 0
    while at < len(data):
        tag, at = varint(data, at)
        value, at = varint(data, at)
        name = tag >> 3
        if name <= last or value == 0 or tag & 7 != (0 if name in numeric else 2):
            raise ValueError
        if name in numeric:
            numbers[name] = value
        else:
            texts[name], at = data[at : at + value], at + value
        last = name
    if at != len(data):
        raise ValueError
    return numbers, texts


def at_or_after(origin: str, before: str) -> bool:
    """Whether `origin` is `before`, or the log `<same name>/<larger number>` that goes on for it after a loss."""
    (name, _, n), (other, _, m) = origin.rpartition("/"), before.rpartition("/")
    numbers = all(re.fullmatch("[1-9][0-9]{0,8}", each, re.ASCII) for each in (n, m))
    return origin == before or (numbers and name == other and name != "" and int(n) > int(m))


class Envelope(NamedTuple):
    """What stays readable for ever about an event, as far as it is looked at here."""

    origin: str
    stream: bytes
    version: int
    type: str
    recorded_at: int
    body_sha256: bytes
    commitment: bytes
    prev_leaf: bytes


def envelope_of(data: bytes) -> Envelope:
    """ValueError for bytes that are no envelope of format 1."""
    numbers, texts = fields_of(data, {1, 4, 6})
    lengths = {3: (16,), 7: (0, 16), 8: (0, 16), 9: (32,), 10: (0, 32), 11: (0,) if numbers.get(4) == 1 else (32,)}
    known = set(numbers) == {1, 4, 6} and set(texts) <= {2, 3, 5, 7, 8, 9, 10, 11} and {2, 5} <= set(texts)
    if len(data) > 4096 or not known or numbers[1] != 1:
        raise ValueError
    if any(len(texts.get(at, b"")) not in allowed for at, allowed in lengths.items()):
        raise ValueError
    commitment, prev_leaf = texts.get(10, b""), texts.get(11, b"")
    if bool(commitment) != bool(texts.get(8)):
        raise ValueError  # a body is sealed under a key and committed to, or neither
    names = texts[2].decode(), texts[5].decode()
    return Envelope(names[0], texts[3], numbers[4], names[1], numbers[6], texts[9], commitment, prev_leaf)


class Event(NamedTuple):
    """An event of a pack: its envelope, the body as stored, and the body opened with the salt that it takes."""

    data: bytes
    body: bytes
    salt: bytes
    plaintext: bytes

    def envelope(self, origin: str, version: int = 0) -> Envelope:
        try:
            envelope = envelope_of(self.data)
        except ValueError:
            raise Refused("ENVELOPE", version) from None
        need(at_or_after(origin, envelope.origin), "ORIGIN", version)
        return envelope

    def bodies_belong(self, envelope: Envelope) -> bool:
        if self.body and sha256(self.body).digest() != envelope.body_sha256:
            return False
        if not self.plaintext:
            return True
        return len(self.salt) == 32 and hmac.digest(self.salt, self.plaintext, "sha256") == envelope.commitment


def event_in(lines: Lines, word: str) -> Event:
    data = octets(lines.take(word)[0], lines.fault)
    body = octets(lines.take("body")[0], lines.fault) if lines.next_is("body") else b""
    if not lines.next_is("opened"):
        return Event(data, body, b"", b"")
    salt, plaintext = lines.take("opened", 2)
    return Event(data, body, octets(salt, lines.fault), octets(plaintext, lines.fault))


def place_in(lines: Lines, word: str) -> tuple[int, list[bytes]]:
    return number(lines.take(word)[0], lines.fault), lines.hashes()


def check_pack(data: bytes, policy: Policy, monitors: list[Key], map_age: int | None) -> str:
    head, gap, note = data.partition(b"\n\n")
    need(len(data) <= PACK_BYTES_MAX and gap and head.isascii(), "FORM")
    lines = Lines(head.decode(), "FORM")
    lines.take("ledger-proof-pack@v1", 0)
    name = lines.take("record")[0]
    need(re.fullmatch("[0-9a-f]{32}", name), "FORM")
    events: list[Event] = []
    while lines.next_is("event"):
        events.append(event_in(lines, "event"))
    place, later = place_in(lines, "head"), list[tuple[int, list[bytes]]]()
    while lines.next_is("later"):
        later.append(place_in(lines, "later"))
    map_event, map_place = event_in(lines, "map"), place_in(lines, "place")
    bucket, bucket_path = octets(lines.take("bucket")[0], "FORM"), lines.hashes()
    audit = note_of(octets(lines.take("audit")[0], "FORM"), "FORM") if lines.next_is("audit") else None
    signed = note_of(note, "FORM")
    need(lines.at == len(lines.lines) and len(events) <= 100_000, "FORM")

    # 1. A tree head that a trusted log signed and enough witnesses saw.
    checkpoint = checkpoint_of(signed, policy)

    def in_log(event: Event, where: tuple[int, list[bytes]]) -> bool:
        return included(leaf_hash(event.data), where[0], checkpoint.size, where[1], checkpoint.root)

    # 2. The record's events, each naming the one before it by its hash.
    leaf, recorded_at, begun = b"", 0, ""
    for version, event in enumerate(events, 1):
        envelope = event.envelope(checkpoint.origin, version)
        need(not begun or at_or_after(envelope.origin, begun), "ORIGIN", version)
        need(envelope.stream.hex() == name, "RECORD", version)
        need(envelope.version == version, "VERSION", version)
        need(envelope.prev_leaf == leaf, "PREV_LEAF", version)
        need(envelope.recorded_at >= recorded_at, "TIME", version)
        need(event.bodies_belong(envelope), "BODY", version)
        leaf, recorded_at, begun = leaf_hash(event.data), envelope.recorded_at, envelope.origin

    # 3. The map that the log itself published: where every record stood at `size`.
    published = map_event.envelope(checkpoint.origin)
    body = map_event.plaintext if published.commitment else map_event.body
    need(published.type == MAP_EVENT_TYPE and body and map_event.bodies_belong(published), "MAP_EVENT")
    try:
        numbers, texts = fields_of(body, {2, 3, 5})
    except ValueError:
        raise Refused("MAP_EVENT") from None
    need(numbers.get(5) == 1 and set(numbers) | {3} == {2, 3, 5} and set(texts) == {1, 4}, "MAP_EVENT")
    size, rows, root = numbers[2], numbers.get(3, 0), texts[4]
    need(rows <= size <= SIZE_MAX and len(root) == 32, "MAP_EVENT")
    need(in_log(map_event, map_place), "MAP_INCLUSION")
    need(size <= map_place[0], "MAP_ORDER")
    if checkpoint.proven is not None:  # a clock may be some minutes wrong, but nothing is recorded after it was seen
        need(published.recorded_at - checkpoint.proven * 1_000_000 <= MAP_AHEAD_SECONDS * 1_000_000, "STALE_MAP")
    if map_age is not None:
        need(checkpoint.proven is not None, "STALE_MAP")
        need((checkpoint.proven or 0) * 1_000_000 - published.recorded_at <= map_age * 1_000_000, "STALE_MAP")

    # 4. The record's whole bucket in that map: it stands there once, at the version and with the hash of this pack.
    which = bucket_of(bytes.fromhex(name))
    need(len(bucket_path) == 16 and included(leaf_hash(bucket), which, 65536, bucket_path, root), "BUCKET")
    need(len(bucket) % 56 == 0 and len(bucket) <= 56_000, "SECOND_ROW")
    table = [bucket[at : at + 56] for at in range(0, len(bucket), 56)]
    need(all(one[:16] < two[:16] for one, two in pairwise(table)), "SECOND_ROW")
    need(all(any(row[16:24]) and bucket_of(row[:16]) == which for row in table), "SECOND_ROW")
    mine = next((row for row in table if row[:16].hex() == name), b"")
    need(mine, "NOT_IN_MAP")
    mapped = int.from_bytes(mine[16:24], "big")
    need(mapped <= len(events), "HIDDEN_TAIL", len(events) + 1)
    need(leaf_hash(events[mapped - 1].data) == mine[24:], "WRONG_HEAD", mapped)

    # 5. The mapped event lies below the map's size, each later one above it and in the log.
    need(place[0] < size and in_log(events[mapped - 1], place), "HEAD_INCLUSION", mapped)
    need(len(later) == len(events) - mapped, "LATER_INCLUSION", mapped + 1)
    before = size - 1
    for version, (event, where) in enumerate(zip(events[mapped:], later, strict=True), mapped + 1):
        need(in_log(event, where), "LATER_INCLUSION", version)
        need(where[0] > before, "WRONG_MAP", version)
        before = where[0]

    # 6. Whether somebody trusted rebuilt that map from the entries and came to the same.
    auditors = sorted(key.name for key in audit.signers(monitors, "AUDIT")) if audit else []
    if audit and auditors:
        root64 = base64.b64encode(root).decode()
        right = ["ledger-map-audit@v1", checkpoint.origin, map_place[0], size, rows, root64, rows, root64]
        need(audit.text == "".join(f"{line}\n" for line in right), "AUDIT")
    return (
        f"HOLDS record {name} events {len(events)} complete-to-version {mapped} map-size {size} "
        f"tree-size {checkpoint.size} proven-time {checkpoint.proven or 'none'} "
        f"map-audit {','.join(auditors) or 'none'}"
    )


def check_proof(data: bytes, entry: bytes, policy: Policy) -> str:
    """A .tlog-proof of one event, whose envelope is `entry`."""
    head, gap, note = data.partition(b"\n\n")
    need(len(data) <= PROOF_BYTES_MAX and gap and head.isascii(), "FORM")
    header, *rest = head.decode().split("\n")
    need(header == "c2sp.org/tlog-proof@v1", "FORM")
    if rest and rest[0].startswith("extra "):  # data beside the proof, which it does not prove
        octets(rest.pop(0).removeprefix("extra "), "FORM")
    need(rest and rest[0].startswith("index "), "FORM")
    index, path = number(rest[0].removeprefix("index "), "FORM"), [octets(each, "FORM") for each in rest[1:]]
    need(len(path) <= 63 and all(len(each) == 32 for each in path), "FORM")
    signed = note_of(note, "FORM")
    checkpoint = checkpoint_of(signed, policy)
    need(included(leaf_hash(entry), index, checkpoint.size, path, checkpoint.root), "INCLUSION")
    return f"HOLDS index {index} tree-size {checkpoint.size} proven-time {checkpoint.proven or 'none'}"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Checks proofs of a medical record ledger offline.")
    parser.add_argument("what", choices=("pack", "proof"))
    parser.add_argument("file", type=Path)
    parser.add_argument("--key", help="the log's verifier key")
    parser.add_argument("--policy", type=Path, help="a tlog-policy file: logs, witnesses, quorum")
    parser.add_argument("--monitor", action="append", default=[], help="verifier key of a monitor whose word counts")
    parser.add_argument("--map-age", type=int, help="seconds that the map may be older than the proven time")
    parser.add_argument("--entry", type=Path, help="for `proof`: file with the event's envelope")
    given = parser.parse_args(arguments)
    try:
        policy = policy_of(given.policy.read_bytes()) if given.policy else Policy(quorum="none")
        if given.key:
            key = key_of(given.key)
            need(key.kind == LOG_KEY and (not policy.logs or key in policy.logs), "KEY")
            policy.logs = [key]
        need(policy.logs, "KEY")
        if given.what == "pack":
            said = check_pack(given.file.read_bytes(), policy, [key_of(each) for each in given.monitor], given.map_age)
        else:
            need(given.entry, "ENTRY")
            said = check_proof(given.file.read_bytes(), given.entry.read_bytes(), policy)
    except OSError as error:
        print(f"UNREADABLE {error}")
        return 2
    except Refused as fault:
        print(f"REFUSED {fault}")
        return 2 if fault.name in ("KEY", "POLICY", "ENTRY") else 1
    print(said)
    return 0


if __name__ == "__main__":
    sys.exit(main())
