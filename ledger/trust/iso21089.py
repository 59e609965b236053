"""ISO 21089 life-cycle codes, derived from the stored event name by a fixed table.

The code is never stored: a row here may be added, never changed.
"""

_NAMESPACE = "ledger.v1."

_CODES = {
    "PatientRegistered": "originate",
    "PatientAmended": "amend",
    "RecordRegistered": "originate",
    "CareStarted": "originate",
    "EntryDrafted": "originate",
    "EntryRecorded": "attest",
    "EntryCountersigned": "attest",
    "EntryAmended": "amend",
    "EntryRetracted": "deprecate",
    "ConsultationRequested": "link",
    "ConsultationAnswered": "report",
    "DepartmentTransferred": "link",
    "CareEnded": "report",
    "RecordSubmitted": "verify",
    "QualityReturned": "verify",
    "QualityPassed": "verify",
    "RecordArchived": "archive",
    "TransferProposed": "transmit",
    "TransferPackaged": "transmit",
    "TransferOffered": "transmit",
    "TransferDelivered": "receive",
    "TransferVerified": "receive",
    "TransferAccepted": "receive",
    "TransferRejected": "receive",
    "TransferCompleted": "transmit",
    "TransferWithdrawn": "transmit",
    "TransferExpired": "transmit",
    "TransferSuperseded": "transmit",
    "TransferOutdated": "report",
    "PackageReceived": "receive",
    "PackageVerified": "verify",
    "PackageAccepted": "receive",
    "PackageRejected": "receive",
    "LateItemFiled": "originate",
    "DeficiencyAccepted": "verify",
    "ConsultationArrived": "report",
    "CareResumed": "report",
    "RecordVoided": "deprecate",
    "RecordEnteredInError": "deprecate",
    "NewbornRegistered": "originate",
    "RecordRecalled": "report",
    "QualityAssessed": "verify",
    "DeadlineMissed": "report",
    "DeadlineMissWithdrawn": "report",
    "ResultRecognised": "link",
    "ExaminationRepeated": "report",
    "DuplicateLinked": "link",
    "PatientIdentified": "link",
    "IdentificationCorrected": "unlink",
    "VisitRenumbered": "amend",
    "EntryCorrectedLate": "link",
    "ReopenRequested": "report",
    "ReopenApproved": "reactivate",
    "RecordRearchived": "archive",
    "HoldPlaced": "hold",
    "HoldLifted": "unhold",
    "RecordSealed": "hold",
    "SealExtended": "hold",
    "RecordUnsealed": "unhold",
    "CopyIssued": "disclose",
    "LoanIssued": "access",
    "LoanRenewed": "access",
    "LoanReturned": "access",
    "PaperScanned": "originate",
    "PaperAccounted": "report",
    "PatientRequestRecorded": "report",
    "PatientRequestAnswered": "report",
    "UseRestricted": "report",
    "UseRestrictionLifted": "report",
    "CopiesOutdated": "report",
    "HolderTold": "report",
    "RetentionExtended": "report",
    "RetentionEnded": "report",
    "DisposalAppraised": "destroy",
    "DisposalApproved": "destroy",
    "AppraisalRejected": "destroy",
    "RecordDestroyed": "destroy",
    "DisposalListDrawnUp": "destroy",
    "DisposalListApproved": "destroy",
    "DisposalListExecuted": "destroy",
    "PatientLinked": "link",
    "PatientUnlinked": "unlink",
    "PatientMerged": "merge",
    "PatientUnmerged": "unmerge",
    "MapPublished": "report",
    "LogSucceeded": "report",
    "DestructionsUpheld": "report",
    "RulePackAdded": "originate",
    "TemplatesAdded": "originate",
    "RulePackChosen": "report",
    "SealAttended": "attest",
    "ArrivalEnteredLate": "report",
    "TimeCorrected": "amend",
    "PhysicianAssigned": "report",
    "ConsultationCalled": "report",
    "AnsweredBeforeRequest": "report",
    "ContentCopied": "link",
}


class UnknownEventType(Exception):
    """No ISO 21089 code is known for this stored event name."""

    def __init__(self, event_type: str) -> None:
        super().__init__(f"no ISO 21089 code is known for {event_type!r}")
        self.event_type = event_type


def iso_code(event_type: str) -> str:
    """The ISO 21089 code of a stored event name such as `ledger.v1.EntryRecorded`; UnknownEventType for any other."""
    name = event_type.removeprefix(_NAMESPACE)
    if name == event_type or name not in _CODES:
        raise UnknownEventType(event_type)
    return _CODES[name]
