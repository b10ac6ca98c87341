"""The words of a study about its rounds: who is waited for, and how long."""

from typing import Annotated

from pydantic import Field

from fl_plugin.manifest.contract import ContractBlock

LONGEST_DEADLINE = 86_400  # seconds: a day


class RoundsPlan(ContractBlock):
    """How long a round waits for a domain, and how many domains it needs.

    Args:
        deadline_seconds: Within which every domain has to answer, its node's restarts
            included; who has not is named as absent.
        quorum: Under `on_dropout: recover`, how many domains are left at least where
            the run goes on; None for as many as the masks need.
    """

    deadline_seconds: Annotated[int, Field(ge=1, le=LONGEST_DEADLINE)] = 300
    quorum: Annotated[int, Field(ge=3, le=1_000)] | None = None


USUAL = RoundsPlan()
