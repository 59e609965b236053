"""One page that explains a proof to somebody who judges and is no engineer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape
from uuid import UUID

from ledger.cli.export.signers import Signer
from ledger.cli.proof_words import pack_words, utc
from ledger.trust.pack_check import PackStatement

_STYLE = "body{font:1rem/1.5 serif;max-width:46rem;margin:2rem auto}table{border-collapse:collapse}td,th{border:1px solid;padding:.2rem .5rem;text-align:left}"  # noqa: E501 - one line of style
_MEANS = """\
Each event of the record carries a fingerprint of the one before it. Whoever alters, removes or reorders one changes
every fingerprint after it.

The fingerprints of all events of the hospital form a tree, whose root is signed. Witnesses that do not belong to the
hospital signed the same root and the time at which they saw it, as far as they are named above. Nobody can change an
event later and come to the same root.

From time to time the hospital publishes a list of all its records with the last event of each. This record's line in
that list shows that no event was held back up to then."""
_MEANS_NOT = """\
It does not say that what was written is true, or that it was written when the event says; it says that it has not been
changed since the proven time.

It does not say that nothing was added after the list was published.

Where the list is unaudited, that it is right is the hospital's own word.

Access audit: none is kept yet. Who read the record is not part of this evidence."""
_NAMES = """\
The names are in the sealed bodies of these events. The key service of the hospital opened them for this page, and says
that they are what each event commits to; the pack shows them to nobody."""
_NO_NAMES = """\
The names are in the sealed bodies of these events, which nobody had opened for this page; the ids stand for persons in
the hospital's register of actors."""
_CHECK = """\
<p>With the file <code>record.proof-pack</code>, the log's key and the policy, which you get from a source that you
trust and not from this folder: <code>ledger verify pack record.proof-pack --key KEY --policy POLICY</code>, or with the
single file <code>verifier/verify.py</code>, which an expert reads in an hour:
<code>python verify.py pack record.proof-pack --key KEY --policy POLICY</code>.</p>
<p>The hospital's rules stand in its ledger as well: <code>rulebook.proof-pack</code>, checked the same way. Where
bodies were opened for this page, <code>rules</code> has their texts: the rule pack that the record's first event names,
and the templates by which its entries were checked.</p>"""


def judge_page(
    statement: PackStatement, signers: Sequence[Signer], tools: Iterable[tuple[str, str]], made_at: datetime
) -> str:
    """The page as HTML. It holds no clinical content, and needs no network."""
    record = str(UUID(bytes=statement.record_id))
    events = (
        (str(each.stream_version), each.type, utc(each.recorded_at), each.body_sha256.hex())
        for each in statement.envelopes
    )
    return "\n".join(
        (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Record {record}</title>',
            f"<style>{_STYLE}</style><h1>Evidence on record {record}</h1>",
            f"<p>Made {made_at:%Y-%m-%d %H:%M:%S} UTC.</p>",
            "<h2>What was checked and holds</h2>",
            _list(pack_words(statement)),
            "<h2>What that means</h2>",
            _list(_MEANS.split("\n\n")),
            "<h2>What it does not say</h2>",
            _list(_MEANS_NOT.split("\n\n")),
            "<h2>Who acted</h2>",
            _list([_NAMES if any(each.names for each in signers) else _NO_NAMES]),
            _table(("actor", "name and licence as signed", "versions"), map(_row, signers)),
            "<h2>Events (times as the ledger claims them)</h2>",
            _table(("version", "event", "recorded", "SHA-256 of the body"), events),
            "<h2>How to check it yourself</h2>",
            _CHECK,
            "<h2>Tools</h2>",
            _table(("tool", "version"), tools),
            "</html>\n",
        )
    )


def _row(signer: Signer) -> tuple[str, str, str]:
    names = "; ".join(signer.names) or "not opened"
    return signer.actor, names, ", ".join(map(str, signer.versions))


def _list(lines: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["<tr>" + "".join(f"<th>{escape(each)}</th>" for each in head) + "</tr>"]
    lines += ["<tr>" + "".join(f"<td>{escape(each)}</td>" for each in row) + "</tr>" for row in rows]
    return "<table>" + "".join(lines) + "</table>"
