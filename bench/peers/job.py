"""One job for every engine: logistic regression over three domains, NumPy alone.

Job `fedavg`: in each of ten rounds every domain takes five full-batch gradient steps
from the shared weights, and the weights become their mean by rows. Job `exact`: the
optimum of the log loss with an L2 penalty, by Newton's method on summed derivatives.
Both start at zero and learn from the rows as they are; whoever does the same
arithmetic gets the same weights, but for the last digits, so digests are of weights
rounded to `DIGITS`.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

JOBS = ("fedavg", "exact")
DOMAINS = ("north", "south", "west")
COLUMNS, ROWS, SEED = 10, 30_000, 7
ROUNDS, STEPS, RATE = 10, 5, 0.5
NEWTON_ROUNDS, L2 = 8, 1.0
DIGITS = 6

Floats = npt.NDArray[np.float64]
Rows = tuple[Floats, Floats]


def made(rows: int = ROWS, domains: int = len(DOMAINS)) -> list[Rows]:
    """Return each domain's rows: x (rows, COLUMNS) and y (rows,) of 0 and 1.

    Domains differ in the mean of their columns.
    """
    random = np.random.default_rng(SEED)
    truth = random.normal(size=COLUMNS)
    found = []
    for _ in range(domains):
        x = random.normal(size=(rows // domains, COLUMNS))
        x += 0.3 * random.normal(size=COLUMNS)
        chance = 1.0 / (1.0 + np.exp(-x @ truth))
        found.append((x, (random.random(len(x)) < chance).astype(np.float64)))
    return found


def write(folder: Path, place: int, rows: Rows, held_out: npt.NDArray[np.bool_]) -> Any:
    """Write one domain's rows for the peers, with which of them no model may see."""
    x, y = rows
    x = np.column_stack([x, np.ones(len(y))])
    train = ~held_out
    np.savez(
        folder / f"party{place}.npz",
        x=x[train],
        y=y[train],
        held_x=x[held_out],
        held_y=y[held_out],
    )


def load(folder: str | Path, place: int) -> Rows:
    """Return a domain's training rows: x (rows, COLUMNS + 1), ones last, and y."""
    with np.load(Path(folder) / f"party{place}.npz") as held:
        return held["x"], held["y"]


def steps(weights: Floats, rows: Rows) -> Floats:
    """Return the weights after a domain's own steps (a party's half of `fedavg`)."""
    x, y = rows
    weights = np.array(weights, dtype=np.float64)
    for _ in range(STEPS):
        weights -= RATE * (x.T @ (_chance(x, weights) - y)) / len(y)
    return weights


def average(parts: Sequence[tuple[Floats, int]]) -> Floats:
    """Return the mean of (weights, rows) by rows (the coordinator's half)."""
    total = sum(rows for _, rows in parts)
    return np.asarray(sum(w * (rows / total) for w, rows in parts))


def derivatives(weights: Floats, rows: Rows) -> tuple[Floats, Floats]:
    """Return a domain's gradient and Hessian (a party's half of `exact`)."""
    x, y = rows
    chance = _chance(x, weights)
    return x.T @ (chance - y), (x.T * (chance * (1.0 - chance))) @ x


def newton(weights: Floats, parts: Sequence[tuple[Floats, Floats]]) -> Floats:
    """Return the next weights (the coordinator's half of `exact`)."""
    penalty = penalty_of(len(weights))
    gradient = np.asarray(sum(g for g, _ in parts)) + penalty * weights
    hessian = np.asarray(sum(h for _, h in parts)) + np.diag(penalty)
    return np.asarray(weights - np.linalg.solve(hessian, gradient))


def penalty_of(size: int) -> Floats:
    """Return the penalty's curvature; the intercept, which is last, has none."""
    penalty = np.full(size, L2)
    penalty[-1] = 0.0
    return penalty


def rounds_of(job: str) -> int:
    """Return how many rounds the job has."""
    return ROUNDS if job == "fedavg" else NEWTON_ROUNDS


def digest(weights: Any) -> str:
    """Return what names these weights: the start of the SHA-256 of their text."""
    flat = np.ravel(np.asarray(weights, dtype=np.float64))
    # Adding zero turns a negative zero, which would print otherwise, into zero.
    text = " ".join(f"{np.round(w, DIGITS) + 0.0:.{DIGITS}f}" for w in flat)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def accuracy(weights: Floats, folder: str | Path, parties: int) -> float:
    """Return the share of the rows held out that the weights tell right."""
    right = rows = 0
    for place in range(parties):
        with np.load(Path(folder) / f"party{place}.npz") as held:
            told = held["held_x"] @ np.ravel(weights) > 0
            right += int((told == (held["held_y"] > 0)).sum())
            rows += len(told)
    return right / rows


def _chance(x: Floats, weights: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-x @ weights)))
