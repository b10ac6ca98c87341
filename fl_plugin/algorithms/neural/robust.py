"""Means of which a few hostile parties cannot make what they like.

A mean follows any one of its parts wherever it goes. A trimmed mean and a median, each
coordinate by coordinate (Yin et al. 2018, arXiv:1803.01498), and Krum, which picks the
part that lies closest to the others (Blanchard et al. 2017, arXiv:1703.02757), do not.
All three must see every party's part, so masks cannot hide them, and all three count
parties, not rows: how many rows it has is what a hostile party would lie about.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from fl_plugin.errors import MessageError, TrainingError
from fl_plugin.summand import Arrays, Floats

Robust = Callable[[Floats, int], Floats]


def trimmed_mean(parts: Floats, hostile: int) -> Floats:
    """Return (d,), the mean of (n, d) without the `hostile` lowest and highest."""
    inner = np.sort(parts, axis=0)[hostile : len(parts) - hostile]
    return np.asarray(inner.mean(axis=0))


def median(parts: Floats, hostile: int) -> Floats:  # noqa: ARG001 (one signature)
    """Return (d,), the median of (n, d) in each coordinate."""
    return np.asarray(np.median(parts, axis=0))


def krum(parts: Floats, hostile: int) -> Floats:
    """Return the part whose n - hostile - 2 nearest others lie nearest, together."""
    apart = np.square(parts[:, None] - parts[None]).sum(axis=2)
    nearest = np.sort(apart, axis=1)[:, 1 : len(parts) - hostile - 1]
    return np.asarray(parts[int(nearest.sum(axis=1).argmin())])


RULES: Mapping[str, Robust] = {
    "trimmed_mean": trimmed_mean,
    "median": median,
    "krum": krum,
}
AGGREGATIONS = ("mean", *RULES)


def fewest_parties(rule: str, hostile: int) -> int:
    """Return how many parties a rule needs to stand this many hostile ones."""
    return 2 * hostile + (3 if rule == "krum" else 1)


def combined(parts: Sequence[Arrays], rule: str, hostile: int) -> Arrays:
    """Return the parts' robust mean, as if it were the sum over a single row.

    Args:
        parts: Of each party: `rows` (1,), and sums over its rows.
        rule: One of `RULES`.
        hostile: How many parties may be hostile.

    Raises:
        TrainingError: There are too few parties for so many hostile ones.
        MessageError: A part is misshapen, not finite or of no rows.
    """
    fewest = fewest_parties(rule, hostile)
    if len(parts) < fewest:
        raise TrainingError(
            f"A {rule} that stands {hostile} hostile parties needs {fewest} parties.",
            remedy="Let more domains take part, or lower `hostile` in the study.",
        )
    _check(parts)
    robust = RULES[rule]
    rows = [float(part["rows"][0]) for part in parts]
    found: dict[str, Floats] = {"rows": np.ones(1)}
    for name in parts[0].keys() - {"rows"}:
        means = [p[name] / n for p, n in zip(parts, rows, strict=True)]
        found[name] = robust(np.stack(means), hostile)
    return found


def _check(parts: Sequence[Arrays]) -> None:
    shapes = {name: array.shape for name, array in parts[0].items()}
    for part in parts:
        if (
            {name: array.shape for name, array in part.items()} != shapes
            or not all(np.isfinite(array).all() for array in part.values())
            or part["rows"][0] < 1
        ):
            raise MessageError(
                "A party's part of a robust mean is misshapen or not finite.",
                remedy="Leave the party out, and look at its data and its version.",
            )
