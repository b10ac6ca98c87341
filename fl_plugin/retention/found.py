"""Something whose time is over, and why."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["intermediate", "log", "model", "outbox", "published"]


@dataclass(frozen=True, kw_only=True)
class Expired:
    """One thing to remove.

    Args:
        path: From the mesh's folder.
        why: A sentence.
        domains: In whose ledgers it is recorded.
        study: Of a model, with `version` and the `run` that trained it.
    """

    kind: Kind
    path: Path
    why: str
    domains: tuple[str, ...] = ()
    study: str = ""
    version: int | None = None
    run: str = ""
