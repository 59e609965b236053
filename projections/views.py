"""All views of this release."""

from ledger.views.view import View
from projections.archive_register.view import ArchiveRegister
from projections.confirmed_visits.view import ConfirmedVisits
from projections.department_board.view import DepartmentBoard
from projections.patient_index.view import PatientIndex
from projections.transfer_packages.view import TransferPackages
from projections.usage.view import Usage
from projections.worklist.view import Worklist

ALL: tuple[View, ...] = (
    DepartmentBoard(),
    PatientIndex(),
    ArchiveRegister(),
    TransferPackages(),
    Worklist(),
    Usage(),
    ConfirmedVisits(),
)
