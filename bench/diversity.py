"""What each further domain is worth: a figure for every subset of up to five domains.

`python -m bench.diversity` prints the AUC of the split network, labels protected, on
unseen rows for every subset of domains beside the domain that has the labels and no
columns; so the subsets of one are each domain alone. Means over seeds.

Rows: five synthetic domains whose columns tell unlike much of the target, one of them
nothing; and credit_default (30,000 customers: profile, status, bills, payments), read
from `../shared/data` or the file that is named. Where it is not, the command says so.
"""

import sys
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

from bench import split_default
from bench.figures import Figure, finish, parser
from bench.vertical_fits import Split, fit, standardised
from fl_plugin.vertical.base import PROTECTED
from fl_plugin.vertical.split_network import SplitNetwork

LABEL = "label"
STRENGTHS: Mapping[str, float] = {
    "north": 1.2,
    "east": 1.0,
    "south": 0.8,
    "west": 0.6,
    "noise": 0.0,
}
COLUMNS, UNSEEN, ALONE_BAR = 6, 0.2, 0.05
NETWORK = SplitNetwork(bottom_layers="", top_layers="", learning_rate=0.003, epochs=8)


def made_up(rows: int, seed: int) -> Split:
    """Return five domains' rows; each adds its strength to the target's log odds."""
    random = np.random.default_rng([seed, rows])
    x, z = {}, np.zeros(rows)
    for name, strength in STRENGTHS.items():
        x[name] = random.normal(size=(COLUMNS, rows))
        aside = random.normal(size=COLUMNS)
        z += strength * (aside / np.linalg.norm(aside)) @ x[name]
    y = (random.random(rows) < 1 / (1 + np.exp(1.0 - z))).astype(np.float64)
    unseen = random.random(rows) < UNSEEN
    return Split(x=x, y=y, unseen=unseen, label_party=LABEL)


def credit_default(file: Path, seed: int) -> Split:
    """Return the customers by their groups of columns; amounts by their logarithm."""
    table = split_default.read(file)
    y = table[split_default.TARGET]
    unseen = np.random.default_rng([seed, len(y)]).random(len(y)) < UNSEEN
    x = {}
    for name, columns in split_default.GROUPS.items():
        told = [_logged(c, table[c]) for c in columns]
        x[name] = standardised(np.stack(told), unseen)
    return Split(x=x, y=y, unseen=unseen, label_party=LABEL)


def _logged(name: str, values: split_default.Floats) -> split_default.Floats:
    if name in split_default.AMOUNTS:
        return np.asarray(np.sign(values) * np.log1p(np.abs(values)))
    return values


def subsets(split: Split, seed: int) -> dict[tuple[str, ...], float]:
    """Return the AUC of every subset of the domains."""
    found = {}
    for size in range(1, len(split.x) + 1):
        for names in combinations(split.x, size):
            fitted = fit(NETWORK, split.only(names), PROTECTED, seed)
            found[names] = float(roc_auc_score(split.judged, fitted.scores))
    return found


def figures_of(data: str, seeds: list[dict[tuple[str, ...], float]]) -> list[Figure]:
    """Return means over seeds, and what all domains are worth beside the best alone."""
    mean = {names: float(np.mean([s[names] for s in seeds])) for names in seeds[0]}
    sizes = sorted({len(names) for names in mean})
    figures = [
        Figure(name=f"{data}, {len(names)}: {', '.join(names)}: AUC", value=value)
        for names, value in mean.items()
    ]
    figures += [
        Figure(
            name=f"{data}: mean AUC of {size} domain{'s' if size > 1 else ''}",
            value=float(np.mean([v for n, v in mean.items() if len(n) == size])),
        )
        for size in sizes
    ]
    best = max(value for names, value in mean.items() if len(names) == 1)
    every = next(value for names, value in mean.items() if len(names) == sizes[-1])
    name = f"{data}: all domains above the best alone, AUC"
    bar = ALONE_BAR if data == "synthetic" else None
    return [*figures, Figure(name=name, value=every - best, least=bar)]


def main() -> int:
    """Print all figures; exit with 1 where a bar is missed."""
    arguments = parser(__doc__)
    arguments.add_argument("file", type=Path, nargs="?", default=split_default.PLACE)
    arguments.add_argument("--rows", type=int, default=20_000)
    arguments.add_argument("--seeds", type=int, default=3)
    chosen = arguments.parse_args()
    seeds = range(chosen.seeds)
    with threadpool_limits(1):
        made = [subsets(made_up(chosen.rows, seed), seed) for seed in seeds]
        figures = figures_of("synthetic", made)
        if chosen.file.is_file():
            real = [subsets(credit_default(chosen.file, seed), seed) for seed in seeds]
            figures += figures_of("credit_default", real)
        else:
            print("The credit card data set is not here: name its CSV file.")
    title = f"Every subset of domains, labels protected, {chosen.seeds} seeds"
    return finish(title, figures, as_json=chosen.json)


if __name__ == "__main__":
    sys.exit(main())
