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
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score
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
from fl_plugin.algorithms.described import Parameter
from fl_plugin.vertical.base import PROTECTED, SHARED
from fl_plugin.vertical.split.attacks import (
    completion_attack,
    direction_attack,
    norm_attack,
)
from fl_plugin.vertical.split.decorrelation import distance_correlation, row_distances
from fl_plugin.vertical.split.layers import Coded
from fl_plugin.vertical.split.wire import unpacked
from fl_plugin.vertical.split_network import SplitNetwork
from tests.vertical import Fit, fit_over, score_over, sides

Options = Mapping[str, Parameter]

GAP_BAR, ABOVE_BAR, PRECISION_BAR, ATTACK_BAR, TRAFFIC_BAR = (
    0.005,
    0.10,
    0.01,
    0.55,
    0.5,
)
SHARED_FIT: Options = {}
WHOLE: Options = {  # one domain with all columns: as wide as the four together
    "bottom_layers": "128",
    "cut": 32,
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
TRADE: Mapping[str, Options] = {
    "no defence": {"defence": "none"},
    "max_norm": {"defence": "max_norm"},
    "marvell, power 1": {"defence": "marvell", "noise": 1.0},
    "marvell, power 25": {"defence": "marvell", "noise": 25.0},
    "marvell, power 400": {"defence": "marvell", "noise": 400.0},
    "noisy_labels, 1": {"defence": "noisy_labels", "noise": 1.0},
    "noisy_labels, 3": {"defence": "noisy_labels", "noise": 3.0},
    "noisy_labels, 6": {"defence": "noisy_labels", "noise": 6.0},
    "noisy_labels, 20": {"defence": "noisy_labels", "noise": 20.0},
}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One fit, judged on unseen rows.

    Args:
        auc: Area under the ROC curve.
        precision: Average precision, the area under the PR curve.
        fit: The fit, with all that went over the wire.
    """

    auc: float
    precision: float
    fit: Fit


def run(part: Parted, labels: str, seed: int, options: Options) -> Outcome:
    """Fit over the parties, by bytes, and score the unseen rows."""
    algorithm = SplitNetwork.of(options)
    task = part.task(labels, seed)
    fit = fit_over(algorithm, task, sides(part.train, part.columns))
    trained = len(fit.wire.sent)
    scores = score_over(algorithm, task, sides(part.test, part.columns), fit)
    del fit.wire.sent[trained:]  # what is looked at below is the fit's own
    return judged(part, scores, fit)


def judged(part: Parted, scores: Floats, fit: Fit) -> Outcome:
    """Return an outcome."""
    return Outcome(
        auc=float(roc_auc_score(part.y_test, scores)),
        precision=float(average_precision_score(part.y_test, scores)),
        fit=fit,
    )


def joined(part: Parted) -> Parted:
    """Return the same rows with all columns at one party."""
    names = [party for party in part.columns if party != LABEL]
    columns = tuple(c for name in names for c in part.columns[name])
    both = [
        {
            LABEL: blocks[LABEL],
            "pool": replace(
                blocks[names[0]], x=np.concatenate([blocks[n].x for n in names])
            ),
        }
        for blocks in (part.train, part.test)
    ]
    return replace(
        part, train=both[0], test=both[1], columns={LABEL: (), "pool": columns}
    )


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
        outcomes = {
            "pooled": run(joined(part), SHARED, seed, WHOLE),
            "shared": run(part, SHARED, seed, SHARED_FIT),
            "protected, no defence": run(part, PROTECTED, seed, {"defence": "none"}),
            "protected": run(part, PROTECTED, seed, {}),
            "profile alone": run(
                parted(table, seed, {"profile": GROUPS["profile"]}), SHARED, seed, {}
            ),
        }
        for name, outcome in outcomes.items():
            note(f"{name}: AUC", outcome.auc)
            note(f"{name}: average precision", outcome.precision)
        note("scikit-learn's MLPClassifier, pooled: AUC", scikit_learn(part, seed))
        for name, value in attacks(part, outcomes["protected"].fit, seed).items():
            note(name, value)
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
    return Figure(name=name, value=value, most=None if "raw" in name else ATTACK_BAR)


def attacks(part: Parted, fit: Fit, seed: int) -> dict[str, float]:
    """Return what attacks find: at the coordinator, and the worst of the domains."""
    label = fit.figures[LABEL]
    found = {
        f"coordinator: {name.replace('_', ' ')}": value
        for name, value in label.items()
        if name.startswith("attack")
    }
    rng = np.random.default_rng(seed)
    positive = part.y_train == 1.0
    for party in GROUPS:
        back, sent, every = seen_by(part, fit, party, seed)
        one = {
            "attack norm auc": norm_attack(back, positive),
            "attack direction auc": direction_attack(back, positive),
            "attack all epochs auc": direction_attack(every, positive),
            "attack completion auc": completion_attack(sent, positive, rng),
        }
        own = part.train[party].x.T
        raw = completion_attack(own, positive, rng)
        one["attack completion of raw columns auc"] = raw
        for name, value in one.items():
            key = f"worst domain: {name}"
            found[key] = max(found.get(key, 0.0), value)
    pooled = completion_attack(one_hot(part, part.train), positive, rng)
    found["all raw columns together: attack completion auc"] = pooled
    return found


def seen_by(
    part: Parted, fit: Fit, party: str, seed: int
) -> tuple[Floats, Floats, Floats]:
    """Return by row the last gradients a domain got, what it sent, and all it got."""
    plan = SplitNetwork().blueprint(part.task(PROTECTED, seed))
    orders, shape = plan.schedule.orders(), (plan.task.rows, plan.sizes.cut)
    back, sent, every = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    mine = [m for m in fit.wire.sent if m.party == party]
    down = [m.arrays for m in mine if not m.up and "gradient" in m.arrays]
    up = [m.arrays for m in mine if m.up and "cut" in m.arrays]
    for step, (gradient, cut) in enumerate(zip(down, up, strict=True)):
        rows = orders.rows(step)
        size = (len(rows), plan.sizes.cut)
        got = unpacked(gradient, "gradient", size, plan.precision)
        back[rows] = got
        every[rows] += got / max(float(np.sqrt(np.square(got).mean())), 1e-30)
        sent[rows] = unpacked(cut, "cut", size, plan.precision)
    return back, sent, every


def trade_offs(table: Mapping[str, Floats], seed: int) -> list[Figure]:
    """Return what each defence costs and what the attacks still find."""
    part = parted(table, seed, GROUPS)
    figures = []
    for name, options in TRADE.items():
        outcome = run(part, PROTECTED, seed, options)
        told = outcome.fit.figures[LABEL]
        figures += [
            Figure(name=f"{name}: AUC", value=outcome.auc),
            Figure(name="  average precision", value=outcome.precision),
            *(
                Figure(name=f"  {n.replace('_', ' ')}", value=v)
                for n, v in told.items()
                if n.startswith("attack")
            ),
        ]
    for weight in (0.0, 1.0):
        options = {"defence": "none", "decorrelate": weight}
        outcome = run(part, SHARED, seed, options)
        figures += [
            Figure(name=f"decorrelate {weight:g}: AUC", value=outcome.auc),
            Figure(
                name="  distance correlation with own columns, mean of domains",
                value=correlation(part, outcome.fit, seed),
            ),
        ]
    return figures


def correlation(part: Parted, fit: Fit, seed: int) -> float:
    """Return the distance correlation of activations with columns, last epoch."""
    found = []
    for party in GROUPS:
        sent = seen_by(part, fit, party, seed)[1][:2_000]
        columns = part.columns[party]
        coded = Coded(
            numbers=tuple(i for i, c in enumerate(columns) if not c.categorical),
            codes=tuple((i, c.bins) for i, c in enumerate(columns) if c.categorical),
        )
        apart = row_distances(part.train[party].x.T[:2_000], coded)
        found.append(np.sqrt(distance_correlation(apart, sent)[0]))
    return float(np.mean(found))


def traffic(table: Mapping[str, Floats], seed: int) -> list[Figure]:
    """Return bytes by party, direction and epoch, beside the published design's."""
    part = parted(table, seed, GROUPS)
    rows, columns = len(part.y_train), sum(map(len, GROUPS.values()))
    raw = 4.0 * rows * columns
    figures = [Figure(name="raw table, 4 bytes a value", value=raw)]
    for labels in (SHARED, PROTECTED):
        ours = run(part, labels, seed, {})
        theirs = run(part, labels, seed, PUBLISHED)
        epochs = SplitNetwork().epochs
        handed = PUBLISHED_HANDED if labels == PROTECTED else 0
        cut = PUBLISHED_CUT * len(GROUPS)
        published = 2.0 * 4.0 * rows * (cut + handed)
        wire = ours.fit.wire
        sums = {
            f"{party} {way}": wire.octets(party, up=up) / epochs
            for party in (*GROUPS, LABEL)
            for way, up in (("up", True), ("down", False))
        }
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
