"""`ledger integrate` starts under no policy that would let two histories be published."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from ledger.cli.main import main
from ledger.trust.note_key import KeyKind, SigningKey


def test_a_weak_policy_is_refused_by_name(tmp_path: Path) -> None:
    """Before anything is asked of a database: each reason is said, and which file."""
    keys = [
        SigningKey(f"ledger.example/w{at}", KeyKind.COSIGNATURE, bytes([at + 1] * 32)).verifier() for at in range(4)
    ]
    lines = [f"witness w{at} {key} http://127.0.0.1:1/" for at, key in enumerate(keys)]
    policy = tmp_path / "policy"
    policy.write_text("\n".join([*lines, "group half 2 w0 w1 w2 w3", "quorum half", ""]))
    environment = {
        "LEDGER_POSTGRES_STREAM_URL": "postgresql://127.0.0.1:1/none",
        "LEDGER_LOG_POLICY": str(policy),
        "LEDGER_DATA_DIR": str(tmp_path),
    }
    done = CliRunner().invoke(main, ["integrate"], env=environment)
    assert done.exit_code == 1, done.output
    for said in (f"{policy}: refused", "not a majority", "this service's own (ledger.example/...)"):
        assert said in done.output
