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
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

SIZE_MAX = (1 << 63) - 1
PACK_BYTES_MAX, PROOF_BYTES_MAX, NOTE_BYTES_MAX = 256 << 20, 384 << 10, 256 << 10
LOG_KEY, WITNESS_KEY = 1, 4
MAP_AHEAD_SECONDS, MAP_EVENT_TYPE = 300, "ledger.v1.MapPublished"

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
# Two varints of protobuf, a field's tag and its number or length, in their shortest form; neither is ever 0.
FIELD = re.compile(rb"([\x80-\xff]{0,9}[\x01-\x7f])([\x80-\xff]{0,9}[\x01-\x7f])")
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


def all_of(pattern: re.Pattern[str], text: str) -> list[tuple[str, ...]]:
    """The groups of the text's matches, one after the other with nothing between them."""
    found = list(pattern.finditer(text))
    need("".join(each[0] for each in found) == text, "FORM")
    return [each.groups("") for each in found]


def number(text: str, fault: str) -> int:
    need(re.fullmatch("0|[1-9][0-9]{0,18}", text, re.ASCII) and int(text) <= SIZE_MAX, fault)
    return int(text)


def text_of(data: bytes, fault: str, version: int = 0) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Refused(fault, version) from None


def octets(text: str, fault: str) -> bytes:
    """Base64 in its one spelling."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise Refused(fault) from None
    need(base64.b64encode(data).decode() == text, fault)
    return data


class Key(NamedTuple):
    """A verifier key `name+id+base64(kind, public key)`."""

    name: str
    id: bytes
    kind: int
    public: bytes

    def time_of(self, text: str, value: bytes, fault: str) -> int:
        """The second at which it signed `text`; 0 where its kind says none."""
        time = 0
        if self.kind == WITNESS_KEY:
            time, value = int.from_bytes(value[:8], "big"), value[8:]
            text = f"cosignature/v1\ntime {time}\n{text}"
            need(0 < time <= SIZE_MAX, fault)
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(value, text.encode())
        except (InvalidSignature, ValueError):
            raise Refused(fault) from None
        return time


def key_of(text: str) -> Key:
    name, key_id, encoded = matched(KEY, text, "KEY").groups()
    data = octets(encoded, "KEY")
    key = Key(name, sha256(name.encode() + b"\n" + data).digest()[:4], data[0], data[1:])
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
                    found[key] = min(key.time_of(self.text, value, fault), found.get(key, SIZE_MAX))
        return found


def note_of(data: bytes, fault: str) -> Note:
    text, gap, lines = text_of(data, fault).rpartition("\n\n")
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

    def proven(self, signed: dict[Key, int]) -> int | None:
        """When the quorum had witnessed; that of a group of threshold k is the k-th smallest time of its members."""
        times = {name: signed.get(key) for name, key in self.witnesses.items()}
        for name, (threshold, members) in self.groups.items():  # a group names only what was defined before it
            reached = sorted(time for each in members if (time := times[each]) is not None)
            times[name] = reached[threshold - 1] if len(reached) >= threshold else None
        return times.get(self.quorum)


def policy_of(data: bytes) -> Policy:
    """The policy of a file; names are opaque bytes there, so nothing is decoded that could make two of them equal."""
    text, policy, used = data.decode("utf-8", "surrogateescape"), Policy(), set[str]()
    need(len(data) <= 256 << 10 and text.endswith("\n"), "POLICY")
    need(not any((each < " " and each not in "\t\n") or each == "\x7f" for each in text), "POLICY")
    for line in text.split("\n"):
        words = [word for word in line.replace("\t", " ").split(" ") if word]
        if not words or words[0].startswith("#"):
            continue
        defined = {*policy.witnesses, *policy.groups}
        match words:
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
    proven = policy.proven(signed)
    need(proven is not None or policy.quorum == "none", "QUORUM")
    return Checkpoint(lines[0], size, root, proven)


def leaf_hash(data: bytes) -> bytes:
    return sha256(b"\x00" + data).digest()


def included(leaf: bytes, index: int, size: int, path: list[bytes], root: bytes) -> bool:
    """Whether the path, the leaf's sibling first, leads from the leaf at `index` to the root (RFC 6962, 2.1)."""
    if not 0 <= index < size or any(len(each) != 32 for each in path):
        return False
    # From this height on the leaf lies on the right edge of the tree, where there are siblings on the left alone.
    edge = (index ^ size - 1).bit_length()
    if len(path) != edge + (index >> edge).bit_count():
        return False
    node = leaf
    for height, sibling in enumerate(path):
        left = height >= edge or index >> height & 1
        node = sha256(b"\x01" + (sibling + node if left else node + sibling)).digest()
    return node == root


def fields_of(data: bytes, numeric: set[int], fault: str, version: int = 0) -> tuple[dict[int, int], dict[int, bytes]]:
    """Protobuf fields in ascending order, each once, none empty: numbers and bytes."""
    numbers, texts = dict[int, int](), dict[int, bytes]()
    at = last = 0
    while at < len(data):
        found = FIELD.match(data, at)
        if found is None:
            raise Refused(fault, version)
        tag, value = (sum((byte & 127) << 7 * n for n, byte in enumerate(each)) for each in found.groups())
        name, at = tag >> 3, found.end()
        need(name > last and value < 1 << 64 and tag & 7 == (0 if name in numeric else 2), fault, version)
        if name in numeric:
            numbers[name] = value
        else:
            texts[name], at = data[at : at + value], at + value
        last = name
    need(at == len(data), fault, version)
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


class Event(NamedTuple):
    """An event of a pack; what the pack leaves out is empty."""

    data: bytes
    body: bytes
    salt: bytes
    plaintext: bytes

    def envelope(self, origin: str, version: int = 0) -> Envelope:
        """What its bytes say, which must be an envelope of format 1 and of a log that `origin` is or goes on for."""
        numbers, texts = fields_of(self.data, {1, 4, 6}, "ENVELOPE", version)
        lengths = {3: (16,), 7: (0, 16), 8: (0, 16), 9: (32,), 10: (0, 32), 11: (0,) if numbers.get(4) == 1 else (32,)}
        known = set(numbers) == {1, 4, 6} and {2, 5} <= set(texts) <= {2, 5, *lengths}
        need(known and numbers[1] == 1 and len(self.data) <= 4096, "ENVELOPE", version)
        need(all(len(texts.get(at, b"")) in allowed for at, allowed in lengths.items()), "ENVELOPE", version)
        need((8 in texts) == (10 in texts), "ENVELOPE", version)  # sealed under a key and committed to, or neither
        name, kind = (text_of(texts[at], "ENVELOPE", version) for at in (2, 5))
        need(at_or_after(origin, name), "ORIGIN", version)
        commitment, prev_leaf = texts.get(10, b""), texts.get(11, b"")
        return Envelope(name, texts[3], numbers[4], kind, numbers[6], texts[9], commitment, prev_leaf)

    def bodies_belong(self, envelope: Envelope) -> bool:
        stored = not self.body or sha256(self.body).digest() == envelope.body_sha256
        commitment = hmac.digest(self.salt, self.plaintext, "sha256")
        return stored and (not self.plaintext or (len(self.salt) == 32 and commitment == envelope.commitment))


def hashes_in(text: str) -> list[bytes]:
    return [octets(each.split(" ")[-1], "FORM") for each in text.split("\n")[:-1]]


def events_in(text: str) -> list[Event]:
    return [Event(*(octets(part, "FORM") for part in parts)) for parts in all_of(EVENT, text)]


def places_in(text: str) -> list[Place]:
    return [Place(number(index, "FORM"), hashes_in(hashes)) for index, hashes in all_of(PLACE, text)]


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
        leaf, recorded_at, begun = leaf_hash(event.data), envelope.recorded_at, envelope.origin


def published_map(event: Event, place: Place, tree: Checkpoint, age_max: int | None) -> tuple[int, int, bytes]:
    """Size, rows and root of a map that the log itself published: where every record stood at `size`."""
    envelope = event.envelope(tree.origin)
    body = event.plaintext if envelope.commitment else event.body
    need(envelope.type == MAP_EVENT_TYPE and body and event.bodies_belong(envelope), "MAP_EVENT")
    numbers, texts = fields_of(body, {2, 3, 5}, "MAP_EVENT")
    need(numbers.get(5) == 1 and set(numbers) | {3} == {2, 3, 5} and set(texts) == {1, 4}, "MAP_EVENT")
    size, rows, root = numbers[2], numbers.get(3, 0), texts[4]
    need(rows <= size <= SIZE_MAX and len(root) == 32, "MAP_EVENT")
    need(tree.covers(leaf_hash(event.data), place), "MAP_INCLUSION")
    need(size <= place.at, "MAP_ORDER")
    need(tree.proven is not None or age_max is None, "STALE_MAP")
    if tree.proven is not None:  # a clock may be some minutes wrong, but nothing is recorded after it was seen
        age = tree.proven * 1_000_000 - envelope.recorded_at
        need(age >= -MAP_AHEAD_SECONDS * 1_000_000, "STALE_MAP")
        need(age_max is None or age <= age_max * 1_000_000, "STALE_MAP")
    return size, rows, root


def mapped_row(record: str, bucket: bytes, path: list[bytes], root: bytes) -> tuple[int, bytes]:
    """Version and head of the record in its whole bucket of the map, where it stands once."""
    which = sha256(bytes.fromhex(record)).digest()[:2]
    index = int.from_bytes(which, "big")
    need(len(path) == 16 and included(leaf_hash(bucket), index, 65536, path, root), "BUCKET")
    need(len(bucket) % 56 == 0 and len(bucket) <= 56_000, "SECOND_ROW")
    table = [bucket[at : at + 56] for at in range(0, len(bucket), 56)]
    records = [row[:16] for row in table]
    need(records == sorted(set(records)) and all(sha256(each).digest()[:2] == which for each in records), "SECOND_ROW")
    need(all(any(row[16:24]) for row in table), "SECOND_ROW")
    mine = next((row for row in table if row[:16].hex() == record), b"")
    need(mine, "NOT_IN_MAP")
    return int.from_bytes(mine[16:24], "big"), mine[24:]


def check_later(events: list[Event], places: list[Place], tree: Checkpoint, size: int, mapped: int) -> None:
    """Every event after the mapped one is in the log, in order, above the map's size."""
    need(len(places) == len(events), "LATER_INCLUSION", mapped + 1)
    before = size - 1
    for version, (event, place) in enumerate(zip(events, places, strict=True), mapped + 1):
        need(tree.covers(leaf_hash(event.data), place), "LATER_INCLUSION", version)
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
    need(leaf_hash(events[mapped - 1].data) == head_leaf, "WRONG_HEAD", mapped)
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
    place, _ = Place(number(index, "FORM"), hashes_in(hashes)), octets(extra, "FORM")
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
    given, status = parser.parse_args(arguments), 0
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
        said, status = f"UNREADABLE {error}", 2
    except Refused as fault:
        said, status = f"REFUSED {fault}", 2 if fault.name in ("KEY", "POLICY", "ENTRY") else 1
    print(said)
    return status


if __name__ == "__main__":
    sys.exit(main())
