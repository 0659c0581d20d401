"""Checks the signature of a GitHub App's JSON Web Token (RS256) with nothing but arithmetic.

The stand-in verifies only; it never holds a private key, so no library of cryptography is needed for it.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

#: DigestInfo of SHA-256 in PKCS #1 v1.5 (RFC 8017, 9.2).
_SHA256 = bytes.fromhex("3031300d060960864801650304020105000420")


def claims(token: str, public_key: str, now: float) -> dict[str, Any] | None:
    """The claims of a token that the key signed and that is valid now, or None.

    As GitHub: `exp` at most ten minutes ahead, `iat` not in the future (one minute of skew is forgiven).
    """
    try:
        head, body, signature = token.split(".")
        good = json.loads(_decode(head)).get("alg") == "RS256"
        found: dict[str, Any] = json.loads(_decode(body))
        in_time = now < float(found["exp"]) <= now + 660 and float(found["iat"]) <= now + 60
        signed = _signed(f"{head}.{body}".encode(), _decode(signature), public_key)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return found if good and in_time and signed else None


def issuer(token: str) -> str:
    """Who says to have signed it; empty where it is no token."""
    try:
        return str(json.loads(_decode(token.split(".")[1]))["iss"])
    except (ValueError, KeyError, IndexError, TypeError):
        return ""


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _signed(data: bytes, signature: bytes, public_key: str) -> bool:
    modulus, exponent = _numbers(public_key)
    size = (modulus.bit_length() + 7) // 8
    digest = _SHA256 + hashlib.sha256(data).digest()
    wanted = b"\x00\x01" + b"\xff" * (size - len(digest) - 3) + b"\x00" + digest
    return pow(int.from_bytes(signature, "big"), exponent, modulus).to_bytes(size, "big") == wanted


def _numbers(pem: str) -> tuple[int, int]:
    lines = [line for line in pem.strip().splitlines() if not line.startswith("-----")]
    data = base64.b64decode("".join(lines))
    if "RSA PUBLIC KEY" not in pem:  # SubjectPublicKeyInfo: the key sits in a bit string
        _, outer = _der(data)[0]
        _, bits = _der(outer)[1]
        data = bits[1:]
    _, pair = _der(data)[0]
    (_, modulus), (_, exponent) = _der(pair)
    return int.from_bytes(modulus, "big"), int.from_bytes(exponent, "big")


def _der(data: bytes) -> list[tuple[int, bytes]]:
    parts, at = [], 0
    while at < len(data):
        tag, size, at = data[at], data[at + 1], at + 2
        if size & 0x80:
            width = size & 0x7F
            size, at = int.from_bytes(data[at : at + width], "big"), at + width
        parts.append((tag, data[at : at + size]))
        at += size
    return parts
