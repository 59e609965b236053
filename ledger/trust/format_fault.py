"""What is wrong with bytes of the transparency log's formats: each error names faults, never content."""


class FormatFault(Exception):
    """These bytes are not what they claim to be."""

    def __init__(self, *faults: str) -> None:
        super().__init__(f"{type(self).__doc__} {'; '.join(faults)}")
        self.faults = faults


class TileFault(FormatFault):
    """Not a tile of this tree:"""


class BundleFault(FormatFault):
    """Not a bundle of entries or bodies:"""


class NoteFault(FormatFault):
    """Not a signed note:"""


class KeyFault(FormatFault):
    """Not a note key:"""


class CheckpointFault(FormatFault):
    """Not a checkpoint:"""


class SignatureFault(FormatFault):
    """The note is not signed as it must be:"""


class PolicyFault(FormatFault):
    """Not a policy:"""


class QuorumMissing(FormatFault):
    """Too few witnesses have cosigned:"""


class ProofFault(FormatFault):
    """The proof does not hold:"""


class WitnessRequestFault(FormatFault):
    """Not an add-checkpoint request:"""


class MapFault(FormatFault):
    """Not a record map:"""


class BucketFull(MapFault):
    """Too many records for map version 1; version 2 has buckets of 24 bits:"""


class AuditFault(FormatFault):
    """Not a map audit:"""


class EndedFault(FormatFault):
    """Not the end of a log:"""


class KeyPeriodFault(FormatFault):
    """Not a line of a key register:"""


class PackFormFault(FormatFault):
    """Not a proof pack:"""
