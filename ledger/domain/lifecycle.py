"""The one declaration of what a record accepts in which phase, what that demands, and where it leads.

`decide` asks it; documents, the list of allowed actions, the test model and the mutation check are made from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ledger.domain import archive_guards as archive
from ledger.domain import author_guards as author
from ledger.domain import certificate_guards as certificate
from ledger.domain import command_guards as on
from ledger.domain import (
    commands,
    course_commands,
    identity_commands,
    keeping_commands,
    newborn_commands,
    sample_commands,
)
from ledger.domain import consultation_guards as consultation
from ledger.domain import copy_guards as copy
from ledger.domain import course_guards as course
from ledger.domain import deadline_guards as clock
from ledger.domain import endorsement_guards as endorsing
from ledger.domain import hold_guards as held
from ledger.domain import identity_guards as who
from ledger.domain import late_item_guards as late
from ledger.domain import list_guards as listed
from ledger.domain import loan_guards as loan
from ledger.domain import named_guards as some
from ledger.domain import newborn_guards as newborn
from ledger.domain import office_guards as office
from ledger.domain import physician_guards as physician
from ledger.domain import quality_guards as quality
from ledger.domain import sample_guards as sample
from ledger.domain import seal_guards as seal
from ledger.domain import side_guards as side
from ledger.domain import signature_guards as signature
from ledger.domain import state_guards as is_
from ledger.domain import time_guards as time
from ledger.domain import trace_guards as trace
from ledger.domain import transfer_commands as transfer
from ledger.domain import transfer_guards as offer
from ledger.domain import transfer_note_guards as transfer_note
from ledger.domain.command_rule import Rule
from ledger.domain.decision import Facts
from ledger.domain.endorsed_acts import IN_ERROR_FROM, LATE_INTO
from ledger.domain.pack_short_path import SHORT_PATH
from ledger.domain.refusal import RefusalKind, Violation
from ledger.domain.state import RecordState
from ledger.domain.values import Phase, VisitType

WRITING = frozenset({Phase.ACTIVE, Phase.CLOSED, Phase.RETURNED})
"""Phases in which entries are accepted."""

CHANGEABLE = WRITING | {Phase.REOPENED}
"""Phases in which entries are changed; a reopened record takes only what its reopening names."""

KEPT = frozenset({Phase.ARCHIVED, Phase.DUE, Phase.PERMANENT})
"""Phases of an archived case."""

TRANSFERABLE = CHANGEABLE | KEPT | {Phase.SUBMITTED}
"""Phases in which a record may be offered to another hospital: an emergency elsewhere waits for no archive."""

LATE_RESULT = frozenset({Phase.SUBMITTED})
"""Phases that take a result although they take no other entry: care is never blocked by an archive rule."""

LIVING = frozenset(Phase) - {Phase.DESTROYED, Phase.VOIDED}
"""Phases of a record that exists and is not void."""

IN_CARE_OR_AFTER = LIVING - {Phase.REGISTERED}


def _in(*phases: Phase) -> frozenset[Phase]:
    return frozenset(phases)


_CHANGE = (on.ENTRY_KNOWN, on.ENTRY_NOT_RETRACTED, on.ENTRY_NOT_HELD, on.ENTRY_NOT_SEALED, on.NAMED_FOR_CHANGE)
_SEALING = (on.ACTS_AS_PERSON, *seal.TWO_SIDES, on.role_allowed("seal_record"))
_IDENTIFYING = (
    on.ACTS_AS_PERSON,
    on.role_allowed("merge_patients"),
    on.second_allowed("merge_patients", lambda record: record.established),
)
_OPEN_FOR_NEWBORNS = (is_.WINDOW_OPEN, is_.NOT_HELD_AS_A_WHOLE, is_.NOT_FULLY_SEALED)
_CORRECTS_NEWBORN = (
    newborn.NEWBORN_NOT_HELD,
    newborn.NEWBORN_NOT_SEALED,
    on.ACTS_AS_PERSON,
    on.role_allowed("correct_newborn"),
)
_ARCHIVING = (on.ACTS_AS_PERSON, archive.ROLE_ARCHIVES)
_FREE_FOR_DISPOSAL = (
    is_.NOT_HELD,
    is_.NOT_SEALED,
    is_.NOT_LENT,
    is_.NO_OPEN_TRANSFER,
    is_.PAPER_ACCOUNTED,
    is_.IDENTITY_MATCHED,
    is_.NO_OPEN_STAY,
    is_.TERM_OVER,
)

RULES: dict[type[commands.Command], Rule] = {
    commands.StartCare: Rule(_in(Phase.REGISTERED), _in(Phase.ACTIVE), of_command=(physician.IN_CHARGE_QUALIFIED,)),
    course_commands.VoidRecord: Rule(
        _in(Phase.REGISTERED),
        _in(Phase.VOIDED),
        (is_.NO_ENTRIES, is_.NOT_HELD, is_.NO_OPEN_REQUEST),
        (on.ACTS_AS_PERSON,),
    ),
    course_commands.DraftEntry: Rule(
        WRITING,
        of_command=(on.ENTRY_KNOWN, on.STILL_A_DRAFT, author.OWN_DRAFT, on.ENTRY_NOT_HELD, on.ENTRY_NOT_SEALED),
    ),
    commands.RecordEntry: Rule(
        CHANGEABLE,
        demands=(is_.WINDOW_OPEN,),
        of_command=(
            signature.SIGNED_SINCE,
            on.NAMED_FOR_ADDING,
            course.DRAFT_KNOWN,
            course.DRAFT_OPEN,
            author.OWN_DRAFT_SIGNED,
            on.DRAFT_NOT_HELD,
            on.DRAFT_NOT_SEALED,
        ),
        names=(some.TEMPLATE_NAMED,),
    ),
    commands.AmendEntry: Rule(
        CHANGEABLE,
        demands=(is_.WINDOW_OPEN,),
        of_command=(
            signature.SIGNED_SINCE,
            *_CHANGE,
            on.NOT_A_DRAFT,
            on.TEMPLATE_KEPT,
            on.VERSION_UNCHANGED,
            author.AUTHOR_OR_SUPERIOR,
        ),
        names=(some.ENTRY_AMENDABLE,),
    ),
    commands.RetractEntry: Rule(
        CHANGEABLE,
        demands=(is_.WINDOW_OPEN,),
        of_command=(*_CHANGE, trace.RETRACTED_TRACE, trace.RECORDED_THERE, author.AUTHOR_OR_QUALITY),
        names=(some.ENTRY_RETRACTABLE,),
    ),
    course_commands.CountersignEntry: Rule(
        CHANGEABLE | {Phase.SUBMITTED},
        of_command=(
            signature.SIGNED_SINCE,
            on.ENTRY_KNOWN,
            on.ENTRY_NOT_RETRACTED,
            on.LAST_VERSION,
            on.WAITS_FOR_SUPERIOR,
            on.OTHER_THAN_AUTHOR,
            on.SUPERIOR_QUALIFIED,
            on.SUPERIOR_IS_PERSON,
        ),
        names=(some.ENTRY_WAITS,),
    ),
    # It adds a proof to what stands, and changes nothing that a hold or a seal keeps.
    course_commands.CertifyEntry: Rule(
        CHANGEABLE | {Phase.SUBMITTED},
        demands=(certificate.CERTIFICATES_ON,),
        of_command=(
            on.ENTRY_KNOWN,
            on.ENTRY_NOT_RETRACTED,
            on.LAST_VERSION,
            certificate.SIGNER_AGAIN,
            certificate.NOT_CERTIFIED,
            on.ACTS_AS_PERSON,
        ),
        names=(certificate.SOME_CERTIFIABLE,),
    ),
    commands.RequestConsultation: Rule(_in(Phase.ACTIVE), of_command=(course.ELSEWHERE,)),
    course_commands.ArriveAtConsultation: Rule(
        WRITING,
        of_command=(
            on.CONSULTATION_KNOWN,
            on.NOT_ARRIVED,
            consultation.NOT_WITHDRAWN,
            consultation.BEFORE_REQUEST_WITH_REASON,
            consultation.LATE_WITH_REASON,
            consultation.OTHER_THAN_ASKER,
            consultation.OF_THE_ASKED,
            on.ACTS_AS_PERSON,
        ),
        names=(some.CONSULTANT_AWAITED,),
    ),
    commands.AnswerConsultation: Rule(
        # In a window too: what is retracted there asks again, and somebody has to answer.
        CHANGEABLE,
        demands=(is_.WINDOW_OPEN,),
        of_command=(
            signature.SIGNED_SINCE,
            on.NAMED_FOR_ADDING,
            on.CONSULTATION_KNOWN,
            on.CONSULTATION_OPEN,
            consultation.NOT_WITHDRAWN,
            consultation.BEFORE_REQUEST_WITH_REASON,
            consultation.OTHER_THAN_ASKER,
            consultation.OF_THE_ASKED,
            on.ACTS_AS_PERSON,
        ),
        names=(some.ANSWER_AWAITED, some.CONSULTATION_NAMED),
    ),
    course_commands.WithdrawConsultation: Rule(
        # In a window too: an answer that is retracted there may turn out never to have been asked for.
        CHANGEABLE,
        demands=(is_.WINDOW_OPEN,),
        of_command=(
            on.CONSULTATION_KNOWN,
            on.CONSULTATION_OPEN,
            consultation.NOT_WITHDRAWN,
            consultation.ASKER_OR_HEAD,
            consultation.CAME_OR_HEAD,
        ),
        names=(some.ANSWER_AWAITED,),
    ),
    commands.TransferDepartment: Rule(
        _in(Phase.ACTIVE),
        of_command=(
            course.ELSEWHERE,
            course.NOTE_STANDS,
            course.NOTE_FIRST,
            course.NOTE_OF_ITS_OWN,
            physician.IN_CHARGE_QUALIFIED,
            time.MOVES_ON,
        ),
    ),
    course_commands.CorrectTime: Rule(
        CHANGEABLE,
        demands=(is_.WINDOW_OPEN,),
        of_command=(
            time.TIME_KNOWN,
            on.ENTRY_NOT_RETRACTED,
            on.NOT_A_DRAFT,
            on.ENTRY_NOT_HELD,
            on.ENTRY_NOT_SEALED,
            time.FREE_OF_HOLDS,
            time.FREE_OF_SEALS,
            time.NAMED_ENTRY,
            time.TIME_CHANGES,
            time.IN_ORDER,
            author.AUTHOR_OR_SUPERIOR,
            on.ACTS_AS_PERSON,
            time.ROLE_CORRECTS,
        ),
        names=(some.TIME_CHANGEABLE,),
    ),
    course_commands.AssignPhysician: Rule(
        WRITING | {Phase.SUBMITTED},
        of_command=(
            physician.ANOTHER_THAN_BEFORE,
            physician.IN_CHARGE_QUALIFIED,
            on.role_allowed("assign_physician"),
        ),
    ),
    # Whoever was born is there, whatever stands: adding alters nothing that a hold or a seal keeps.
    newborn_commands.RegisterNewborn: Rule(
        CHANGEABLE | KEPT | {Phase.SUBMITTED},
        demands=(is_.NOT_IN_ERROR,),
        of_command=(newborn.LATE_WITH_REASON, newborn.LATE_BY_ROLE),
    ),
    # It says where more about the newborn is found, and alters nothing that is kept here.
    newborn_commands.LinkNewborn: Rule(
        CHANGEABLE | KEPT | {Phase.SUBMITTED, Phase.ENTERED_IN_ERROR},
        of_command=(
            newborn.NEWBORN_KNOWN,
            newborn.LINK_NOT_IN_ERROR,
            newborn.LINKABLE,
            newborn.LINK_CHANGES,
            newborn.PATIENT_OF_ITS_OWN,
            newborn.LINK_CHANGED_WITH_REASON,
            on.ACTS_AS_PERSON,
            newborn.LINKED_BY_ROLE,
        ),
        names=(some.NEWBORN_LINKABLE,),
    ),
    newborn_commands.CorrectBirth: Rule(
        CHANGEABLE,
        demands=_OPEN_FOR_NEWBORNS,
        of_command=(newborn.NEWBORN_KNOWN, newborn.NEWBORN_STANDS, newborn.BIRTH_CHANGES, *_CORRECTS_NEWBORN),
        names=(some.NEWBORN_CHANGEABLE,),
    ),
    newborn_commands.WithdrawNewborn: Rule(
        CHANGEABLE,
        demands=_OPEN_FOR_NEWBORNS,
        of_command=(
            newborn.NEWBORN_KNOWN,
            newborn.NEWBORN_STANDS,
            newborn.SAME_AS_STANDS,
            newborn.SAME_AS_ANOTHER,
            newborn.NOTHING_ABOUT_NOBODY,
            *_CORRECTS_NEWBORN,
        ),
        names=(some.NEWBORN_WITHDRAWABLE,),
    ),
    newborn_commands.RestoreNewborn: Rule(
        CHANGEABLE,
        demands=_OPEN_FOR_NEWBORNS,
        of_command=(
            newborn.NEWBORN_KNOWN,
            newborn.NEWBORN_WAS_WITHDRAWN,
            newborn.STILL_OF_ITS_OWN,
            *_CORRECTS_NEWBORN,
        ),
        names=(some.NEWBORN_RESTORABLE,),
    ),
    course_commands.RecogniseResult: Rule(IN_CARE_OR_AFTER, of_command=(on.ENTRY_KNOWN,)),
    course_commands.RepeatExamination: Rule(WRITING),
    course_commands.LinkDuplicate: Rule(
        IN_CARE_OR_AFTER,
        of_command=(on.ENTRY_KNOWN,),
        names=(some.ENTRY_HELD,),
    ),
    course_commands.IdentifyPatient: Rule(
        LIVING,
        demands=(is_.IDENTITY_OPEN, is_.IDENTITY_NOT_HELD, is_.IDENTITY_NOT_SEALED),
        of_command=(
            who.CORRECTS_SOMEBODY,
            who.ANOTHER_PATIENT,
            who.NOT_ITS_NEWBORN,
            on.CORRECTION_CONFIRMED,
            *_IDENTIFYING,
            *endorsing.BY_CONFIRMER,
        ),
        names=(endorsing.CORRECTION_ENDORSED,),
    ),
    identity_commands.WithdrawIdentification: Rule(
        LIVING,
        demands=(is_.IDENTIFIED, is_.NOT_HELD, is_.ORIGINAL_NOT_SEALED),
        of_command=(
            who.NOT_ITS_NEWBORN_AGAIN,
            on.CONFIRMED_BY_ANOTHER,
            *_IDENTIFYING,
            *endorsing.BY_CONFIRMER,
        ),
        names=(endorsing.WITHDRAWAL_ENDORSED,),
    ),
    # It changes nothing by itself: what stands against the act is asked when that is done.
    course_commands.EndorseAct: Rule(
        LIVING,
        of_command=(
            endorsing.ACT_CLEAR,
            endorsing.SEAL_THERE,
            endorsing.ACT_POSSIBLE,
            on.ACTS_AS_PERSON,
            endorsing.NO_TRAINEE,
            endorsing.ENDORSED_BY_ROLE,
        ),
        names=(endorsing.SOME_ACT,),
    ),
    commands.EndCare: Rule(
        _in(Phase.ACTIVE),
        _in(Phase.CLOSED),
        of_command=(time.ENDS_AFTER_START, time.ENDS_AFTER_MOVES, on.ACTS_AS_PERSON_HERE),
    ),
    course_commands.ResumeCare: Rule(_in(Phase.CLOSED), _in(Phase.ACTIVE), of_command=(on.ACTS_AS_PERSON,)),
    course_commands.AcceptDeficiency: Rule(
        # Also once a window is over: what was amended in it and can be signed by nobody must not stay open for ever.
        _in(Phase.CLOSED, Phase.SUBMITTED, Phase.RETURNED, Phase.REOPENED),
        of_command=(
            on.ENTRY_KNOWN,
            course.WAITS_FOR_SIGNATURE,
            course.WAIVED_KNOWN,
            course.WAIVED_MISSING,
            course.NOT_ACCEPTED_YET,
            on.ACTS_AS_PERSON,
            on.role_allowed("accept_deficiency"),
        ),
        names=(is_.SOMETHING_DEFICIENT,),
    ),
    course_commands.DeclareEnteredInError: Rule(
        IN_ERROR_FROM,
        _in(Phase.ENTERED_IN_ERROR),
        # It is no care, which would wait for nobody: what is held or sealed stays whose it is until that is settled.
        (is_.ALL_RETRACTED, is_.NOT_HELD, is_.NO_ORIGINAL_SEALED, is_.NO_OPEN_REQUEST),
        (
            *trace.DECLARED,
            on.CONFIRMED_BY_ANOTHER,
            on.ACTS_AS_PERSON,
            on.role_allowed("declare_in_error"),
            on.second_allowed("declare_in_error"),
            *endorsing.BY_CONFIRMER,
        ),
        names=(endorsing.IN_ERROR_ENDORSED,),
    ),
    commands.SubmitRecord: Rule(
        _in(Phase.CLOSED, Phase.RETURNED),
        _in(Phase.SUBMITTED),
        (is_.MANDATORY_THERE, is_.ENTRY_THERE, is_.ALL_SIGNED, is_.NO_DRAFT),
        (on.ACTS_AS_PERSON,),
    ),
    course_commands.RecallRecord: Rule(
        _in(Phase.SUBMITTED), _in(Phase.CLOSED), (is_.NOT_PASSED,), (on.ACTS_AS_PERSON,)
    ),
    commands.ReturnRecord: Rule(
        _in(Phase.SUBMITTED),
        _in(Phase.RETURNED),
        of_command=(*quality.DEFECTS, on.ACTS_AS_PERSON, on.role_allowed("return_record")),
    ),
    commands.PassQuality: Rule(
        _in(Phase.SUBMITTED),
        demands=(is_.NOT_PASSED,),
        of_command=(
            *quality.DEFECTS,
            quality.SCORE_AGREES,
            quality.SCORE_ENOUGH,
            quality.NO_VETO,
            sample.OF_OTHERS,
            on.ACTS_AS_PERSON,
            on.role_allowed("pass_quality"),
        ),
    ),
    commands.ArchiveRecord: Rule(
        _in(Phase.SUBMITTED),
        _in(Phase.ARCHIVED),
        (
            is_.QUALITY_PASSED,
            is_.SOMEBODY_IN_CHARGE,
            is_.MANDATORY_THERE,
            is_.ENTRY_THERE,
            is_.ALL_SIGNED,
            is_.NO_DRAFT,
        ),
        _ARCHIVING,
        short_path=_in(Phase.CLOSED, Phase.SUBMITTED),
    ),
    course_commands.FileLateItem: Rule(
        LATE_INTO,
        demands=(is_.NOT_IN_ERROR,),
        of_command=(
            signature.SIGNED_SINCE,
            late.IS_LATE_ITEM,
            late.BESIDE_BY_TWO,
            late.CONFIRMED_BY_ROLE,
            *endorsing.BY_CONFIRMER,
            late.SIGNED_FINALLY,
            on.CORRECTED_KNOWN,
            on.CORRECTED_STANDS,
            late.ITEM_STANDS,
            late.CORRECTS_OWN_REPORT,
            late.CORRECTED_NOT_SEALED,
            on.role_allowed("file_late_item"),
        ),
    ),
    course_commands.ReportMissedDeadline: Rule(
        IN_CARE_OR_AFTER,
        of_command=(clock.DEADLINE_SET, clock.DEADLINE_MISSED),
        names=(some.DEADLINE_MISSED,),
    ),
    course_commands.WithdrawMissedDeadline: Rule(
        IN_CARE_OR_AFTER,
        of_command=(clock.REPORT_KNOWN, clock.REPORT_FALSE),
        names=(some.REPORT_FALSE,),
    ),
    keeping_commands.RequestReopen: Rule(
        _in(Phase.ARCHIVED, Phase.PERMANENT),
        demands=(is_.NOT_IN_ERROR, is_.NOT_HELD, is_.NOT_FULLY_SEALED, is_.NO_REOPENING),
        of_command=(on.ENTRIES_KNOWN, listed.ENTRIES_ONCE, listed.TEMPLATES_ONCE, on.ACTS_AS_PERSON),
    ),
    keeping_commands.ApproveReopen: Rule(
        _in(Phase.ARCHIVED, Phase.PERMANENT),
        _in(Phase.REOPENED),
        (is_.REOPENING_ASKED, is_.REQUEST_STANDS, is_.NOT_HELD, is_.NOT_FULLY_SEALED),
        (
            on.REOPENING_KNOWN,
            on.SECOND_OF_REOPENING,
            on.ACTS_AS_PERSON,
            on.WINDOW_WITHIN_PACK,
            on.role_allowed("approve_reopen"),
        ),
    ),
    keeping_commands.RearchiveRecord: Rule(
        _in(Phase.REOPENED),
        _in(Phase.ARCHIVED, Phase.PERMANENT),
        (is_.MANDATORY_THERE, is_.ALL_SIGNED, is_.NO_DRAFT),
        _ARCHIVING,
    ),
    keeping_commands.PlaceHold: Rule(
        LIVING,
        of_command=(held.VERSIONS_KNOWN, listed.VERSIONS_ONCE, on.ACTS_AS_PERSON, on.role_allowed("place_hold")),
    ),
    keeping_commands.LiftHold: Rule(
        LIVING,
        of_command=(on.HOLD_KNOWN, on.ACTS_AS_PERSON, on.role_allowed("lift_hold")),
        names=(some.HOLD_STANDS,),
    ),
    keeping_commands.SealRecord: Rule(
        LIVING,
        of_command=(on.ENTRIES_KNOWN, listed.ENTRIES_ONCE, seal.SOMETHING_FINISHED, seal.NO_DRAFT_NAMED, *_SEALING),
        names=(some.ENTRY_FINISHED,),
    ),
    keeping_commands.ExtendSeal: Rule(
        LIVING,
        of_command=(on.SEAL_KNOWN, *_SEALING),
        names=(some.SEAL_BEHIND,),
    ),
    keeping_commands.UnsealRecord: Rule(
        LIVING,
        of_command=(
            on.SEAL_KNOWN,
            on.MAY_UNSEAL_ALONE,
            seal.NOBODY_CLAIMS,
            *_SEALING,
            seal.SETTLED_BY_ROLE,
            *endorsing.BY_SECOND,
        ),
        names=(some.SEAL_STANDS,),
    ),
    keeping_commands.IssueCopy: Rule(
        LIVING,
        demands=(is_.IDENTITY_MATCHED, is_.USE_ALLOWED),
        of_command=(*copy.SCOPE, listed.ENTRIES_ONCE, on.role_allowed("issue_copy")),
        names=(some.ENTRY_SHOWN,),
    ),
    keeping_commands.LendRecord: Rule(
        KEPT,
        demands=(is_.NOT_LENT, is_.USE_ALLOWED),
        of_command=(
            loan.TO_A_PERSON,
            loan.NO_TRAINEE,
            loan.LOAN_WITHIN_PACK,
            loan.SEALED_STAYS,
            on.ACTS_AS_PERSON,
            on.role_allowed("lend_record"),
        ),
    ),
    keeping_commands.RenewLoan: Rule(
        KEPT,
        demands=(is_.USE_ALLOWED,),
        of_command=(
            on.LOAN_KNOWN,
            loan.RENEWALS_LEFT,
            loan.RENEWAL_RUNS,
            loan.SEALED_COMES_BACK,
            on.role_allowed("lend_record"),
        ),
        names=(some.LOAN_RENEWABLE,),
    ),
    keeping_commands.ReturnLoan: Rule(
        LIVING,
        of_command=(on.LOAN_KNOWN,),
        names=(some.LOAN_RUNS,),
    ),
    keeping_commands.FilePaperScan: Rule(
        IN_CARE_OR_AFTER, of_command=(office.CHECKED_BY_ANOTHER, office.SCANNED_BY_PERSONS)
    ),
    keeping_commands.AccountForPaper: Rule(
        IN_CARE_OR_AFTER,
        of_command=(on.PAPER_KNOWN, office.PAPER_HERE, on.ACTS_AS_PERSON, on.role_allowed("account_for_paper")),
        names=(some.PAPER_HERE,),
    ),
    keeping_commands.MovePaper: Rule(
        IN_CARE_OR_AFTER,
        of_command=(on.PAPER_KNOWN, office.PAPER_HERE, on.ACTS_AS_PERSON, on.role_allowed("account_for_paper")),
        names=(some.PAPER_HERE,),
    ),
    keeping_commands.RecordPatientRequest: Rule(LIVING),
    keeping_commands.AnswerPatientRequest: Rule(
        LIVING,
        of_command=(
            on.REQUEST_KNOWN,
            on.NOT_ANSWERED,
            on.ENTRY_KNOWN,
            office.NOT_ERASED_EARLY,
            on.ACTS_AS_PERSON,
            on.role_allowed("answer_request"),
        ),
        names=(some.REQUEST_WAITS,),
    ),
    keeping_commands.LiftRestriction: Rule(
        LIVING,
        demands=(is_.USE_IS_RESTRICTED,),
        of_command=(office.RESTRICTED_FOR_IT, on.ACTS_AS_PERSON, on.role_allowed("answer_request")),
    ),
    keeping_commands.RecordHolderTold: Rule(
        LIVING,
        of_command=(copy.HOLDER_KNOWN, copy.HOLDER_WAITS, on.ACTS_AS_PERSON, on.role_allowed("issue_copy")),
        names=(some.HOLDER_WAITS,),
    ),
    # Nothing changes by it, so no hold, seal, loan or restriction stands in its way.
    sample_commands.AssessSample: Rule(
        KEPT,
        demands=(is_.NOT_IN_ERROR, is_.NOT_PASSED, is_.SAMPLE_MENDED),
        of_command=(
            sample.DRAW_POSSIBLE,
            sample.WITHIN_SPAN,
            sample.NOT_SETTLED,
            *quality.DEFECTS,
            quality.SCORE_AGREES,
            sample.OF_OTHERS,
            on.ACTS_AS_PERSON,
            on.role_allowed("assess_sample"),
        ),
    ),
    keeping_commands.ExtendRetention: Rule(
        KEPT | {Phase.REOPENED},
        edges={Phase.DUE: _in(Phase.ARCHIVED, Phase.ENTERED_IN_ERROR)},
        of_command=(on.DATE_MOVES_ON, on.role_allowed("extend_retention")),
    ),
    keeping_commands.EndRetention: Rule(
        _in(Phase.ARCHIVED, Phase.ENTERED_IN_ERROR), _in(Phase.DUE), (is_.TERM_OVER, is_.NO_REOPENING)
    ),
    keeping_commands.AppraiseDisposal: Rule(
        _in(Phase.DUE),
        demands=(is_.NOT_APPRAISED,),
        of_command=(on.EXTENSION_IS_LATER, on.ACTS_AS_PERSON, on.role_allowed("appraise_disposal")),
    ),
    keeping_commands.ApproveDisposal: Rule(
        _in(Phase.DUE),
        _in(Phase.DUE, Phase.ARCHIVED, Phase.ENTERED_IN_ERROR, Phase.PERMANENT),
        (is_.APPRAISED,),
        (
            on.NOT_APPROVED_FOR,
            on.LIST_OPEN,
            on.LISTED_AS_APPRAISED,
            on.APPROVES_LIST,
            on.SECOND_OF_DISPOSAL,
            on.ACTS_AS_PERSON,
            on.APPROVES_BY_ROLE,
        ),
        names=(some.LIST_NAMES_IT,),
    ),
    keeping_commands.RejectAppraisal: Rule(
        _in(Phase.DUE),
        demands=(is_.APPRAISED,),
        of_command=(on.ACTS_AS_PERSON, on.role_allowed("reject_appraisal")),
    ),
    keeping_commands.DestroyRecord: Rule(
        _in(Phase.DUE),
        _in(Phase.DESTROYED),
        (is_.DESTRUCTION_APPROVED, is_.APPRAISED_AS_IT_IS, is_.NO_OPEN_REQUEST, *_FREE_FOR_DISPOSAL),
        (
            on.LIST_APPROVED,
            on.LIST_OPEN,
            on.APPROVER_OF_LIST,
            on.SUPERVISORS_SIGNED,
            on.SUPERVISORS_OF_LIST,
            on.EXECUTORS_DIFFER,
            office.PAPER_NAMED,
            on.ACTS_AS_PERSON,
            on.role_allowed("destroy_record"),
        ),
        names=(some.LIST_STILL_OPEN,),
    ),
    transfer.OfferTransfer: Rule(
        TRANSFERABLE,
        demands=(is_.IDENTITY_MATCHED, is_.NOT_IN_ERROR, is_.HANDOVER_ALLOWED),
        of_command=(transfer_note.NOTE_SIGNED,),
    ),
    # What happens to an offer that is out does not depend on the record's phase.
    transfer.WithdrawTransfer: Rule(
        frozenset(Phase) - {Phase.DESTROYED},
        of_command=(offer.TRANSFER_KNOWN, offer.OPEN_TO_WITHDRAW),
        names=(some.OFFER_OUT,),
    ),
    transfer.ExpireTransfer: Rule(
        frozenset(Phase) - {Phase.DESTROYED},
        of_command=(offer.TRANSFER_KNOWN, offer.OPEN_TO_EXPIRE, offer.HAS_RUN_OUT),
        names=(some.OFFER_RUN_OUT,),
    ),
    transfer.RecordTransferAnswer: Rule(
        frozenset(Phase) - {Phase.DESTROYED},
        of_command=(offer.TRANSFER_KNOWN, offer.BY_RECIPIENT),
        names=(some.ANSWER_TO_OFFER,),
    ),
}
ACTS_FOR_HOSPITAL = frozenset(RULES) - side.NOT_THE_HOSPITALS_ALONE
"""The commands that are the hospital's own act."""
RULES.update({command: RULES[command].demanding(side.FOR_HOSPITAL) for command in ACTS_FOR_HOSPITAL})


def allowed_phases(
    command: type[commands.Command], visit_type: VisitType, short_path: frozenset[VisitType] = SHORT_PATH
) -> frozenset[Phase]:
    """The phases in which a record of this visit type accepts the command."""
    return RULES[command].allowed(visit_type, short_path)


def phase_fault(
    command: type[commands.Command], phase: Phase, visit_type: VisitType, short_path: frozenset[VisitType] = SHORT_PATH
) -> Violation | None:
    """The fault of a command that the phase does not accept."""
    allowed = allowed_phases(command, visit_type, short_path)
    if phase in allowed:
        return None
    names = ", ".join(sorted(allowed))
    return Violation("", "PHASE_NOT_ALLOWED", f"the record is {phase}; allowed in {names}")


def state_faults(command: type[commands.Command], record: RecordState, facts: Facts) -> Iterator[Violation]:
    """Everything that the record's state holds against the command, the phase first."""
    wrong_phase = phase_fault(command, record.phase, record.visit_type, facts.pack.short_path)
    if wrong_phase is not None:
        yield wrong_phase
    for guard in RULES[command].demands:
        yield from guard.faults(record, facts)


def command_faults(command: Any, record: RecordState, facts: Facts) -> Iterator[tuple[RefusalKind, Violation]]:
    """What is wrong with what the command names."""
    for guard in RULES[type(command)].of_command:
        for fault in guard.faults(command, record, facts):
            yield guard.kind, fault
