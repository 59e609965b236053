#!/usr/bin/env python3
"""Checks a record's proof pack, or a .tlog-proof of one event, from the file and trusted keys alone: no network.

This one file is written to be read whole. It shares no code with the ledger; the formats are in docs/formats.md and at
c2sp.org. It needs Python 3.11 and the package `cryptography`, for Ed25519 alone; `--help` says how it is called. Exit
status: 0 holds, 1 refused, 2 used wrongly or a file is unreadable. It says what was shown, or the first fault.
"""

import argparse
import base64
import hmac
import re
import sys
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

T = TypeVar("T")
PACK_BYTES_MAX, PROOF_BYTES_MAX, NOTE_BYTES_MAX = 256 << 20, 384 << 10, 256 << 10
SIZE_MAX, LOG_KEY, WITNESS_KEY, MAP_AHEAD_SECONDS = (1 << 63) - 1, 1, 4, 300
NAME = r"[^\s+\x00-\x20\ud800-\udfff]+"
B64 = r"[A-Za-z0-9+/]+=*"
LAST = re.compile(rf"({B64})\n")  # word of a line
KEY = re.compile(rf"({NAME})\+([0-9a-f]{{8}})\+({B64})")
SIGNATURE = re.compile(rf"\u2014 ({NAME}) ({B64})\n")
NOTE = re.compile(rf"([^\x00-\x09\x0b-\x1f\ud800-\udfff]*\n)\n((?:\u2014 {NAME} {B64}\n){{1,64}})")
# An event of a pack: its envelope, the body as stored, the salt of its commitment with the body opened.
EVENT = re.compile(rf"(?:event|map) ({B64})\n(?:body ({B64})\n)?(?:opened ({B64}) ({B64})\n)?")
PATH = rf"((?:hash {B64}\n){{0,63}}+)"  # a tree of 2^63 leaves needs no more; the last `+`: and never tries with fewer
PLACE = re.compile(rf"(?:head|later|place) ([0-9]+)\n{PATH}")  # index of a leaf, and its audit path
PACK = re.compile(  # each line fits one group alone, so that a file of any making is read once
    r"ledger-proof-pack@v1\nrecord ([0-9a-f]{32})\n((?:(?:event|body|opened) .*\n)*+)"
    r"(head .*\n(?:hash .*\n)*+)((?:later .*\n(?:hash .*\n)*+)*+)(map .*\n(?:(?:body|opened) .*\n)*+)"
    rf"(place .*\n(?:hash .*\n)*+)bucket ({B64})\n{PATH}(?:audit ({B64})\n)?"
)
# Two varints of protobuf, a field's tag and its number or length, in their shortest form; neither is ever 0.
FIELD = re.compile(rb"([\x80-\xff]{0,9}[\x01-\x7f])([\x80-\xff]{0,9}[\x01-\x7f])")
PROOF = re.compile(rf"c2sp\.org/tlog-proof@v1\n(?:extra ({B64})\n)?index ([0-9]+)\n((?:{B64}\n){{0,63}}+)")


class Refused(Exception):
    """The first fault by its name, with the version of the record's event where it is."""


def need(holds: T | None, fault: str, version: int = 0) -> T:
    if not holds:
        raise Refused(f"{fault} at version {version}" if version else fault)
    return holds


def all_of(pattern: re.Pattern[str], text: str) -> list[tuple[str, ...]]:
    """The groups of the text's matches, one after the other with nothing between them."""
    need(not pattern.sub("", text), "FORM")
    return [each.groups("") for each in pattern.finditer(text)]


def number(text: str, fault: str) -> int:
    need(re.fullmatch("0|[1-9][0-9]{0,18}", text, re.ASCII) and int(text) <= SIZE_MAX, fault)
    return int(text)


def octets(text: str, fault: str = "FORM") -> bytes:
    """Base64 in its one spelling."""
    with suppress(ValueError):
        data = base64.b64decode(text, validate=True)
        if base64.b64encode(data).decode() == text:
            return data
    raise Refused(fault)


class Key(NamedTuple):  # a verifier key: name+id+base64(kind, public key)
    name: str
    id: bytes
    kind: int
    public: bytes


def key_of(text: str) -> Key:
    name, key_id, encoded = need(KEY.fullmatch(text), "KEY").groups()
    data = octets(encoded, "KEY")
    key = Key(name, sha256(name.encode() + b"\n" + data).digest()[:4], data[0], data[1:])
    need(key.kind in (LOG_KEY, WITNESS_KEY) and len(key.public) == 32 and key.id.hex() == key_id, "KEY")
    return key


class Note(NamedTuple):
    text: str
    signatures: list[tuple[tuple[str, bytes], bytes]]  # name and id of a key, and what it wrote

    def signers(self, keys: list[Key], fault: str) -> dict[Key, int]:
        """Who of these has signed, and when by a witness's own word. One broken signature condemns the note."""
        found: dict[Key, int] = {}
        for key, value in ((k, value) for signer, value in self.signatures for k in keys if (k.name, k.id) == signer):
            text, time = self.text, 0
            if key.kind == WITNESS_KEY:
                time, value = int.from_bytes(value[:8], "big"), value[8:]
                text = f"cosignature/v1\ntime {time}\n{text}"
                need(0 < time <= SIZE_MAX, fault)
            try:
                Ed25519PublicKey.from_public_bytes(key.public).verify(value, text.encode())
            except (InvalidSignature, ValueError):
                raise Refused(fault) from None
            found[key] = min(time, found.get(key, SIZE_MAX))
        return found


def note_of(data: bytes, fault: str) -> Note:
    need(len(data) <= NOTE_BYTES_MAX, fault)
    text, lines = need(NOTE.fullmatch(data.decode(errors="surrogateescape")), fault).groups()
    found = [(name, octets(encoded, fault)) for name, encoded in SIGNATURE.findall(lines)]
    need(all(len(value) > 4 for _, value in found), fault)
    return Note(text, [((name, value[:4]), value[4:]) for name, value in found])


class Policy(NamedTuple):
    logs: list[Key]
    quorum: str
    witnesses: dict[str, Key]
    groups: dict[str, tuple[int, list[str]]]

    def proven(self, signed: dict[Key, int]) -> int | None:
        """When the quorum had witnessed; that of a group of threshold k is the k-th smallest time of its members."""
        times = {name: signed.get(key) for name, key in self.witnesses.items()}
        for name, (threshold, members) in self.groups.items():  # a group names only what was defined before it
            reached = sorted(time for each in members if (time := times[each]) is not None)
            times[name] = reached[threshold - 1] if len(reached) >= threshold else None
        return times.get(self.quorum)


def policy_of(data: bytes) -> Policy:
    """The policy of a file; names are opaque bytes there, so nothing is decoded that could make two of them equal."""
    text, quorum, used = data.decode(errors="surrogateescape"), "", set[str]()
    logs, witnesses, groups = list[Key](), dict[str, Key](), dict[str, tuple[int, list[str]]]()
    need(len(data) <= 256 << 10 and re.fullmatch(r"[^\x00-\x08\x0b-\x1f\x7f]*\n", text), "POLICY")
    for line in text.split("\n"):
        words = [word for word in line.replace("\t", " ").split(" ") if word]
        if not words or words[0].startswith("#"):
            continue
        defined = {*witnesses, *groups}
        match words:
            case ["log", key, *rest] if len(rest) < 2 and key_of(key).kind == LOG_KEY:
                logs.append(key_of(key))
            case ["witness", name, key, *rest] if len(rest) < 2 and name not in {"none", *defined}:
                known = [each.public for each in witnesses.values()]
                need(key_of(key).kind == WITNESS_KEY and key_of(key).public not in known, "POLICY")
                witnesses[name] = key_of(key)
            case ["group", name, limit, *members] if members and name not in {"none", *defined}:
                need(set(members) <= defined and len({*members}) == len(members) and not used & {*members}, "POLICY")
                k = {"all": len(members), "any": 1}.get(limit) or number(limit, "POLICY")
                need(1 <= k <= len(members), "POLICY")
                used |= {*members}
                groups[name] = (k, members)
            case ["quorum", name] if not quorum and name in {"none", *defined}:
                quorum = name
            case _:
                raise Refused("POLICY")
        need(max(map(len, (logs, witnesses, groups))) <= 64 and len({k.public for k in logs}) == len(logs), "POLICY")
    return Policy(logs, need(quorum, "POLICY"), witnesses, groups)


class Place(NamedTuple):
    at: int  # index of the leaf
    path: list[bytes]


class Checkpoint(NamedTuple):  # a tree head
    origin: str
    size: int
    root: bytes
    proven: int | None  # the second by which it existed, by the witnesses' word; None without witnesses

    def covers(self, leaf: bytes, place: Place) -> bool:
        """Whether the path, the leaf's sibling first, leads from the leaf at its place to the root (RFC 6962, 2.1)."""
        if not 0 <= place.at < self.size or any(len(each) != 32 for each in place.path):
            return False
        # From this height on the leaf lies on the right edge of the tree, where there are siblings on the left alone.
        edge = (place.at ^ self.size - 1).bit_length()
        if len(place.path) != edge + (place.at >> edge).bit_count():
            return False
        for height, sibling in enumerate(place.path):
            left = height >= edge or place.at >> height & 1
            leaf = sha256(b"\x01" + (sibling + leaf if left else leaf + sibling)).digest()
        return leaf == self.root


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


def fields_of(data: bytes, numeric: set[int], fault: str, version: int = 0) -> tuple[dict[int, int], dict[int, bytes]]:
    """Protobuf fields in ascending order, each once, none empty: numbers and bytes."""
    numbers, texts = dict[int, int](), dict[int, bytes]()
    at = last = 0
    while at < len(data):
        found = need(FIELD.match(data, at), fault, version)
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


class Envelope(NamedTuple):  # what stays readable for ever about an event, as far as it is looked at here
    origin: str
    stream: bytes
    version: int
    type: str
    recorded_at: int
    body_sha256: bytes
    commitment: bytes
    prev_leaf: bytes


class Event(NamedTuple):  # an event of a pack; what the pack leaves out is empty
    data: bytes
    body: bytes
    salt: bytes
    plaintext: bytes

    def envelope(self, origin: str, version: int = 0) -> Envelope:
        """What its bytes say, which must be an envelope of format 1 and of a log that `origin` is or goes on for."""
        numbers, texts = fields_of(self.data, {1, 4, 6}, "ENVELOPE", version)
        lengths = {3: (16,), 7: (0, 16), 8: (0, 16), 9: (32,), 10: (0, 32), 11: (0,) if numbers.get(4) == 1 else (32,)}
        known = set(numbers) == {1, 4, 6} and {2, 5} <= set(texts) <= {2, 5, *lengths}
        sealed = (8 in texts) == (10 in texts)  # under a key and committed to, or neither
        need(known and sealed and numbers[1] == 1 and len(self.data) <= 4096, "ENVELOPE", version)
        need(all(len(texts.get(at, b"")) in allowed for at, allowed in lengths.items()), "ENVELOPE", version)
        name, kind = (texts[at].decode(errors="replace") for at in (2, 5))
        need((name.encode(), kind.encode()) == (texts[2], texts[5]), "ENVELOPE", version)  # else it was no UTF-8
        need(at_or_after(origin, name), "ORIGIN", version)
        rest = (texts[9], texts.get(10, b""), texts.get(11, b""))
        return Envelope(name, texts[3], numbers[4], kind, numbers[6], *rest)

    def bodies_belong(self, envelope: Envelope) -> bool:
        stored = not self.body or sha256(self.body).digest() == envelope.body_sha256
        commitment = hmac.digest(self.salt, self.plaintext, "sha256")
        return stored and (not self.plaintext or (len(self.salt) == 32 and commitment == envelope.commitment))


def places_in(text: str) -> list[Place]:
    return [Place(number(at, "FORM"), [*map(octets, LAST.findall(path))]) for at, path in all_of(PLACE, text)]


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
    need(envelope.type == "ledger.v1.MapPublished" and body and event.bodies_belong(envelope), "MAP_EVENT")
    numbers, texts = fields_of(body, {2, 3, 5}, "MAP_EVENT")
    need(numbers.get(5) == 1 and set(numbers) | {3} == {2, 3, 5} and set(texts) == {1, 4}, "MAP_EVENT")
    size, rows, root = numbers[2], numbers.get(3, 0), texts[4]
    need(rows <= size <= SIZE_MAX and len(root) == 32, "MAP_EVENT")
    need(tree.covers(leaf_hash(event.data), place), "MAP_INCLUSION")
    need(size <= place.at, "MAP_ORDER")
    age = None if tree.proven is None else tree.proven * 1_000_000 - envelope.recorded_at
    need(age is None or age >= -MAP_AHEAD_SECONDS * 1_000_000, "STALE_MAP")  # recorded after it was seen
    need(age_max is None or (age is not None and age <= age_max * 1_000_000), "STALE_MAP")
    return size, rows, root


def mapped_row(record: str, bucket: bytes, path: list[bytes], root: bytes) -> tuple[int, bytes]:
    """Version and head of the record in its whole bucket of the map, where it stands once."""
    which = sha256(bytes.fromhex(record)).digest()[:2]
    place = Place(int.from_bytes(which, "big"), path)
    need(Checkpoint("", 65536, root, None).covers(leaf_hash(bucket), place), "BUCKET")
    need(len(bucket) % 56 == 0 and len(bucket) <= 56_000, "SECOND_ROW")
    table = [bucket[at : at + 56] for at in range(0, len(bucket), 56)]
    records = [row[:16] for row in table]
    sound = (sha256(row[:16]).digest()[:2] == which and any(row[16:24]) for row in table)
    need(records == sorted(set(records)) and all(sound), "SECOND_ROW")
    mine = need(next((row for row in table if row[:16].hex() == record), b""), "NOT_IN_MAP")
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
    record, *parts = need(PACK.fullmatch(lines), "FORM").groups("")
    events, (map_event,) = ([Event(*map(octets, each)) for each in all_of(EVENT, parts[at])] for at in (0, 3))
    (head,), later, (map_place,) = (places_in(parts[at]) for at in (1, 2, 4))
    bucket, bucket_path = octets(parts[5]), [*map(octets, LAST.findall(parts[6]))]
    audit = note_of(octets(parts[7]), "FORM") if parts[7] else None
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
    extra, index, hashes = need(PROOF.fullmatch(lines), "FORM").groups("")
    place, _ = Place(number(index, "FORM"), [*map(octets, LAST.findall(hashes))]), octets(extra)
    need(all(len(each) == 32 for each in place.path), "FORM")
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
        policy = policy_of(given.policy.read_bytes()) if given.policy else Policy([], "none", {}, {})
        logs = [key_of(given.key)] if given.key else policy.logs
        need(logs and logs[0].kind == LOG_KEY and (not policy.logs or logs[0] in policy.logs), "KEY")
        policy = policy._replace(logs=logs)
        if given.what == "pack":
            said = check_pack(given.file.read_bytes(), policy, [key_of(each) for each in given.monitor], given.map_age)
        else:
            said = check_proof(given.file.read_bytes(), need(given.entry, "ENTRY").read_bytes(), policy)
    except OSError as error:
        said, status = f"UNREADABLE {error}", 2
    except Refused as fault:
        said, status = f"REFUSED {fault}", 2 if str(fault) in ("KEY", "POLICY", "ENTRY") else 1
    print(said)
    return status


if __name__ == "__main__":
    sys.exit(main())
