"""Every error this package raises on purpose: what happened, what to do, its exit code.

Messages carry names (domain, product, column, rule), never data values: an error may
travel to another party.
"""

from typing import Self


class MeshError(Exception):
    """Base class; `remedy` is the sentence that tells the reader what to do.

    Args:
        problem: What happened, naming the domain and the product or file.
        remedy: What the reader can do about it, or whom to ask.
    """

    exit_code = 1
    code = "error"

    # Whether it passes: a run that it has interrupted can go on.
    passes = False
    # Whose fault it was, where it was a domain's.
    domains: tuple[str, ...] = ()

    def __init__(self, problem: str, *, remedy: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy

    def at(self, *domains: str) -> Self:
        """Return this error, said to be the fault of these domains."""
        self.domains = domains
        return self


class UsageError(MeshError):
    """The command names something that does not exist (study, product, model)."""

    exit_code = 2
    code = "usage"


class PolicyError(MeshError):
    """A domain's policy forbids this run; `reason` is the stable reason code."""

    exit_code = 3
    code = "refused"

    def __init__(
        self, problem: str, *, remedy: str, reason: str = "refused", domain: str = ""
    ) -> None:
        super().__init__(problem, remedy=remedy)
        self.domains = (domain,) if domain else ()
        self.reason = reason
        self.domain = domain


class ContractError(MeshError):
    """A contract, grant, study or policy file is not valid."""

    exit_code = 4
    code = "contract"


class BuildError(MeshError):
    """A domain is not built, or its artifacts do not fit its table."""

    exit_code = 5
    code = "build"


class StorageError(MeshError):
    """A database or file is missing, locked, corrupt or cannot be written."""

    passes = True  # a disk is not full, and a file not locked, for ever
    exit_code = 6
    code = "storage"


class LedgerError(MeshError):
    """A ledger's chain is broken, or a record could not be written."""

    exit_code = 7
    code = "ledger"


class MessageError(MeshError):
    """A message between parties is malformed, too large or out of order."""

    exit_code = 8
    code = "message"


class TrainingError(MeshError):
    """The numbers do not allow an answer: no convergence, one class only, overflow."""

    exit_code = 9
    code = "training"


class RegistryError(MeshError):
    """A model folder is missing, altered or unsafe to load."""

    exit_code = 10
    code = "registry"


class RegistryHeldError(RegistryError):
    """Another process holds the study's place for longer than it was waited for."""

    passes = True


class UnreachableError(MeshError):
    """A domain's party did not answer in time, or what leads to it does not run."""

    passes = True
    exit_code = 11
    code = "unreachable"
