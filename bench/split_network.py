"""The split network on 30,000 credit card clients: quality, leaks and traffic.

`python -m bench.split_network` prints, as means over seeds that part the rows anew:
the AUC of the network over four domains and a label party, with labels shared and
protected, beside one pooled network of the same size, scikit-learn's, and the profile
domain's alone; what the attacks on labels find, with each defence and without; and the
bytes of activations and gradients, beside those of the published design.

The published design (Li & Toor 2024): 16 numbers of 4 bytes from each domain and back,
for each row and epoch; where labels are protected 32 to the label party and back; 35
epochs. Its bytes are counted without the headers that it sends too; ours are counted
as they went over the wire, headers included.
"""

import sys
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from bench.figures import Figure, finish, parser
from bench.split_default import (
    GROUPS,
    LABEL,
    PLACE,
    Floats,
    Parted,
    one_hot,
    parted,
    read,
)
from bench.split_fits import Options, joined, run
from bench.split_leaks import COMPLETION, attacks, trade_offs
from fl_plugin.vertical.base import PROTECTED, SHARED
from fl_plugin.vertical.split_network import SplitNetwork
from tests.vertical import Fit

GAP_BAR, ABOVE_BAR, PRECISION_BAR = 0.005, 0.10, 0.01
ATTACK_BAR, EXCESS_BAR, TRAFFIC_BAR = 0.55, 0.05, 0.5
WHOLE: Options = {  # one domain with all columns: as wide as the four together
    "bottom_layers": "128",
    "cut": 40,
    "precision": "float64",
}
PUBLISHED_CUT, PUBLISHED_HANDED, PUBLISHED_EPOCHS = 16, 32, 35
PUBLISHED: Options = {
    "bottom_layers": "32",
    "cut": PUBLISHED_CUT,
    "label_layers": "32,32",
    "top_layers": "",
    "batch_size": 256,
    "learning_rate": 1e-4,
    "decay": False,
    "epochs": PUBLISHED_EPOCHS,
    "defence": "none",
    "precision": "float32",
}


def scikit_learn(part: Parted, seed: int) -> float:
    """Return the AUC of scikit-learn's network on the pooled rows."""
    model = MLPClassifier((128, 64, 32), early_stopping=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(one_hot(part, part.train), part.y_train)
    scores = model.predict_proba(one_hot(part, part.test))[:, 1]
    return float(roc_auc_score(part.y_test, scores))


def quality(table: Mapping[str, Floats], seeds: range) -> list[Figure]:
    """Return the figures of models, and of attacks on the protected one."""
    found: dict[str, list[float]] = {}

    def note(name: str, value: float) -> None:
        found.setdefault(name, []).append(value)

    for seed in seeds:
        part = parted(table, seed, GROUPS)
        profile = parted(table, seed, {"profile": GROUPS["profile"]})
        fits: Mapping[str, tuple[Parted, str, Options]] = {
            "pooled": (joined(part), SHARED, WHOLE),
            "shared": (part, SHARED, {}),
            "protected, no defence": (part, PROTECTED, {"defence": "none"}),
            "protected": (part, PROTECTED, {}),
            "profile alone": (profile, SHARED, {}),
        }
        for name, (rows, labels, options) in fits.items():
            outcome = run(rows, labels, seed, options, keep=name == "protected")
            note(f"{name}: AUC", outcome.auc)
            note(f"{name}: average precision", outcome.precision)
            if name == "protected":
                for attack, value in attacks(part, outcome.fit, seed).items():
                    note(attack, value)
        note("scikit-learn's MLPClassifier, pooled: AUC", scikit_learn(part, seed))
    means = {name: float(np.mean(values)) for name, values in found.items()}
    return [Figure(name=n, value=v) for n, v in means.items() if "attack" not in n] + [
        *_bars(means),
        *(_attack(n, v) for n, v in means.items() if "attack" in n),
    ]


def _bars(means: Mapping[str, float]) -> list[Figure]:
    auc = {n.removesuffix(": AUC"): v for n, v in means.items() if n.endswith("AUC")}
    precision = ": average precision"
    below = means["pooled" + precision] - means["protected" + precision]
    return [
        Figure(
            name="shared below pooled, AUC",
            value=auc["pooled"] - auc["shared"],
            most=GAP_BAR,
        ),
        Figure(
            name="protected without defence below pooled, AUC",
            value=auc["pooled"] - auc["protected, no defence"],
            most=GAP_BAR,
        ),
        Figure(
            name="protected below pooled, AUC", value=auc["pooled"] - auc["protected"]
        ),
        Figure(
            name="shared above profile alone, AUC",
            value=auc["shared"] - auc["profile alone"],
            least=ABOVE_BAR,
        ),
        Figure(
            name="protected above profile alone, AUC",
            value=auc["protected"] - auc["profile alone"],
            least=ABOVE_BAR,
        ),
        Figure(
            name="protected below pooled, average precision",
            value=below,
            most=PRECISION_BAR,
        ),
    ]


def _attack(name: str, value: float) -> Figure:
    """Return a figure; of completion the bar is on what training told."""
    bar = EXCESS_BAR if "excess" in name else ATTACK_BAR
    barred = COMPLETION not in name or "excess" in name
    return Figure(name=name, value=value, most=bar if barred else None)


def traffic(table: Mapping[str, Floats], seed: int) -> list[Figure]:
    """Return bytes by party, direction and epoch, beside the published design's."""
    part = parted(table, seed, GROUPS)
    rows, columns = len(part.y_train), sum(map(len, GROUPS.values()))
    raw = 4.0 * rows * columns
    figures = [Figure(name="raw table, 4 bytes a value", value=raw)]
    for labels in (SHARED, PROTECTED):
        ours = run(part, labels, seed, {}, keep=True)
        theirs = run(part, labels, seed, PUBLISHED)
        epochs = SplitNetwork().epochs
        handed = PUBLISHED_HANDED if labels == PROTECTED else 0
        cut = PUBLISHED_CUT * len(GROUPS)
        published = 2.0 * 4.0 * rows * (cut + handed)
        sums = _by_party(ours.fit, epochs)
        total = sum(sums.values())
        whole = total * epochs / (published * PUBLISHED_EPOCHS)
        figures += [
            Figure(name=f"{labels}: AUC, ours ({epochs} epochs)", value=ours.auc),
            Figure(
                name=f"  AUC, published settings ({PUBLISHED_EPOCHS} epochs)",
                value=theirs.auc,
            ),
            *(Figure(name=f"  bytes an epoch, {n}", value=v) for n, v in sums.items()),
            Figure(name="  bytes an epoch, all", value=total),
            Figure(name="  bytes an epoch, published design", value=published),
            Figure(
                name="  share of the published bytes, an epoch",
                value=total / published,
                most=TRAFFIC_BAR,
            ),
            Figure(
                name="  share of the published bytes, the fit",
                value=whole,
                most=TRAFFIC_BAR,
            ),
            Figure(name="  times the raw table, the fit", value=total * epochs / raw),
        ]
    return figures


def _by_party(fit: Fit, epochs: int) -> Mapping[str, float]:
    return {
        f"{party} {way}": fit.wire.octets(party, up=up) / epochs
        for party in (*GROUPS, LABEL)
        for way, up in (("up", True), ("down", False))
    }


def main() -> int:
    """Print all figures; exit with 1 where a bar is missed."""
    arguments = parser(__doc__)
    arguments.add_argument("file", type=Path, nargs="?", default=PLACE)
    arguments.add_argument("--seeds", type=int, default=5)
    arguments.add_argument(
        "--part", choices=("quality", "leaks", "traffic"), help="one part alone"
    )
    chosen = arguments.parse_args()
    if not chosen.file.is_file():
        print("The credit card data set is not here: name its CSV file.")
        return 0
    table = read(chosen.file)
    figures: list[Figure] = []
    with threadpool_limits(1):
        if chosen.part in {None, "quality"}:
            figures += quality(table, range(chosen.seeds))
        if chosen.part in {None, "leaks"}:
            figures += trade_offs(table, 0)
        if chosen.part in {None, "traffic"}:
            figures += traffic(table, 0)
    title = "Split network, 30,000 card clients, four domains and a label party"
    return finish(title, figures, as_json=chosen.json)


if __name__ == "__main__":
    sys.exit(main())
