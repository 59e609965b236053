"""The people of the inpatient story, each in the hospital's actor register."""

from __future__ import annotations

from dataclasses import dataclass

import grpc.aio

from ledger.api.v1.common_pb2 import Actor
from ledger.api.v1.records_pb2 import RegisterActorRequest
from ledger.api.v1.records_pb2_grpc import PatientServiceStub

CARDIOLOGY, NEUROLOGY, REHABILITATION = "CARD", "NEUR", "REHA"
_CAST = {
    "registrar": ("Ms. Shen", "registrar", "ADMISSION"),
    "register": ("old admissions register", "interface", "ADMISSION"),
    "attending": ("Dr. Lin", "attending", CARDIOLOGY),
    "trainee": ("Dr. Bai", "trainee", CARDIOLOGY),
    "consultant": ("Dr. Gao", "physician", NEUROLOGY),
    "rehabilitation": ("Dr. Xie", "physician", REHABILITATION),
    "clock": ("deadline clock", "system", ""),
    "quality": ("Ms. Tang", "quality_office", "QUALITY"),
    "archivist": ("Ms. Hu", "records_office", "RECORDS"),
    "medical_affairs": ("Mr. Qin", "medical_affairs", "AFFAIRS"),
    "legal": ("Ms. Ren", "legal", "LEGAL"),
    "appraiser": ("Mr. Fan", "records_office", "RECORDS"),
    "appraisal_group": ("Ms. Yu", "appraisal_group", "RECORDS"),
    "head": ("Mr. He", "head", "DIRECTION"),
    "first_supervisor": ("Ms. Zou", "records_office", "RECORDS"),
    "second_supervisor": ("Mr. Kong", "security", "DIRECTION"),
    "patients_son": ("Zhao Min", "representative", ""),
}


@dataclass(frozen=True)
class People:
    """Everybody who acts, by part."""

    registrar: Actor
    register: Actor
    """The program that takes over what stands in the old register."""
    attending: Actor
    trainee: Actor
    consultant: Actor
    rehabilitation: Actor
    clock: Actor
    quality: Actor
    archivist: Actor
    medical_affairs: Actor
    legal: Actor
    appraiser: Actor
    appraisal_group: Actor
    head: Actor
    first_supervisor: Actor
    second_supervisor: Actor
    patients_son: Actor


async def register_people(channel: grpc.aio.Channel, hospital: str) -> People:
    """Puts everybody into the hospital's register."""
    patients = PatientServiceStub(channel)
    found: dict[str, Actor] = {}
    for part, (name, role, department) in _CAST.items():
        asked = Actor(name=name, role=role, department=department)
        answer = await patients.RegisterActor(RegisterActorRequest(hospital=hospital, actor=asked))
        found[part] = answer.actor
    return People(**found)
