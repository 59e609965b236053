"""`ledger demo`: the whole path on input that nobody here wrote, and checks of everything it claims."""

from ledger.cli.demo.command import demo

__all__ = ["demo"]
