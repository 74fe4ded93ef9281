"""The certificate authority of one installation's sandbox, derived from its secret as its accounts are: both sides know
it without a call or a file, and a client of another make is given what `python -m bellhop.sandbox --ca` prints."""

from __future__ import annotations

import ipaddress
import ssl
import tempfile
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bellhop.sandbox.accounts import digest

# Fixed, so that each process makes the same certificate, byte for byte.
_SINCE, _UNTIL = datetime(2025, 1, 1, tzinfo=UTC), datetime(2049, 1, 1, tzinfo=UTC)
_LEAF_DAYS = 397
"""The longest that clients of any make take a server's certificate for."""


@cache
def _key(secret: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(digest(secret, "authority")) >> 1, ec.SECP256R1())


def _name(words: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, words)])


def _issuer(secret: str) -> x509.Name:
    return _name(f"Bellhop sandbox {digest(secret, 'authority name').hex()[:12]}")


@cache
def certificate(secret: str) -> str:
    """The authority's own certificate, as PEM."""
    public = _key(secret).public_key()
    built = (
        x509.CertificateBuilder(_issuer(secret), _issuer(secret), public)
        .serial_number(int.from_bytes(digest(secret, "authority serial")[:16]) >> 1)
        .not_valid_before(_SINCE)
        .not_valid_after(_UNTIL)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )
    signed = built.sign(_key(secret), hashes.SHA256(), ecdsa_deterministic=True)
    return signed.public_bytes(Encoding.PEM).decode()


def server_context(secret: str, names: Collection[str]) -> ssl.SSLContext:
    """What a server presents that is reached by these names and addresses; it speaks HTTP/2 and nothing else."""
    own, today = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    built = (
        x509.CertificateBuilder(_issuer(secret), _name("sandbox"), own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=_LEAF_DAYS - 1))
        .add_extension(x509.SubjectAlternativeName([_alternative(name) for name in sorted(set(names))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(_key(secret).public_key()), critical=False)
    )
    signed = built.sign(_key(secret), hashes.SHA256())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["h2"])
    # It is read from a file only; a temporary one is its owner's alone.
    with tempfile.NamedTemporaryFile() as file:
        file.write(signed.public_bytes(Encoding.PEM))
        file.write(own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        file.flush()
        context.load_cert_chain(file.name)
    return context


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )
