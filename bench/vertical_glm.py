"""Vertical linear models, labels protected, beside scikit-learn on the joined rows.

`python -m bench.vertical_glm` prints, for each family: CPU seconds per gradient (all
parties and the coordinator in one process, one thread, every message as bytes), bytes
per gradient and party, gradients, exchanges, and the largest difference of a
coefficient from scikit-learn's tightest fit on the same standardised columns; of linear
regression in units of the target's standard deviation. And what an opponent finds: how
much of the variance of the others' part of z the label party can tell from all that it
opened, by the best linear guess.

Rows: synthetic ones at the size of the bar, columns over two and over four parties;
credit_default (30,000 customers: profile, status, bills, payments), where the
profile's domain has the labels; nmes1988 (4,406 people's visits to a doctor: health,
home, cover).
Both are read from `../shared/data`; where they are not, they are left out.
"""

import csv
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LinearRegression, LogisticRegression, PoissonRegressor
from threadpoolctl import threadpool_limits

from bench import synthetic
from bench.figures import Figure, finish, parser
from fl_plugin.algorithms.base import Block, Target
from fl_plugin.summand import Array, Floats
from fl_plugin.vertical.base import VerticalTask
from fl_plugin.vertical.glm import ciphertexts
from fl_plugin.vertical.glm.model import VerticalGLM
from fl_plugin.vertical.vertical_linear_regression import VerticalLinearRegression
from fl_plugin.vertical.vertical_logistic_regression import VerticalLogisticRegression
from fl_plugin.vertical.vertical_poisson_regression import VerticalPoissonRegression
from tests.vertical import Fit, fit_over, sides

SECONDS_BAR, DIFFERENCE_BAR, FOUND_BAR = 3.0, 1e-4, 0.1
DATA = Path(__file__).parents[2] / "shared" / "data"
TIGHT: Mapping[str, Any] = {"solver": "newton-cholesky", "tol": 1e-12, "max_iter": 200}


@dataclass(frozen=True)
class Family:
    """An algorithm, the pooled estimator that it must equal, and its target."""

    algorithm: VerticalGLM
    pooled: Callable[[], Any]
    kind: str


FAMILIES: Mapping[str, Family] = {
    "logistic": Family(
        VerticalLogisticRegression(l2=1.0),
        lambda: LogisticRegression(C=1.0, **TIGHT),
        "binary",
    ),
    "linear": Family(VerticalLinearRegression(), LinearRegression, "regression"),
    "poisson": Family(
        VerticalPoissonRegression(alpha=0.01),
        lambda: PoissonRegressor(alpha=0.01, **TIGHT),
        "count",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Joined rows: standardised columns by party, and the target; "a" has it."""

    parts: Mapping[str, Floats]
    y: Floats

    @property
    def joined(self) -> Floats:
        """All columns, (rows, columns)."""
        return np.concatenate(list(self.parts.values())).T


class Looker:
    """Keeps what the label party opens, row by row."""

    def __init__(self) -> None:
        self.opened: list[Floats] = []
        self._real = ciphertexts.Key.open

    def __enter__(self) -> "Looker":
        """Begin."""
        real, opened = self._real, self.opened

        def look(key: ciphertexts.Key, chunks: ciphertexts.Chunks) -> Floats:
            opened.append(real(key, chunks))
            return opened[-1]

        ciphertexts.Key.open = look  # type: ignore[assignment,method-assign]
        return self

    def __exit__(self, *_: object) -> None:
        """End."""
        ciphertexts.Key.open = self._real  # type: ignore[method-assign]


def synthetic_rows(kind: str, rows: int, parties: int) -> Rows:
    """Return synthetic rows of 30 columns, cut into equal parts."""
    drawn = [next(synthetic.draw(i, rows // 3)) for i in range(3)]
    x = np.concatenate([d.x for d in drawn])
    y = np.concatenate([d.target(kind) for d in drawn])
    names = "abcdefgh"[:parties]
    pieces = np.array_split(_standard(x).T, parties)
    return Rows(parts=dict(zip(names, pieces, strict=True)), y=y)


def credit_default() -> Rows:
    """Return the customers: profile (a, with the label), status, bills, payments."""
    place = DATA / "credit_default_taiwan.csv"
    table = np.genfromtxt(place, delimiter=",", skip_header=1)[:, 1:]
    x = _standard(table[:, :-1]).T
    pieces = np.split(x, [5, 11, 17])
    return Rows(parts=dict(zip("abcd", pieces, strict=True)), y=table[:, -1])


NMES = (
    ("hospital", "chronic", "health", "adl", "emergency"),
    ("age", "gender", "married", "school", "afam", "region"),
    ("income", "employed", "insurance", "medicaid"),
)


def nmes1988() -> Rows:
    """Return the people: health (a, with the visits), home, cover."""
    with (DATA / "nmes1988.csv").open() as file:
        people = list(csv.DictReader(file))
    parts = {
        name: _standard(np.array([c for w in words for c in _coded(people, w)]).T).T
        for name, words in zip("abc", NMES, strict=True)
    }
    return Rows(parts=parts, y=np.array([float(p["visits"]) for p in people]))


def _coded(people: list[dict[str, str]], word: str) -> list[Floats]:
    told = [p[word] for p in people]
    try:
        return [np.array([float(t) for t in told])]
    except ValueError:
        kinds = sorted(set(told))[1:]
        return [np.array([float(t == k) for t in told]) for k in kinds]


def _standard(x: Floats) -> Floats:
    return np.asarray((x - x.mean(axis=0)) / x.std(axis=0))


def measure(name: str, data: str, rows: Rows) -> list[Figure]:
    """Return the figures of one family on some rows."""
    family = FAMILIES[name]
    task = VerticalTask(
        target=Target(
            kind=family.kind,
            classes=(False, True) if family.kind == "binary" else (),
        ),
        widths={p: len(x) for p, x in rows.parts.items()},
        label_party="a",
        rows=len(rows.y),
    )
    none = np.zeros(0)
    blocks = {p: Block(x, rows.y if p == "a" else none) for p, x in rows.parts.items()}
    with Looker() as looker:
        begun = time.process_time()
        fit = fit_over(family.algorithm, task, sides(blocks))
        seconds = time.process_time() - begun
    looks = len(looker.opened)
    size = f"{task.rows:,} x {sum(task.widths.values())}, {len(task.widths)} parties"
    sent = max(fit.wire.octets(p, up=True) for p in task.parties) / looks / 1e6
    got = max(fit.wire.octets(p, up=False) for p in task.parties) / looks / 1e6
    found = _found(fit, rows, looker.opened, added=name == "linear")
    return [
        Figure(name=f"{name}, {data}, {size}: gradients", value=looks),
        Figure(name="  exchanges", value=fit.fitted.rounds),
        Figure(name="  CPU s per gradient", value=seconds / looks, most=SECONDS_BAR),
        Figure(name="  MB sent per gradient, most of a party", value=sent),
        Figure(name="  MB got per gradient, most of a party", value=got),
        Figure(
            name="  largest difference of a coefficient",
            value=_apart(family, fit, rows),
            most=DIFFERENCE_BAR,
        ),
        Figure(
            name="  share of the others' z that opened numbers tell",
            value=found,
            most=FOUND_BAR,
        ),
    ]


def _apart(family: Family, fit: Fit, rows: Rows) -> float:
    pooled = family.pooled().fit(rows.joined, rows.y)
    ours = [fit.parts[p]["coefficients"] for p in rows.parts]
    unit = rows.y.std() if family.kind == "regression" else 1.0
    return float(np.abs(np.concatenate(ours) - np.ravel(pooled.coef_)).max() / unit)


def _found(fit: Fit, rows: Rows, opened: list[Floats], *, added: bool) -> float:
    """Return R^2 of the others' part of z on what the label party knows of each row.

    It knows its own part and all that it opened, which is averaged in the units in
    which blinds are uniform; and it is given true values to fit its guess with.
    """
    own = fit.parts["a"]["coefficients"] @ rows.parts["a"]
    z = sum(fit.parts[p]["coefficients"] @ rows.parts[p] for p in rows.parts) - own
    seen = [o if added else np.log(np.maximum(o, 1e-9)) for o in opened]
    last, mean = seen[-1], np.mean(seen, axis=0)
    known: Array = np.stack([np.ones(len(own)), own, own**2, last, mean, own * mean])
    return max(0.0, _explained(known, z) - _explained(known[:3], z))


def _explained(known: Floats, z: Floats) -> float:
    fitted = known.T @ np.linalg.lstsq(known.T, z, rcond=None)[0]
    return 1.0 - float(((z - fitted) ** 2).sum() / ((z - z.mean()) ** 2).sum())


def main() -> int:
    """Print the figures; exit with 1 where a bar is missed."""
    arguments = parser(__doc__)
    arguments.add_argument("--rows", type=int, default=100_000)
    arguments.add_argument("--family", action="append", choices=list(FAMILIES))
    arguments.add_argument("--real-only", action="store_true")
    chosen = arguments.parse_args()
    figures: list[Figure] = []
    with threadpool_limits(1):
        for name in chosen.family or FAMILIES:
            kind = FAMILIES[name].kind
            for parties in () if chosen.real_only else (2, 4):
                rows = synthetic_rows(kind, chosen.rows, parties)
                figures += measure(name, "synthetic", rows)
            if name == "logistic" and (DATA / "credit_default_taiwan.csv").is_file():
                figures += measure(name, "credit_default", credit_default())
            if name == "poisson" and (DATA / "nmes1988.csv").is_file():
                figures += measure(name, "nmes1988", nmes1988())
    title = "Vertical linear models, labels protected"
    return finish(title, figures, as_json=chosen.json)


if __name__ == "__main__":
    sys.exit(main())
