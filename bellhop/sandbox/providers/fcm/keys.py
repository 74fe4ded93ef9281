"""RSA keys that are the same in each process that knows the secret: what no library makes from a seed.

For the sandbox only: such a key is as secret as the secret.
"""

from __future__ import annotations

from functools import cache

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bellhop.sandbox.accounts import digest

EXPONENT = 65_537
_BITS = 1_024
_SPAN = 1 << 14
"""Odd numbers looked at from a starting point on: there are about twenty primes of that size among them."""


@cache
def private_key(secret: str, phrase: str) -> rsa.RSAPrivateKey:
    """2,048 bits; takes about half a second, once a process."""
    p, q = _prime(secret, f"{phrase} p"), _prime(secret, f"{phrase} q")
    d = pow(EXPONENT, -1, (p - 1) * (q - 1))
    numbers = rsa.RSAPrivateNumbers(
        p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), rsa.RSAPublicNumbers(EXPONENT, p * q)
    )
    return numbers.private_key()


def pem(key: rsa.RSAPrivateKey) -> str:
    """As it stands in a service account's file."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@cache
def _small() -> tuple[int, ...]:
    return tuple(n for n in range(3, 10_000, 2) if all(n % d for d in range(3, int(n**0.5) + 1, 2)))


def _prime(secret: str, phrase: str) -> int:
    """The first probable prime after a number made of the secret, with its two highest bits set."""
    made = b"".join(digest(secret, f"{phrase} {part}") for part in range(_BITS // 256))
    start = int.from_bytes(made, "big") | (3 << (_BITS - 2)) | 1
    composite = bytearray(_SPAN)
    for small in _small():
        first = -start * pow(2, -1, small) % small
        composite[first::small] = b"\1" * len(range(first, _SPAN, small))
    for step in range(_SPAN):
        number = start + 2 * step
        if not composite[step] and number % EXPONENT != 1 and pow(2, number - 1, number) == 1:
            return number
    raise AssertionError("no prime among so many numbers")
