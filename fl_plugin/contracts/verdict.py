"""What a change of a contract amounts to, and the exit code that says so."""

from collections.abc import Iterable
from typing import Literal, get_args

Verdict = Literal["safe", "tightened", "review", "breaking", "loosened"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)  # from harmless to grave
# Not this program's usual codes: a policy diff answers with 1 and 2, so that CI can
# tell what breaks consumers from what opens data.
EXIT_CODES: dict[Verdict, int] = {"breaking": 1, "loosened": 2}


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the gravest verdict; "safe" where there is none."""
    return max(verdicts, key=VERDICTS.index, default="safe")


def exit_code(verdict: Verdict) -> int:
    """Return 1 for breaking, 2 for loosened, else 0."""
    return EXIT_CODES.get(verdict, 0)
