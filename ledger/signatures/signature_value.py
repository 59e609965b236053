"""Whether the signer of a SignedData signed these bytes with the key of this certificate."""

from __future__ import annotations

from hashlib import sha256, sha384, sha512

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import Certificate

from ledger.signatures import object_ids as oid
from ledger.signatures.cms import SignedData, Signer
from ledger.signatures.der import OCTETS, OID

_DIGESTS = {oid.SHA256: sha256, oid.SHA384: sha384, oid.SHA512: sha512}
_HASHES: dict[bytes, hashes.HashAlgorithm] = {
    oid.SHA256: hashes.SHA256(),
    oid.SHA384: hashes.SHA384(),
    oid.SHA512: hashes.SHA512(),
}


def digest_of(algorithm: bytes, data: bytes) -> bytes | None:
    """The digest by SHA-256, SHA-384 or SHA-512; None for any other algorithm."""
    found = _DIGESTS.get(algorithm)
    return None if found is None else found(data).digest()


def signature_rules(signed: SignedData, content: bytes, certificate: Certificate) -> list[str]:
    """What is against the signature; nothing = it is over exactly `content`, by the key of that certificate."""
    signer, rules = signed.signer, list[str]()
    digest = digest_of(signer.digest, content)
    if digest is None:
        return ["ALGORITHM_NOT_SUPPORTED"]
    if _one(signer, oid.MESSAGE_DIGEST, OCTETS) != digest:
        rules.append("OTHER_CONTENT")
    if _one(signer, oid.CONTENT_TYPE, OID) != signed.content_type:
        rules.append("OTHER_CONTENT_TYPE")
    if (rule := _key_rule(signer, certificate)) is not None:
        rules.append(rule)
    return rules


def _one(signer: Signer, attribute: bytes, tag: int) -> bytes | None:
    """The one value of a signed attribute."""
    found = signer.signed.get(attribute, [])
    return found[0].content if len(found) == 1 and found[0].tag == tag else None


def _key_rule(signer: Signer, certificate: Certificate) -> str | None:
    chosen = _HASHES[signer.digest]
    try:
        key = certificate.public_key()
        match key:
            case rsa.RSAPublicKey() if signer.algorithm == oid.RSA_PSS:
                # Other parameters than these are parameters under which it does not verify.
                scheme = padding.PSS(padding.MGF1(chosen), padding.PSS.AUTO)
                key.verify(signer.signature, signer.attributes, scheme, chosen)
            case rsa.RSAPublicKey() if oid.RSA_WITH.get(signer.algorithm, signer.digest) == signer.digest and (
                signer.algorithm == oid.RSA or signer.algorithm in oid.RSA_WITH
            ):
                key.verify(signer.signature, signer.attributes, padding.PKCS1v15(), chosen)
            case ec.EllipticCurvePublicKey() if oid.ECDSA_WITH.get(signer.algorithm) == signer.digest:
                key.verify(signer.signature, signer.attributes, ec.ECDSA(chosen))
            case _:
                return "ALGORITHM_NOT_SUPPORTED"
    except InvalidSignature:
        return "SIGNATURE_INVALID"
    except (UnsupportedAlgorithm, ValueError):
        return "ALGORITHM_NOT_SUPPORTED"
    return None
