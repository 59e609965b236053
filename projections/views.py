"""All views of this release."""

from ledger.views.view import View
from projections.archive_register.view import ArchiveRegister
from projections.department_board.view import DepartmentBoard
from projections.patient_index.view import PatientIndex
from projections.transfer_packages.view import TransferPackages

ALL: tuple[View, ...] = (DepartmentBoard(), PatientIndex(), ArchiveRegister(), TransferPackages())
