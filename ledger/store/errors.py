"""What can go wrong in the store. No message or field ever holds patient data."""

from uuid import UUID


class StoreError(Exception):
    """The store could not do what was asked."""

    def __init__(self, *facts: object) -> None:
        super().__init__(self.__doc__, *facts)


class StoreUnavailable(StoreError):
    """PostgreSQL cannot be reached; nothing was written, the same call may be repeated."""


class OutcomeUnknown(StoreError):
    """The connection was lost while a command was being committed, and the store could not be asked in time."""

    def __init__(self, command_id: UUID) -> None:
        super().__init__(command_id)
        self.command_id = command_id


class AppendQueueFull(StoreError):
    """Too many commands wait to be appended; nothing was written."""

    def __init__(self, hospital: str, waiting: int) -> None:
        super().__init__(hospital, waiting)
        self.hospital = hospital
        self.waiting = waiting


class AppendRefused(StoreError):
    """PostgreSQL refused the rows of a command; nothing was written."""

    def __init__(self, command_id: UUID, sqlstate: str | None) -> None:
        super().__init__(command_id, sqlstate)
        self.command_id = command_id
        self.sqlstate = sqlstate


class UnknownHospital(StoreError):
    """No hospital of this id is registered."""

    def __init__(self, hospital: str) -> None:
        super().__init__(hospital)
        self.hospital = hospital


class HospitalDiffers(StoreError):
    """The hospital is already registered with another origin, partition count, rule pack or address."""

    def __init__(self, hospital: str) -> None:
        super().__init__(hospital)
        self.hospital = hospital


class ActorSourceTaken(StoreError):
    """The source names another actor of the register."""


class HospitalClosed(StoreError):
    """The hospital takes no more commands; its ledger stays readable."""

    def __init__(self, hospital: str) -> None:
        super().__init__(hospital)
        self.hospital = hospital


class LogEnded(StoreError):
    """The log under whose origin this was sealed has ended; the same command may be sent again, under the new one."""

    def __init__(self, hospital: str) -> None:
        super().__init__(hospital)
        self.hospital = hospital


class SchemaVersionUnsupported(StoreError):
    """The hospital's schema is older or newer than this server serves; other hospitals are served."""

    def __init__(self, hospital: str, schema_version: int) -> None:
        super().__init__(hospital, schema_version)
        self.hospital = hospital
        self.schema_version = schema_version


class NotDurable(StoreError):
    """PostgreSQL runs with a setting under which an acknowledged event can be lost."""

    def __init__(self, setting: str, value: str) -> None:
        super().__init__(setting, value)
        self.setting = setting
        self.value = value


class SlowDriver(StoreError):
    """psycopg runs in its pure-Python build; install psycopg[binary] or psycopg[c]."""


class MigrationBlocked(StoreError):
    """A schema stayed locked by others for longer than all attempts."""

    def __init__(self, schema: str) -> None:
        super().__init__(schema)
        self.schema = schema
