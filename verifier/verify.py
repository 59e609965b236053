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

NAME = r"[^\s+\x00-\x20\ud800-\udfff]+"
B64 = r"[A-Za-z0-9+/]+=*"
KEY = re.compile(rf"({NAME})\+([0-9a-f]{{8}})\+({B64})")
SIGNATURE = re.compile(rf"\u2014 ({NAME}) ({B64})")
# An event of a pack: its envelope, the body as stored, the salt of its commitment with the body opened.
EVENT = re.compile(rf"(?:event|map) ({B64})\n(?:body ({B64})\n)?(?:opened ({B64}) ({B64})\n)?")
# A place in the tree: the leaf's index and its audit path.
PLACE = re.compile(rf"(?:head|later|place) ([0-9]+)\n((?:hash {B64}\n)*)")
PACK = re.compile(
    r"ledger-proof-pack@v1\nrecord ([0-9a-f]{32})\n((?:(?:event|body|opened) .*\n)*)"
    r"(head .*\n(?:hash .*\n)*)((?:(?:later|hash) .*\n)*)(map .*\n(?:(?:body|opened) .*\n)*)"
    rf"(place .*\n(?:hash .*\n)*)bucket ({B64})\n((?:hash {B64}\n)*)(?:audit ({B64})\n)?"
)
PROOF = re.compile(rf"c2sp\.org/tlog-proof@v1\n(?:extra ({B64})\n)?index ([0-9]+)\n((?:{B64}\n)*)")


class Refused(Exception):
    """The first fault: its name, and the version of the record's event where it is (0 = none)."""

    def __init__(self, name: str, version: int = 0) -> None:
        super().__init__(f"{name} at version {version}" if version else name)
        self.name, self.version = name, version


def need(holds: object, name: str, version: int = 0) -> None:
    if not holds:
        raise Refused(name, version)


def matched(pattern: re.Pattern[str], text: str, fault: str) -> re.Match[str]:
    found = pattern.fullmatch(text)
    if found is None:
        raise Refused(fault)
    return found


def all_of(pattern: re.Pattern[str], text: str) -> list[re.Match[str]]:
    """The text as matches one after the other, with nothing between them."""
    found = list(pattern.finditer(text))
    need("".join(each[0] for each in found) == text, "FORM")
    return found


def number(text: str, fault: str) -> int:
    need(re.fullmatch("0|[1-9][0-9]{0,18}", text, re.ASCII) and int(text) <= SIZE_MAX, fault)
    return int(text)


def octets(text: str, fault: str) -> bytes:
    """Base64 of at least one byte, in its one spelling."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise Refused(fault) from None
    need(data and base64.b64encode(data).decode() == text, fault)
    return data


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
    name, key_id, encoded = matched(KEY, text, "KEY").groups()
    data = octets(encoded, "KEY")
    key = Key(name, data[0], data[1:])
    need(key.kind in (LOG_KEY, WITNESS_KEY) and len(key.public) == 32 and key.id.hex() == key_id, "KEY")
    return key


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
        name, encoded = matched(SIGNATURE, line, fault).groups()
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
    text, policy, used = data.decode("utf-8", "surrogateescape"), Policy(), set[str]()
    need(len(data) <= 256 << 10 and text.endswith("\n"), "POLICY")
    need(not any((each < " " and each not in "\t\n") or each == "\x7f" for each in text), "POLICY")
    for line in text.split("\n"):
        words = [word for word in line.replace("\t", " ").split(" ") if word]
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


class Place(NamedTuple):
    at: int  # index of the leaf
    path: list[bytes]


class Checkpoint(NamedTuple):
    """A tree head; `proven`: the second by which it existed, by the witnesses' word, None without witnesses."""

    origin: str
    size: int
    root: bytes
    proven: int | None

    def covers(self, leaf: bytes, place: Place) -> bool:
        return included(leaf, place.at, self.size, place.path, self.root)


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
    """Whether the path, the leaf's sibling first, leads from the leaf at `index` to the root (RFC 6962, 2.1)."""
    if not 0 <= index < size or len(path) > 63 or any(len(each) != 32 for each in path):
        return False
    siblings = list(path)

    def node(index: int, size: int) -> bytes:
        """The hash over `size` leaves, which fall apart at the largest power of two below their number."""
        if size == 1:
            return leaf
        sibling, half = siblings.pop(), 1 << (size - 1).bit_length() - 1
        if index < half:
            return sha256(b"\x01" + node(index, half) + sibling).digest()
        return sha256(b"\x01" + sibling + node(index - half, size - half)).digest()

    try:
        return node(index, size) == root and not siblings
    except IndexError:  # a hash too few
        return False


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
    """An event of a pack; what the pack leaves out is empty."""

    data: bytes
    body: bytes
    salt: bytes
    plaintext: bytes

    @property
    def leaf(self) -> bytes:
        return leaf_hash(self.data)

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


def hashes_in(text: str) -> list[bytes]:
    return [octets(each.split(" ")[-1], "FORM") for each in text.split("\n")[:-1]]


def events_in(text: str) -> list[Event]:
    fields = (each.groups("") for each in all_of(EVENT, text))
    return [Event(*(octets(part, "FORM") if part else b"" for part in parts)) for parts in fields]


def places_in(text: str) -> list[Place]:
    return [Place(number(each[1], "FORM"), hashes_in(each[2])) for each in all_of(PLACE, text)]


def split_at_note(data: bytes, bytes_max: int) -> tuple[str, Note]:
    """The lines before the first empty one, and the checkpoint's note behind it."""
    head, gap, note = data.partition(b"\n\n")
    need(len(data) <= bytes_max and gap and head.isascii(), "FORM")
    return head.decode() + "\n", note_of(note, "FORM")


def check_chain(record: str, events: list[Event], origin: str) -> None:
    """The record's events, each naming the one before it by its hash."""
    leaf, recorded_at, begun = b"", 0, ""
    for version, event in enumerate(events, 1):
        envelope = event.envelope(origin, version)
        need(not begun or at_or_after(envelope.origin, begun), "ORIGIN", version)
        need(envelope.stream.hex() == record, "RECORD", version)
        need(envelope.version == version, "VERSION", version)
        need(envelope.prev_leaf == leaf, "PREV_LEAF", version)
        need(envelope.recorded_at >= recorded_at, "TIME", version)
        need(event.bodies_belong(envelope), "BODY", version)
        leaf, recorded_at, begun = event.leaf, envelope.recorded_at, envelope.origin


def published_map(event: Event, place: Place, tree: Checkpoint, age_max: int | None) -> tuple[int, int, bytes]:
    """Size, rows and root of a map that the log itself published: where every record stood at `size`."""
    envelope = event.envelope(tree.origin)
    body = event.plaintext if envelope.commitment else event.body
    need(envelope.type == MAP_EVENT_TYPE and body and event.bodies_belong(envelope), "MAP_EVENT")
    try:
        numbers, texts = fields_of(body, {2, 3, 5})
    except ValueError:
        raise Refused("MAP_EVENT") from None
    need(numbers.get(5) == 1 and set(numbers) | {3} == {2, 3, 5} and set(texts) == {1, 4}, "MAP_EVENT")
    size, rows, root = numbers[2], numbers.get(3, 0), texts[4]
    need(rows <= size <= SIZE_MAX and len(root) == 32, "MAP_EVENT")
    need(tree.covers(event.leaf, place), "MAP_INCLUSION")
    need(size <= place.at, "MAP_ORDER")
    need(tree.proven is not None or age_max is None, "STALE_MAP")
    if tree.proven is not None:  # a clock may be some minutes wrong, but nothing is recorded after it was seen
        age = tree.proven * 1_000_000 - envelope.recorded_at
        need(age >= -MAP_AHEAD_SECONDS * 1_000_000, "STALE_MAP")
        need(age_max is None or age <= age_max * 1_000_000, "STALE_MAP")
    return size, rows, root


def mapped_row(record: str, bucket: bytes, path: list[bytes], root: bytes) -> tuple[int, bytes]:
    """Version and head of the record in its whole bucket of the map, where it stands once."""
    which = bucket_of(bytes.fromhex(record))
    need(len(path) == 16 and included(leaf_hash(bucket), which, 65536, path, root), "BUCKET")
    need(len(bucket) % 56 == 0 and len(bucket) <= 56_000, "SECOND_ROW")
    table = [bucket[at : at + 56] for at in range(0, len(bucket), 56)]
    need(all(one[:16] < two[:16] for one, two in pairwise(table)), "SECOND_ROW")
    need(all(any(row[16:24]) and bucket_of(row[:16]) == which for row in table), "SECOND_ROW")
    mine = next((row for row in table if row[:16].hex() == record), b"")
    need(mine, "NOT_IN_MAP")
    return int.from_bytes(mine[16:24], "big"), mine[24:]


def check_later(events: list[Event], places: list[Place], tree: Checkpoint, size: int, mapped: int) -> None:
    """Every event after the mapped one is in the log, in order, above the map's size."""
    need(len(places) == len(events), "LATER_INCLUSION", mapped + 1)
    before = size - 1
    for version, (event, place) in enumerate(zip(events, places, strict=True), mapped + 1):
        need(tree.covers(event.leaf, place), "LATER_INCLUSION", version)
        need(place.at > before, "WRONG_MAP", version)
        before = place.at


def check_pack(data: bytes, policy: Policy, monitors: list[Key], map_age: int | None) -> str:
    lines, note = split_at_note(data, PACK_BYTES_MAX)
    record, *parts = matched(PACK, lines, "FORM").groups("")
    events, later = events_in(parts[0]), places_in(parts[2])
    (head,), (map_event,), (map_place,) = places_in(parts[1]), events_in(parts[3]), places_in(parts[4])
    bucket, bucket_path = octets(parts[5], "FORM"), hashes_in(parts[6])
    audit = note_of(octets(parts[7], "FORM"), "FORM") if parts[7] else None
    need(len(events) <= 100_000, "FORM")
    tree = checkpoint_of(note, policy)
    check_chain(record, events, tree.origin)
    size, rows, root = published_map(map_event, map_place, tree, map_age)
    mapped, head_leaf = mapped_row(record, bucket, bucket_path, root)
    need(mapped <= len(events), "HIDDEN_TAIL", len(events) + 1)
    need(events[mapped - 1].leaf == head_leaf, "WRONG_HEAD", mapped)
    need(head.at < size and tree.covers(head_leaf, head), "HEAD_INCLUSION", mapped)
    check_later(events[mapped:], later, tree, size, mapped)
    auditors = sorted(key.name for key in audit.signers(monitors, "AUDIT")) if audit else []
    if audit and auditors:  # somebody trusted has rebuilt the map from the entries: what they sign must find it right
        found = [rows, base64.b64encode(root).decode()]
        right = ["ledger-map-audit@v1", tree.origin, map_place.at, size, *found, *found]
        need(audit.text == "".join(f"{line}\n" for line in right), "AUDIT")
    return (
        f"HOLDS record {record} events {len(events)} complete-to-version {mapped} map-size {size} "
        f"tree-size {tree.size} proven-time {tree.proven or 'none'} map-audit {','.join(auditors) or 'none'}"
    )


def check_proof(data: bytes, entry: bytes, policy: Policy) -> str:
    """A .tlog-proof of one event, whose envelope is `entry`; `extra` is data beside it, which it does not prove."""
    lines, note = split_at_note(data, PROOF_BYTES_MAX)
    extra, index, hashes = matched(PROOF, lines, "FORM").groups("")
    place = Place(number(index, "FORM"), hashes_in(hashes))
    need(not extra or octets(extra, "FORM"), "FORM")
    need(len(place.path) <= 63 and all(len(each) == 32 for each in place.path), "FORM")
    checkpoint = checkpoint_of(note, policy)
    need(checkpoint.covers(leaf_hash(entry), place), "INCLUSION")
    return f"HOLDS index {place.at} tree-size {checkpoint.size} proven-time {checkpoint.proven or 'none'}"


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
