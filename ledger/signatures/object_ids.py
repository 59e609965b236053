"""The object identifiers that a signature may name, as the content of their DER."""

SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
DATA = bytes.fromhex("2a864886f70d010701")
TIME_STAMP_INFO = bytes.fromhex("2a864886f70d0109100104")
"""id-ct-TSTInfo of RFC 3161."""

CONTENT_TYPE = bytes.fromhex("2a864886f70d010903")
MESSAGE_DIGEST = bytes.fromhex("2a864886f70d010904")
TIME_STAMP_TOKEN = bytes.fromhex("2a864886f70d010910020e")
"""id-aa-timeStampToken: over the signature's value, among its unsigned attributes."""
OCSP_RESPONSE = bytes.fromhex("2b06010505071002")
"""id-ri-ocsp-response of RFC 5940."""

SHA256 = bytes.fromhex("608648016503040201")
SHA384 = bytes.fromhex("608648016503040202")
SHA512 = bytes.fromhex("608648016503040203")

RSA = bytes.fromhex("2a864886f70d010101")
RSA_PSS = bytes.fromhex("2a864886f70d01010a")
RSA_WITH = {
    bytes.fromhex("2a864886f70d01010b"): SHA256,
    bytes.fromhex("2a864886f70d01010c"): SHA384,
    bytes.fromhex("2a864886f70d01010d"): SHA512,
}
ECDSA_WITH = {
    bytes.fromhex("2a8648ce3d040302"): SHA256,
    bytes.fromhex("2a8648ce3d040303"): SHA384,
    bytes.fromhex("2a8648ce3d040304"): SHA512,
}
