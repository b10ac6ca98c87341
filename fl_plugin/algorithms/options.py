"""Checks of an algorithm's parameters, made before a study is planned."""

from collections.abc import Sequence

from fl_plugin.errors import ContractError


def within(algorithm: str, name: str, value: float, ends: tuple[float, float]) -> None:
    """Check that a number lies between two ends, both allowed.

    Raises:
        ContractError: It does not, or is no number.
    """
    if not ends[0] <= value <= ends[1]:
        raise ContractError(
            f"{name} of {algorithm} must be between {ends[0]:g} and {ends[1]:g}.",
            remedy=f"See `fl algorithms show {algorithm}`.",
        )


def one_of(algorithm: str, name: str, value: str, words: Sequence[str]) -> None:
    """Check that a word is one of a few.

    Raises:
        ContractError: It is another.
    """
    if value not in words:
        raise ContractError(
            f"{name} of {algorithm} must be one of {', '.join(words)}.",
            remedy=f"See `fl algorithms show {algorithm}`.",
        )
