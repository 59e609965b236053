"""Requests to a hospital's rulebook, as a records office sends them."""

from __future__ import annotations

from uuid import uuid4

from ledger.api.v1 import common_pb2 as common
from ledger.api.v1 import records_pb2 as records
from ledger.api.v1 import rulebook_pb2 as rulebook
from tests.contract.edge.requests import record_entry

ARCHIVIST = common.Actor(id="a6a3c1f0-6f0b-4c7e-9a53-0d5c2a1f7b22", name="Ms Hu", role="records_office")
TEMPLATES = """\
pack = "house"

[[template]]
id = "triage_note"
version = 1
title = "Triage note"

[[template.section]]
code = "complaint"
title = "Complaint"
required = true
"""
HOUSE = """\
id = "house"
version = 1
extends = "cn-2010@1"

[retention.INPATIENT]
class = "house"
years = 40
source = "rule of the house"
unconfirmed = false

[[deadline]]
id = "triage"
start = "care_started"
stop = "entry"
figure = 30
unit = "minutes"
templates = ["triage_note"]
visits = ["INPATIENT"]
source = "rule of the house"
unconfirmed = false

[[mandatory]]
id = "triage"
visits = ["INPATIENT"]
all_of = ["triage_note"]
source = "rule of the house"
"""


def context(actor: common.Actor = ARCHIVIST) -> common.CommandContext:
    """A context of the records office with a fresh command id."""
    return common.CommandContext(hospital="north", command_id=str(uuid4()), actor=actor)


def add_templates(text: str = TEMPLATES) -> rulebook.AddTemplatesRequest:
    """The house's templates."""
    return rulebook.AddTemplatesRequest(context=context(), text=text)


def add_pack(text: str = HOUSE) -> rulebook.AddRulePackRequest:
    """The house's pack."""
    return rulebook.AddRulePackRequest(context=context(), text=text)


def choose(pack_id: str = "house", version: int = 1) -> rulebook.ChooseRulePackRequest:
    """New records go by it."""
    return rulebook.ChooseRulePackRequest(context=context(), pack_id=pack_id, version=version, reason="from 2027")


def triage_note(record_id: str) -> records.RecordEntryRequest:
    """An entry of the house's template."""
    request = record_entry(record_id)
    request.content.template = "triage_note"
    request.content.sections[0].code = "complaint"
    return request
