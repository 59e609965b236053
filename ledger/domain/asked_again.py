"""Which consultations wait again once the entry that answered them is retracted."""

from __future__ import annotations

from uuid import UUID

from ledger.domain.decision import Facts
from ledger.domain.events import ConsultationRequested
from ledger.domain.state import RecordState


def asked_again(record: RecordState, entry_id: UUID, facts: Facts) -> tuple[ConsultationRequested, ...]:
    """The request of each consultation that the retracted entry answered, once more under its own id."""
    # Whoever follows the events alone, as worklists do, knows no answer by its entry: the request says it to all.
    return tuple(
        ConsultationRequested(
            meta=facts.meta(),
            consultation_id=each.consultation_id,
            from_department=each.from_department,
            to_department=each.to_department,
            urgency=each.urgency,
            question=each.question,
        )
        for each in record.consultations.values()
        if each.entry_id == entry_id
    )
