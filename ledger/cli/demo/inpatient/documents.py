"""What the people of the inpatient story write."""

from __future__ import annotations

from ledger.api.v1.common_pb2 import Coding, EntryContent, Field, Section
from ledger.cli.demo.client import note

ADMISSION_NOTE = note(
    "admission_note",
    "Admission note",
    chief_complaint="Chest pain for two hours.",
    history="Hypertension for ten years.",
    examination="BP 150/90 mmHg, lungs clear.",
    assessment="Acute myocardial infarction of the anterior wall.",
)
FIRST_COURSE_NOTE = note(
    "first_course_note",
    "First course note",
    case_features="Sudden onset, ST elevation V1 to V4.",
    assessment="Acute myocardial infarction.",
    plan="Monitoring, anticoagulation, bed rest.",
)
DRAFT = note("course_note", "Course note", note="Pain free since the morning.")
COURSE_NOTE = note("course_note", "Course note", note="Pain free since the morning. Rhythm stable.")
TRAINEES_NOTE = note("course_note", "Course note by the trainee", note="Left arm weaker than yesterday.")
CONSULTATION_NOTE = note("consultation", "Consultation", opinion="Small infarction of the right hemisphere.")
TRANSFER_OUT_NOTE = note(
    "transfer_out_note", "Transfer-out note", course="Stable for a week.", reason="Mobilisation after the stroke."
)
TRANSFER_IN_NOTE = note("transfer_in_note", "Transfer-in note", assessment="Hemiparesis.", plan="Daily exercise.")
DISCHARGE_RECORD = note(
    "discharge_record",
    "Discharge record",
    admission_reason="Chest pain.",
    course="Conservative treatment; rehabilitation.",
    condition="Walks without help.",
    instructions="Review in a month.",
)
MENDED_DISCHARGE_RECORD = note(
    "discharge_record",
    "Discharge record",
    admission_reason="Chest pain.",
    course="Conservative treatment; stroke on day 8; rehabilitation.",
    condition="Walks without help.",
    instructions="Review in a month; aspirin 100 mg daily.",
)
AMENDED_ADMISSION_NOTE = note(
    "admission_note",
    "Admission note",
    chief_complaint="Chest pain for two hours.",
    history="Hypertension for ten years; allergic to penicillin.",
    examination="BP 150/90 mmHg, lungs clear.",
    assessment="Acute myocardial infarction of the anterior wall.",
)
FRONT_PAGE = EntryContent(
    template="front_page",
    template_version=1,
    title="Front page",
    language="en",
    sections=[
        Section(
            code="diagnoses",
            fields=[
                Field(
                    code="principal_diagnosis",
                    coding=Coding(system="http://hl7.org/fhir/sid/icd-10", code="I21.0", display="Anterior infarction"),
                )
            ],
        )
    ],
)
