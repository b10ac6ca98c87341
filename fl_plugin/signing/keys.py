"""Ed25519 keys: made, kept in a file of their owner's alone, shown as one word.

A public key is written "ed25519:" and 32 bytes in base64, as it stands in
`principals.yml`; a private key is a PEM file that nobody else may read. RFC 8032.
"""

import base64
import binascii
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from fl_plugin.errors import StorageError, UsageError
from fl_plugin.files import create

PREFIX = "ed25519:"
_OTHERS = 0o077
_LARGEST_FILE = 10_000
_PUBLIC = re.compile(r"ed25519:[A-Za-z0-9+/]{43}=\Z")
_SIGNATURE = re.compile(r"ed25519:[A-Za-z0-9+/]{86}==\Z")


@dataclass(frozen=True, repr=False)
class SigningKey:
    """A private key. Its text form says nothing of it."""

    _key: Ed25519PrivateKey

    @property
    def public(self) -> str:
        """The public half, for `principals.yml`."""
        return (
            PREFIX
            + base64.b64encode(self._key.public_key().public_bytes_raw()).decode()
        )

    def sign(self, message: bytes) -> str:
        """Return "ed25519:" and the 64 bytes of the signature in base64."""
        return PREFIX + base64.b64encode(self._key.sign(message)).decode()


def create_key(path: Path) -> SigningKey:
    """Make a key and write it to a new file that only its owner may read.

    Raises:
        UsageError: The file exists: a key is never overwritten.
        StorageError: It cannot be written.
    """
    key = Ed25519PrivateKey.generate()
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        create(path, text)
    except FileExistsError:
        raise UsageError(
            f"{path.name} exists already, and a key is never overwritten.",
            remedy="Name another file.",
        ) from None
    except OSError:
        raise StorageError(
            f"The key {path.name} cannot be written.",
            remedy="Name a file in a folder that exists and can be written.",
        ) from None
    return SigningKey(key)


def load_key(path: Path) -> SigningKey:
    """Return the key in a file.

    Raises:
        StorageError: It is missing, no Ed25519 key, or others may read it.
    """
    try:
        with path.open("rb") as file:
            open_to_others = os.fstat(file.fileno()).st_mode & _OTHERS
            text = file.read(_LARGEST_FILE)
    except OSError:
        raise StorageError(
            f"The key {path.name} cannot be read.",
            remedy="Make one: fl access keygen FILE",
        ) from None
    if open_to_others:
        raise StorageError(
            f"Others may read the key {path.name}.",
            remedy=f"Keep it to yourself: chmod 600 {path.name}",
        )
    try:
        key = load_pem_private_key(text, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise StorageError(
            f"{path.name} holds no Ed25519 key.",
            remedy="Make one: fl access keygen FILE",
        )
    return SigningKey(key)


def is_public_key(text: object) -> TypeGuard[str]:
    """Return whether a word is a public key, as it stands in `principals.yml`."""
    return isinstance(text, str) and _PUBLIC.match(text) is not None


def is_signed(public: str, message: bytes, signature: str) -> bool:
    """Return whether the owner of a public key has signed this message."""
    if not _PUBLIC.match(public) or not _SIGNATURE.match(signature):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(_bytes(public)).verify(
            _bytes(signature), message
        )
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True


def _bytes(text: str) -> bytes:
    return base64.b64decode(text.removeprefix(PREFIX), validate=True)
