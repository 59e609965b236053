"""Signed notes, their keys, and checkpoints in them."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.trust.checkpoint import Checkpoint, parse_checkpoint
from ledger.trust.format_fault import CheckpointFault, KeyFault, NoteFault, SignatureFault
from ledger.trust.note import NOTE_BYTES_MAX, Note, Signature, parse_note, parse_signatures
from ledger.trust.note_key import KeyKind, SigningKey, VerifierKey, cosigned_message, parse_verifier_key
from ledger.trust.signed_note import check_signed, signers
from ledger.trust.strict_base64 import to_base64
from tests.unit.trust.tlog_samples import LOG, ORIGIN, WITNESSES, signed

SPECIFIED_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPECIFIED_NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
).encode()
"""The example of signed-note."""

COSIGNED = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa "
    "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "— witness.example.com/w1 "
    "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
).encode()
"""The example of tlog-cosignature; its keys are not published with it."""

WITNESS = WITNESSES[0]


def test_specified_note() -> None:
    """The specification's note is verified by its key, comes back byte for byte, and not with another text."""
    key, note = parse_verifier_key(SPECIFIED_KEY), parse_note(SPECIFIED_NOTE)
    assert str(key) == SPECIFIED_KEY
    assert check_signed(note, [key]) == {key: 0}
    assert note.encode() == SPECIFIED_NOTE
    with pytest.raises(SignatureFault, match="line 1 does not hold"):
        check_signed(replace(note, text="This is another message.\n"), [key])


def test_specified_checkpoint() -> None:
    """The specification's cosigned checkpoint is taken apart: origin, size, root, and the cosigner's time."""
    note = parse_note(COSIGNED)
    checkpoint = parse_checkpoint(note.text)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert to_base64(checkpoint.root) == "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
    assert checkpoint.text() == note.text
    assert note.encode() == COSIGNED
    assert int.from_bytes(note.signatures[1].value[:8], "big") == 1679315147
    assert cosigned_message(note.text, 1679315147) == b"cosignature/v1\ntime 1679315147\n" + note.text.encode()
    assert signers(note, [LOG.verifier(), WITNESS.verifier()]) == {}


def test_sign_and_cosign() -> None:
    """A log's signature and cosignatures with their times hold; the earliest time of a witness counts."""
    note = signed(7, 1_700_000_009)
    note = note.signed_also(WITNESS.cosign(note.text, 1_700_000_003))
    assert check_signed(parse_note(note.encode()), [LOG.verifier(), WITNESS.verifier()]) == {
        LOG.verifier(): 0, WITNESS.verifier(): 1_700_000_003
    }  # fmt: skip
    assert note.signed_also(LOG.sign(note.text)) == note


def test_several_keys_of_one_name() -> None:
    """While keys overlap two of one name sign; each is known by its own id."""
    other = SigningKey(ORIGIN, KeyKind.ED25519, bytes(32))
    note = signed(7).signed_also(other.sign(signed(7).text))
    assert set(signers(note, [LOG.verifier(), other.verifier()])) == {LOG.verifier(), other.verifier()}
    assert set(signers(note, [other.verifier()])) == {other.verifier()}


def test_a_key_of_one_kind_is_none_of_the_other() -> None:
    """The same Ed25519 key under the other kind has another key id, and no signature passes for the other."""
    log = SigningKey("same", KeyKind.ED25519, bytes(32))
    witness = SigningKey("same", KeyKind.COSIGNATURE, bytes(32))
    assert log.verifier().key_id != witness.verifier().key_id
    note = Note("text\n").signed_also(log.sign("text\n"))
    assert signers(note, [witness.verifier()]) == {}
    with pytest.raises(KeyFault):
        witness.sign("text\n")
    with pytest.raises(KeyFault):
        log.cosign("text\n", 1)


@pytest.mark.parametrize("time", [0, -1, 2**63])
def test_cosignature_without_a_time(time: int) -> None:
    """A cosignature states a time after 1970."""
    with pytest.raises(KeyFault):
        WITNESS.cosign("text\n", time)


def test_forged_time_does_not_hold() -> None:
    """A cosignature whose time was changed, even to 0, is broken."""
    text = signed(7).text
    true = WITNESS.cosign(text, 1_700_000_000)
    for time in (0, 1_699_999_999, 2**63):
        forged = replace(true, value=time.to_bytes(8, "big") + true.value[8:])
        with pytest.raises(SignatureFault):
            signers(Note(text, (forged,)), [WITNESS.verifier()])


def test_true_signature_over_no_time_does_not_hold() -> None:
    """A cosigner that signs the time 0 itself proves nothing: the earliest time would count for everybody."""
    text = signed(7).text
    private = Ed25519PrivateKey.from_private_bytes(WITNESS.seed)
    timeless = Signature(WITNESS.name, WITNESS.verifier().key_id, bytes(8) + private.sign(cosigned_message(text, 0)))
    with pytest.raises(SignatureFault):
        signers(Note(text, (timeless,)), [WITNESS.verifier()])


def test_broken_signature_of_a_trusted_key_spoils_the_note() -> None:
    """One good signature does not make up for a broken one."""
    note = signed(7)
    broken = replace(note.signatures[0], value=bytes(64))
    with pytest.raises(SignatureFault, match="line 2"):
        signers(note.signed_also(broken), [LOG.verifier()])
    assert signers(note.signed_also(replace(broken, name="unknown.example")), [LOG.verifier()]) == {LOG.verifier(): 0}
    with pytest.raises(SignatureFault, match="no trusted key"):
        check_signed(note, [WITNESS.verifier()])


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\n", b"text\n", b"text\n\n", SPECIFIED_NOTE[:-1], SPECIFIED_NOTE + b"\n", SPECIFIED_NOTE + b"x\n",
        SPECIFIED_NOTE.replace(b"\n", b"\r\n"), SPECIFIED_NOTE.replace(b"This", b"This\t"),
        SPECIFIED_NOTE.replace(b"This", b"\xff"), SPECIFIED_NOTE.replace("— ".encode(), b"- "),
        SPECIFIED_NOTE.replace("— ".encode(), "—  ".encode()), SPECIFIED_NOTE.replace(b"/foo", b"+foo"),
        SPECIFIED_NOTE.replace(b"/foo", "\u2003foo".encode()), SPECIFIED_NOTE.replace(b"aQM=", b"aQN="),
        SPECIFIED_NOTE.replace(b"aQM=", b"aQM"), SPECIFIED_NOTE.replace(b"aQM=", b"aQM= "),
        "text\n\n— name AAAAAA==\n".encode(), bytes(NOTE_BYTES_MAX + 1),
        b"text\n\n" + 65 * "— name AAAAAAA=\n".encode(), "text\n\n— name\n".encode(), "text\n\n—  AAAAAAA=\n".encode(),
    ],
)  # fmt: skip
def test_no_note(data: bytes) -> None:
    """Whatever is not a text, an empty line and signature lines is refused."""
    with pytest.raises(NoteFault):
        parse_note(data)


def test_every_faulty_signature_line_is_named() -> None:
    """One error names every line."""
    with pytest.raises(NoteFault) as caught:
        parse_note("text\n\n— name AAAAAAA=\nbad\n— worse AA\n".encode())
    assert caught.value.faults == ("signature line 2", "signature line 3")


def test_text_with_empty_lines() -> None:
    """The last empty line is the one before the signatures."""
    note = Note("a\n\n\nb\n\n", (Signature("n", bytes(4), b"x"),))
    assert parse_note(note.encode()) == note


def test_note_that_no_reader_would_take_is_not_written() -> None:
    """A text without its newline, with control characters or surrogates, or without signatures is not encoded."""
    line = Signature("n", bytes(4), b"x")
    for note in (
        Note("a", (line,)),
        Note("a\n"),
        Note("\t\n", (line,)),
        Note("\ud800\n", (line,)),
        Note("a\n", (line,) * 65),
    ):
        with pytest.raises(NoteFault):
            note.encode()


def test_a_witness_s_lines() -> None:
    """A witness answers with signature lines alone, each whole."""
    cosignature = WITNESS.cosign(signed(7).text, 5)
    assert parse_signatures(cosignature.line()) == (cosignature,)
    for lines in ("", cosignature.line()[:-1], cosignature.line() + "\n"):
        with pytest.raises(NoteFault):
            parse_signatures(lines)


@pytest.mark.parametrize(
    "text",
    [
        "", "name", "name+530d903a", SPECIFIED_KEY.replace("530d903a", "530d903b"),
        SPECIFIED_KEY.replace("530d", "530D"),
        SPECIFIED_KEY.replace("530d903a", "530d903"), SPECIFIED_KEY.replace("example.com/foo", ""),
        SPECIFIED_KEY.replace("/foo", "/ foo"), SPECIFIED_KEY + "=", SPECIFIED_KEY[:-1], SPECIFIED_KEY[:-4],
        SPECIFIED_KEY.replace("+Aeky", "+Auky"), "name+530d903a+", "n" * 5000, "\udcff+530d903a+AAAA",
    ],
)  # fmt: skip
def test_no_verifier_key(text: str) -> None:
    """A key string with a wrong id, another kind, or another spelling is refused."""
    with pytest.raises(KeyFault):
        parse_verifier_key(text)


def test_keys_that_cannot_be() -> None:
    """Names with whitespace, plus or nothing in them, and keys of another length make no key."""
    for name in ("", "a b", "a+b", "a\n", "\u00a0", "a\ud800"):
        with pytest.raises(KeyFault):
            VerifierKey(name, KeyKind.ED25519, bytes(32))
    with pytest.raises(KeyFault) as caught:
        SigningKey("a b", KeyKind.ED25519, b"short")
    assert len(caught.value.faults) == 2


def test_private_key_is_not_printed() -> None:
    """A seed appears in no representation of a key."""
    assert LOG.seed.hex() not in repr(LOG)
    assert repr(LOG.seed) not in repr(LOG)


@pytest.mark.parametrize(
    "text",
    [
        "", "o\n1\n", "o\n1\nAAAA\n", f"o\n01\n{to_base64(bytes(32))}\n", f"o\n-1\n{to_base64(bytes(32))}\n",
        f"\n1\n{to_base64(bytes(32))}\n", f"o\n1\n{to_base64(bytes(32))}", f"o\n1\n{to_base64(bytes(32))}\n\n",
        f"o\n٣\n{to_base64(bytes(32))}\n", f"o\n{2**63}\n{to_base64(bytes(32))}\n", f"o\n 1\n{to_base64(bytes(32))}\n",
        f"o\n1\n{to_base64(bytes(31))}\n", f"o\n1\n{to_base64(bytes(33))}\n", f"o\n1\n{to_base64(bytes(32))}\n\next\n",
        f"o\n1\n{to_base64(bytes(32))[:-2]}B=\n",
    ],
)  # fmt: skip
def test_no_checkpoint(text: str) -> None:
    """Other spellings of size or root, missing lines and empty extension lines are refused."""
    with pytest.raises(CheckpointFault):
        parse_checkpoint(text)


def test_every_fault_of_a_checkpoint_is_named() -> None:
    """One error names all that is wrong."""
    with pytest.raises(CheckpointFault) as caught:
        parse_checkpoint("o\n01\nAAAA\n")
    assert caught.value.faults == ("the size", "the root")
    with pytest.raises(CheckpointFault) as caught:
        Checkpoint("", -1, b"", ("",))
    assert len(caught.value.faults) == 4


@settings(deadline=None)
@given(
    st.text(st.characters(codec="utf-8", min_codepoint=32), min_size=1, max_size=60),
    st.integers(0, 2**63 - 1),
    st.binary(min_size=32, max_size=32),
    st.lists(st.text(st.characters(codec="utf-8", min_codepoint=32), min_size=1, max_size=20), max_size=3),
)
def test_checkpoints_come_back(origin: str, size: int, root: bytes, extensions: list[str]) -> None:
    """Any checkpoint is read as it was written, in a signed note too."""
    checkpoint = Checkpoint(origin, size, root, tuple(extensions))
    assert parse_checkpoint(checkpoint.text()) == checkpoint
    note = Note(checkpoint.text()).signed_also(LOG.sign(checkpoint.text()))
    assert parse_note(note.encode()) == note


@settings(deadline=None)
@given(st.data())
def test_every_flipped_bit_of_a_signed_note_is_seen(data: st.DataObject) -> None:
    """A note with one bit flipped is refused, or the key's signature is gone from it."""
    whole = signed(7).encode()
    at = data.draw(st.integers(0, len(whole) - 1))
    flipped = whole[:at] + bytes((whole[at] ^ 1 << data.draw(st.integers(0, 7)),)) + whole[at + 1 :]
    with pytest.raises((NoteFault, SignatureFault)):
        check_signed(parse_note(flipped), [LOG.verifier()])
