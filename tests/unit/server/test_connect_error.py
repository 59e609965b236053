"""Errors of the Connect protocol."""

from connectrpc.code import Code
from google.rpc import code_pb2
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from ledger.server.connect_error import connect_error


def test_every_status_code_has_a_connect_code() -> None:
    """The two protocols name the same codes; `cancelled` is spelled differently."""
    numbers = [each for each in code_pb2.Code.values() if each != code_pb2.OK]
    assert {connect_error(Status(code=each)).code for each in numbers} == set(Code)


def test_a_detail_is_the_same_bytes_and_readable() -> None:
    """A program takes the bytes, a person with curl reads the JSON beside them."""
    info = ErrorInfo(reason="VERSION_MISMATCH", domain="ledger", metadata={"expected": "3"})
    status = Status(code=code_pb2.ABORTED, message="no")
    status.details.add().Pack(info)
    (detail,) = connect_error(status).details
    assert detail.type_name == "google.rpc.ErrorInfo"
    assert ErrorInfo.FromString(detail.message_bytes) == info
    shown = detail.value()
    assert shown is not None
    assert '"reason":"VERSION_MISMATCH"' in shown.to_json().replace(" ", "")
