"""Somebody who acts, named on the command line."""

from __future__ import annotations

import click
from typing_extensions import override

from ledger.api.v1.common_pb2 import Actor

_PARTS = 3


class Person(click.ParamType[Actor]):
    """`ID,NAME,ROLE` of somebody in the actor register."""

    name = "id,name,role"

    @override
    def convert(self, value: str | Actor, param: click.Parameter | None, ctx: click.Context | None) -> Actor:
        if isinstance(value, Actor):
            return value
        parts = [each.strip() for each in value.split(",")]
        if len(parts) != _PARTS or not all(parts):
            self.fail("an actor id, a name and a role, with commas between", param, ctx)
        return Actor(id=parts[0], name=parts[1], role=parts[2])
