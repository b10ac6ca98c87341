"""Which node answers for which domain: the certificates that were admitted.

`flower/nodes/<domain>.crt` says it, and nothing else does: a file that is added lets a
node in, one that is removed shuts it out, while the SuperLink runs.
"""

from collections.abc import Mapping
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from fl_plugin.errors import UsageError
from fl_plugin.flower.certificates import domain_of, load_certificate
from fl_plugin.flower.places import LinkPlace, private_folder, write


def admitted(place: LinkPlace) -> Mapping[str, x509.Certificate]:
    """Return the certificate of each domain's node, by domain.

    Raises:
        StorageError: One cannot be read.
    """
    files = sorted(place.nodes.glob("*.crt"))
    return {file.stem: load_certificate(file) for file in files}


def pem_of(certificate: x509.Certificate) -> str:
    """Return a certificate as text."""
    return certificate.public_bytes(Encoding.PEM).decode()


def admit(place: LinkPlace, domain: str, file: Path) -> None:
    """Let a node answer for a domain, in place of the one that did.

    Args:
        place: Of the mesh.
        domain: Which domain.
        file: The certificate that the domain sent, by a way that shows whose it is.

    Raises:
        UsageError: It is no node's, another domain's, another node's, or has ended.
        StorageError: A file cannot be read or written.
    """
    certificate = load_certificate(file)
    said = domain_of(certificate)
    if said != domain:
        raise UsageError(
            f"This is not the certificate of a node of {domain}.",
            remedy=f"It says to be of {said[:64]!r}. Ask {domain} for its own "
            "flower/node.crt.",
        )
    key = certificate.public_key()
    for other, known in admitted(place).items():
        if other != domain and known.public_key() == key:
            raise UsageError(
                f"The node of {other} has the same key.",
                remedy="Each domain's node makes a key of its own: ask for that one.",
            )
    private_folder(place.nodes)
    write(place.nodes / f"{domain}.crt", pem_of(certificate).encode())


def dismiss(place: LinkPlace, domain: str) -> None:
    """Let no node answer for a domain.

    Raises:
        UsageError: None does.
    """
    try:
        (place.nodes / f"{domain}.crt").unlink()
    except OSError:
        raise UsageError(
            f"No node is admitted for {domain}.",
            remedy=f"Admitted: {', '.join(admitted(place)) or 'none'}.",
        ) from None
