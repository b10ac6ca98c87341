"""The kinds of word and number that a contract is made of."""

import re
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from fl_plugin.errors import ContractError

# These become folders, file names and table keys; none may pass for an option.
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_][a-z0-9_-]{0,63}\z")]
Names = Annotated[tuple[Name, ...], Field(max_length=1000)]
SomeNames = Annotated[tuple[Name, ...], Field(min_length=1, max_length=1000)]
ProductName = Annotated[
    str,
    StringConstraints(
        pattern=r"^[a-z0-9_][a-z0-9_-]{0,63}\.[a-z0-9_][a-z0-9_-]{0,63}\z"
    ),
]
# SQL's plain identifiers; quoted all the same wherever they meet SQL.
ColumnName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}\z")
]
Person = Annotated[str, StringConstraints(pattern=r"^[^\s@]{1,64}@[^\s@]{1,190}\z")]
Fingerprint = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}\z")]
PublicKey = Annotated[str, StringConstraints(pattern=r"^ed25519:[A-Za-z0-9+/]{43}=\z")]
Signature = Annotated[str, StringConstraints(pattern=r"^ed25519:[A-Za-z0-9+/]{86}==\z")]
# One line: a comment could hide what follows it, a brace is for Jinja.
FilterText = Annotated[
    str, StringConstraints(pattern=r"^[^;{}\x00-\x1f\x7f]{1,2000}\z")
]
# Layers of a network: "64,32", or "" for none.
Units = Annotated[
    str, StringConstraints(pattern=r"^([0-9]{1,5}( ?, ?[0-9]{1,5}){0,15})?\z")
]
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1, le=1_000_000_000)]
Days = Annotated[int, Field(ge=1, le=36_500)]
Attributes = dict[Name, SomeNames]
Classification = Literal["public", "internal", "confidential", "restricted"]

_PATH_NAME = re.compile(r"[a-z0-9_][a-z0-9_-]{0,63}")


def check_name(name: str, where: str) -> None:
    """Refuse a name that could not become a folder or a file.

    Raises:
        ContractError: It is not made of a-z, 0-9, _ and -, begins with -, or is
            longer than 64.
    """
    if not _PATH_NAME.fullmatch(name):
        raise ContractError(
            f"{where}: the name is not made of a-z, 0-9, _ and - (at most 64).",
            remedy="Rename it; names become folders and files.",
        )
