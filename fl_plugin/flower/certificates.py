"""Certificates: an authority for the SuperLink, one that each node makes for itself.

A node trusts whatever the mesh's authority has signed. The SuperLink's machine trusts
the very certificates that were admitted, each for one domain: no authority can make
another node that passes for it. RFC 5280; keys are ECDSA on P-384, which Flower's
node authentication takes too.
"""

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from fl_plugin.errors import StorageError, UsageError
from fl_plugin.files import PRIVATE
from fl_plugin.flower.places import write

AUTHORITY_DAYS, SERVER_DAYS, NODE_DAYS = 3_650, 397, 730
RENEW_DAYS = 30
_LARGEST = 20_000
_BACKDATED = timedelta(minutes=5)  # clocks of two machines differ a little


def make_authority(file: Path) -> None:
    """Make a mesh's authority where there is none.

    Args:
        file: Of its certificate; the key comes beside it.

    Raises:
        StorageError: A file cannot be written.
    """
    if file.exists():
        return
    key = ec.generate_private_key(ec.SECP384R1())
    name = _name("data mesh authority")
    made = _begun(name, name, key.public_key(), AUTHORITY_DAYS)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=0), True)  # noqa: FBT003
    made = made.add_extension(_usage(signs=True), True)  # noqa: FBT003
    _write(file, made.sign(key, hashes.SHA384()), key)


def make_server(file: Path, authority: Path, hosts: tuple[str, ...]) -> None:
    """Make the SuperLink's certificate, again where it ends soon or lacks a host.

    Args:
        file: Of the certificate; the key comes beside it.
        authority: The certificate of the mesh's authority.
        hosts: Names and addresses under which nodes reach it.

    Raises:
        StorageError: A file cannot be read or written.
    """
    names = sorted({*hosts, "localhost", "127.0.0.1"})
    if file.exists() and _serves(load_certificate(file), names):
        return
    signer, signing_key = load_certificate(authority), load_key(authority)
    key = ec.generate_private_key(ec.SECP384R1())
    made = _begun(_name(names[0]), signer.subject, key.public_key(), SERVER_DAYS)
    for extension, critical in (
        (x509.SubjectAlternativeName([_host(n) for n in names]), False),
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_usage(signs=False), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (
            x509.AuthorityKeyIdentifier.from_issuer_public_key(
                signing_key.public_key()
            ),
            False,
        ),
    ):
        made = made.add_extension(extension, critical)
    _write(file, made.sign(signing_key, hashes.SHA384()), key)


def make_node(file: Path, domain: str) -> None:
    """Make a node's certificate where there is none; it signs itself.

    Args:
        file: Of the certificate; the key comes beside it.
        domain: Which the node answers for.

    Raises:
        StorageError: A file cannot be written.
    """
    if file.exists():
        return
    key = ec.generate_private_key(ec.SECP384R1())
    made = _begun(_name(domain), _name(domain), key.public_key(), NODE_DAYS)
    for extension, critical in (
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_usage(signs=False), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False),
    ):
        made = made.add_extension(extension, critical)
    _write(file, made.sign(key, hashes.SHA384()), key)


def load_certificate(file: Path) -> x509.Certificate:
    """Return the certificate in a file.

    Raises:
        StorageError: It is missing or holds no certificate.
    """
    try:
        with file.open("rb") as opened:
            return x509.load_pem_x509_certificate(opened.read(_LARGEST))
    except (OSError, ValueError):
        raise StorageError(
            f"{file.name} holds no certificate that can be read.",
            remedy="Name another file, or restore it from a backup.",
        ) from None


def load_key(certificate: Path) -> ec.EllipticCurvePrivateKey:
    """Return the key that lies beside a certificate.

    Raises:
        StorageError: It is missing or no ECDSA key.
    """
    file = certificate.with_suffix(".key")
    try:
        found = load_pem_private_key(file.read_bytes(), password=None)
    except (OSError, ValueError, TypeError):
        found = None
    if not isinstance(found, ec.EllipticCurvePrivateKey):
        raise StorageError(
            f"{file.name} holds no key that can be read.",
            remedy="Restore it from a backup, with the certificate beside it.",
        )
    return found


def openssh(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return a key in the form that a SuperNode reads."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())


def public_pem(certificate: x509.Certificate) -> bytes:
    """Return a certificate's public key, as a SuperLink shows those of its nodes."""
    return certificate.public_key().public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )


def domain_of(certificate: x509.Certificate) -> str:
    """Return the domain whose node a certificate says to be.

    Raises:
        UsageError: It is none that a node makes, or it has ended.
    """
    found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    key = certificate.public_key()
    if len(found) != 1 or not isinstance(key, ec.EllipticCurvePublicKey):
        raise UsageError(
            "The file holds another certificate than a node's.",
            remedy="Ask the domain for flower/node.crt; its node makes it when it "
            "starts.",
        )
    if days_left(certificate) < 0:
        raise UsageError(
            "The certificate has ended.",
            remedy="Ask the domain to delete flower/node.crt and to start its node "
            "again: it makes a new one.",
        )
    return str(found[0].value)


def days_left(certificate: x509.Certificate) -> int:
    """Return how many days a certificate holds from today; below 0 once it ended."""
    return (certificate.not_valid_after_utc - datetime.now(UTC)).days


def _serves(certificate: x509.Certificate, names: list[str]) -> bool:
    known = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return days_left(certificate) >= RENEW_DAYS and set(map(_host, names)) <= set(
        known.value
    )


def _begun(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    days: int,
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(subject_name=subject, issuer_name=issuer)
    made = made.public_key(key).serial_number(x509.random_serial_number())
    made = made.not_valid_before(now - _BACKDATED)
    made = made.not_valid_after(now + timedelta(days=days))
    return made.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), False)  # noqa: FBT003


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _host(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _write(
    file: Path, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey
) -> None:
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    # The key first: a certificate without one would never be made again.
    write(file.with_suffix(".key"), text, mode=PRIVATE)
    write(file, certificate.public_bytes(Encoding.PEM))
