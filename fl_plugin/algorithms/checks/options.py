"""Checks of an algorithm's options, made before a study is planned."""

from collections.abc import Sequence

from fl_plugin.errors import ContractError

HIGHEST = 1e300


def within(algorithm: str, name: str, value: float, ends: tuple[float, float]) -> None:
    """Check that a number lies between two ends, both allowed.

    Raises:
        ContractError: It does not, or is no number.
    """
    if not ends[0] <= value <= ends[1]:
        raise _outside(algorithm, name, f"between {ends[0]:g} and {ends[1]:g}")


def at_least(algorithm: str, name: str, value: float, least: float) -> None:
    """Check that a finite number is no less than `least`.

    Raises:
        ContractError: It is less, infinite, or no number.
    """
    if not least <= value <= HIGHEST:
        raise _outside(algorithm, name, f"at least {least:g}")


def positive(algorithm: str, name: str, value: float) -> None:
    """Check that a finite number is above 0.

    Raises:
        ContractError: It is not, infinite, or no number.
    """
    if not 0.0 < value <= HIGHEST:
        raise _outside(algorithm, name, "above 0")


def one_of(algorithm: str, name: str, value: str, words: Sequence[str]) -> None:
    """Check that a word is one of a few.

    Raises:
        ContractError: It is another.
    """
    if value not in words:
        raise _outside(algorithm, name, f"one of {', '.join(words)}")


def _outside(algorithm: str, name: str, allowed: str) -> ContractError:
    return ContractError(
        f"{name} of {algorithm} must be {allowed}.",
        remedy=f"Correct the study; see `fl algorithms show {algorithm}`.",
    )
