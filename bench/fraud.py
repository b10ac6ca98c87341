"""Card fraud over three domains: pooled, labels shared and labels protected.

`python -m bench.fraud` prints means over seeds, on the same rows and with the same
options: the network on all columns in one place, the same network cut between the
domains with labels shared and with labels protected, the latter also without defence,
with gradients of zero, and with fraud prevention dropping most honest rows, each domain
alone (its columns beside the labels), and "never fraud". Every seed draws rows, parts
them 70 to 30 and starts the networks anew; all the ways are judged on the same unseen
rows. The attacks on labels are those that fraud prevention runs on what it sent and
got. The options were chosen on rows of seeds 100 to 102, which are not judged here.

Rows are synthetic (`examples/fraud/transactions.py`), at the size and share of frauds
of the real ones: their figures are not to be set beside published ones. With
`--from creditcard.csv` they are the real ones, and seeds part and start anew only.
"""

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import (
    average_precision_score,
    balanced_accuracy_score,
    f1_score,
    precision_score,
    recall_score,
    roc_auc_score,
)
from threadpoolctl import threadpool_limits

from bench.figures import Figure, finish, parser
from bench.vertical_fits import Split, fit, standardised
from examples.fraud import transactions as card
from fl_plugin.summand import Floats
from fl_plugin.vertical.base import PROTECTED, SHARED
from fl_plugin.vertical.split_network import SplitNetwork

UNSEEN = 0.3
NETWORK = SplitNetwork(
    # Domains send linear images of their columns: a defence that hides labels leaves
    # hidden layers there nothing to learn from, and the label's end learns instead.
    bottom_layers="",
    top_layers="",
    learning_rate=0.003,
    epochs=4,
)
FEWER = 100.0  # transactions kept for each fraud, where fraud prevention drops some
GAP_BAR, ABOVE_BAR, ATTACK_BAR = 0.01, 0.1, 0.55
BARRED = ("attack_norm_auc", "attack_direction_auc", "attack_all_epochs_auc")
PRECISION = "average precision"
WAYS: Mapping[str, Mapping[str, Any]] = {  # with labels protected
    PROTECTED: {},
    "protected, no defence": {"defence": "none"},
    "protected, fixed nets": {"defence": "fixed"},
    "protected, undersampled": {"undersample": FEWER},
}
ALONE = {domain: domain.replace("_", " ") + " alone" for domain in card.COLUMNS}


def parted(given: card.Transactions, seed: int) -> Split:
    """Return the rows parted under a seed, columns by domain."""
    unseen = np.random.default_rng([seed, 2]).random(given.rows) < UNSEEN
    x = {
        domain: standardised(np.stack([given.columns[n] for n in names]), unseen)
        for domain, names in card.COLUMNS.items()
    }
    y = given.is_fraud.astype(np.float64)
    return Split(x=x, y=y, unseen=unseen, label_party=card.PREVENTION)


def judged(y: Floats, scores: Floats) -> Mapping[str, float]:
    """Return the figures of scores; a row above one half counts as fraud."""
    told = scores > 0.5  # noqa: PLR2004
    return {
        "ROC-AUC": float(roc_auc_score(y, scores)),
        PRECISION: float(average_precision_score(y, scores)),
        "precision": float(precision_score(y, told, zero_division=0)),
        "recall": float(recall_score(y, told)),
        "F1": float(f1_score(y, told, zero_division=0)),
        "balanced accuracy": float(balanced_accuracy_score(y, told)),
    }


def one_seed(given: card.Transactions, seed: int) -> dict[str, Mapping[str, float]]:
    """Return the figures of every way."""
    split = parted(given, seed)
    y = split.judged
    whole = replace(NETWORK, cut=len(card.COLUMNS) * NETWORK.cut)
    found = {"never fraud": judged(y, np.zeros(len(y)))}
    scores = fit(whole, split.joined(), SHARED, seed).scores
    found["pooled"] = judged(y, scores)
    found[SHARED] = judged(y, fit(NETWORK, split, SHARED, seed).scores)
    for name, changed in WAYS.items():
        fitted = fit(replace(NETWORK, **changed), split, PROTECTED, seed)
        found[name] = {**judged(y, fitted.scores), **fitted.attacks}
    for domain, name in ALONE.items():
        one = fit(NETWORK, split.only([domain]), SHARED, seed)
        found[name] = judged(y, one.scores)
    return found


def figures_of(seeds: list[dict[str, Mapping[str, float]]]) -> list[Figure]:
    """Return means over seeds, and what they must keep."""
    figures: list[Figure] = []
    for way in seeds[0]:
        for name in seeds[0][way]:
            values = [seed[way][name] for seed in seeds]
            told = f"{way}: {name} (deviation {np.std(values):.4f})"
            barred = name in BARRED and "no defence" not in way
            bar = ATTACK_BAR if barred else None
            figures.append(Figure(name=told, value=float(np.mean(values)), most=bar))
    mean = {w: float(np.mean([s[w][PRECISION] for s in seeds])) for w in seeds[0]}
    best = max(mean[name] for name in ALONE.values())
    for way in (SHARED, PROTECTED):
        below = mean["pooled"] - mean[way]
        told = f"{way} below pooled, {PRECISION}"
        figures.append(Figure(name=told, value=below, most=GAP_BAR))
        told = f"{way} above the best domain alone, {PRECISION}"
        figures.append(Figure(name=told, value=mean[way] - best, least=ABOVE_BAR))
    return figures


def main() -> int:
    """Print all figures; exit with 1 where a bar is missed."""
    arguments = parser(__doc__)
    arguments.add_argument("--from", dest="file", type=Path, help="creditcard.csv")
    arguments.add_argument("--rows", type=int, default=card.ROWS)
    arguments.add_argument("--seeds", type=int, default=5)
    chosen = arguments.parse_args()
    found = []
    with threadpool_limits(1):
        for seed in range(chosen.seeds):
            real = card.real(chosen.file) if chosen.file else None
            found.append(one_seed(real or card.made_up(chosen.rows, seed), seed))
    kind = "real" if chosen.file else f"{chosen.rows:,} synthetic"
    title = f"Card fraud, {kind} transactions, three domains, {chosen.seeds} seeds"
    return finish(title, figures_of(found), as_json=chosen.json)


if __name__ == "__main__":
    sys.exit(main())
