"""What a domain needs to join a mesh over Flower: one small file, no secret in it.

Whoever runs the SuperLink gives it to the domains; a domain that starts its node with
it accepts that whoever holds the caller's key may ask, within the domain's policy.
"""

import json
import re
from pathlib import Path
from typing import Annotated, Literal

from cryptography.x509 import load_pem_x509_certificate
from pydantic import AfterValidator, Field

from fl_plugin.errors import StorageError, UsageError
from fl_plugin.flower.places import write
from fl_plugin.manifest.contract import ContractBlock
from fl_plugin.manifest.validation import validated
from fl_plugin.manifest.words import PublicKey

_LARGEST = 20_000
_HOST = r"[A-Za-z0-9:][A-Za-z0-9.:-]{0,252}"


def _certificate(text: str) -> str:
    load_pem_x509_certificate(text.encode())
    return text


class Invitation(ContractBlock):
    """The words of an invitation.

    Args:
        host: Where the gate of the SuperLink is.
        port: Its port.
        authority: The certificate of the mesh's authority, PEM.
        caller: The key that signs what the coordinator asks.
        software: The version that both sides must run.
    """

    version: Literal[1] = 1
    host: Annotated[str, Field(pattern=rf"^{_HOST}\z")]
    port: Annotated[int, Field(ge=1, le=65_535)]
    authority: Annotated[str, Field(max_length=_LARGEST), AfterValidator(_certificate)]
    caller: PublicKey
    software: Annotated[str, Field(max_length=64)]


def check_host(host: str) -> None:
    """Refuse a name that no node could call.

    Raises:
        UsageError: It is no name or address of a machine.
    """
    if not re.fullmatch(_HOST, host):
        raise UsageError(
            "That is no name or address of a machine.",
            remedy="Name this machine as nodes call it: --host mesh.bank.example",
        )


def write_invitation(file: Path, invitation: Invitation) -> None:
    """Write an invitation.

    Raises:
        StorageError: The file cannot be written.
    """
    write(file, invitation.model_dump_json(indent=1).encode() + b"\n")


def read_invitation(file: Path) -> Invitation:
    """Return the invitation in a file.

    Raises:
        StorageError: It cannot be read.
        ContractError: It is not valid.
    """
    try:
        with file.open("rb") as opened:
            raw = json.loads(opened.read(_LARGEST))
    except (OSError, ValueError, RecursionError):
        raise StorageError(
            f"{file.name} holds no invitation that can be read.",
            remedy="Ask whoever runs the SuperLink for flower/invitation.json; "
            "fl flower up writes it.",
        ) from None
    return validated(Invitation, raw, file.name)
