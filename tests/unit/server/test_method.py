"""The methods as the contract's descriptors have them."""

from ledger.server.method import Shape, commands_by_request, methods


def test_every_method_is_found_with_its_shape() -> None:
    """Nothing of the contract is left unserved for want of a line in a list."""
    found = {each.rpc: each for each in methods()}
    assert found["ledger.api.v1.RecordService/GetRecord"].shape is Shape.UNARY
    assert found["ledger.api.v1.StreamService/ReadHospital"].shape is Shape.SERVER_STREAM
    assert found["ledger.api.v1.RecordService/BulkLoad"].shape is Shape.CLIENT_STREAM
    assert {each.service for each in found.values()} == {
        "ArchiveService",
        "BoardService",
        "CourseService",
        "DisposalService",
        "HospitalService",
        "IdentityService",
        "KeepingService",
        "KeyService",
        "OperationsService",
        "PatientService",
        "ProofService",
        "PurgeService",
        "RecordService",
        "RulebookService",
        "StreamService",
        "TransferService",
        "UsageService",
    }


def test_commands_are_known_by_their_context() -> None:
    """A request with a CommandContext is executed by the ledger, every other is read or registered."""
    commands = commands_by_request()
    assert commands["ledger.api.v1.StartCareRequest"].rpc == "ledger.api.v1.RecordService/StartCare"
    assert "ledger.api.v1.RegisterActorRequest" not in commands
    assert "ledger.api.v1.FetchPackageRequest" not in commands
