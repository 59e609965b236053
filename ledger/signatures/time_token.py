"""A time token (RFC 3161): a time authority's word that a signature existed at a time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509

from ledger.signatures import object_ids as oid
from ledger.signatures.cms import CmsFault, SignedData, parse_signed_data
from ledger.signatures.der import GENERALIZED_TIME, OCTETS, SEQUENCE, DerFault, integer, only, parts
from ledger.signatures.signature_value import digest_of, signature_rules

_TIME = re.compile(rb"(\d{14})(?:\.(\d{0,5}[1-9]))?Z")


class TokenFault(ValueError):
    """Not a time token that can be read."""


@dataclass(frozen=True, slots=True)
class TimeToken:
    """A time token, read but not believed."""

    signed: SignedData
    content: bytes
    digest: bytes
    """Object id of the digest's algorithm."""
    imprint: bytes
    """The digest of what the token is for."""
    at: datetime
    authority: x509.Certificate


def parse_time_token(data: bytes) -> TimeToken:
    """Raises TokenFault."""
    try:
        signed = parse_signed_data(data)
        authority = signed.signers_certificate
        if signed.content_type != oid.TIME_STAMP_INFO or signed.content is None or authority is None:
            raise TokenFault
        version, _, imprint, _, at, *_ = parts(only(signed.content, SEQUENCE), SEQUENCE)
        algorithm, digest = parts(imprint, SEQUENCE)
        if integer(version) != 1 or at.tag != GENERALIZED_TIME or digest.tag != OCTETS:
            raise TokenFault
        kind, *_ = parts(algorithm, SEQUENCE)
        return TimeToken(signed, signed.content, kind.content, digest.content, _time(at.content), authority)
    except (CmsFault, DerFault, ValueError) as error:
        raise TokenFault from error


def token_rules(token: TimeToken, signature: bytes) -> list[str]:
    """What is against the token as one for that signature, whoever its authority is."""
    of_signature = digest_of(token.digest, signature) == token.imprint
    sound = not signature_rules(token.signed, token.content, token.authority)
    return [
        *([] if of_signature else ["TIME_TOKEN_OF_OTHER_SIGNATURE"]),
        *([] if sound else ["TIME_TOKEN_INVALID"]),
    ]


def _time(text: bytes) -> datetime:
    found = _TIME.fullmatch(text)
    if found is None:
        raise TokenFault
    whole = datetime.strptime(found[1].decode("ascii"), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    return whole + timedelta(microseconds=int((found[2] or b"0").ljust(6, b"0")))
