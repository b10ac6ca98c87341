"""What others could tell of a label: three attacks, each as an AUC over training rows.

They are run by whoever knows the labels, on what it sent and what it got; nothing of a
row leaves. 0.5 is no better than a coin, and no figure is below it: an attack may turn
its answer round where it does not know which way is which. The attacker is given more
than it would have: all epochs together, and half of all labels, to find the direction
in which the classes' gradients differ. It is judged on the other half: beside a few
dozen rows of a rare class some direction always tells them from the rest, and nothing
of any other row.

Forty labels are worth something to whoever has features, trained on or not. So model
completion is also run on the activations of the first few batches, or as many as have
enough of a rare class, when the nets had hardly learnt: the excess over that is what
training told.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from fl_plugin.summand import Array, Floats

KNOWN = 40  # labels that model completion is given
_DRAWS = 10
UNTRAINED = "completion_untrained"
EARLY = 20  # batches: Adam has moved no weight further than as many learning rates
_HALF = KNOWN // 2


def norm_attack(gradients: Floats, positive: Array) -> float:
    """Return the AUC of the gradients' lengths (Li et al. 2022, section 3.2)."""
    return _either_way(np.linalg.norm(gradients, axis=1), positive)


def direction_attack(gradients: Floats, positive: Array) -> float:
    """Return the AUC along the line between the classes' mean gradients.

    As the cosine attack of Li et al. (section 3.3). The line is found from every other
    row of each class and judged on the rest, both ways round; the mean of the two.
    """
    half = np.zeros(len(positive), dtype=np.bool_)
    for label in (False, True):
        half[np.flatnonzero(positive == label)[::2]] = True
    if min(positive.sum(), (~positive).sum()) < 2:  # noqa: PLR2004
        return float("nan")
    found = []
    for known in (half, ~half):
        means = [gradients[known & (positive == c)].mean(axis=0) for c in (True, False)]
        scores = gradients[~known] @ (means[0] - means[1])
        found.append(roc_auc_score(positive[~known], scores))
    return max(float(np.mean(found)), 0.5)  # the line has a sign: nothing to turn round


def completion_attack(seen: Floats, positive: Array, rng: np.random.Generator) -> float:
    """Return the mean AUC of heads fitted to 40 known labels.

    Fu et al. (2022), "Label Inference Attacks Against Vertical Federated Learning":
    half of each class are known; the AUC is over all other rows, the mean of ten draws.
    """
    if min(positive.sum(), (~positive).sum()) <= _HALF:
        return float("nan")
    seen = StandardScaler().fit_transform(seen)
    found = []
    for _ in range(_DRAWS):
        halves = [np.flatnonzero(positive == label) for label in (False, True)]
        known = np.concatenate([rng.permutation(h)[:_HALF] for h in halves])
        head = LogisticRegression(C=1.0).fit(seen[known], positive[known])
        others = np.delete(np.arange(len(seen)), known)
        scores = head.decision_function(seen[others])
        found.append(roc_auc_score(positive[others], scores))
    mean = float(np.mean(found))
    return max(mean, 1.0 - mean)


def _either_way(scores: Floats, positive: Array) -> float:
    found = float(roc_auc_score(positive, scores))
    return max(found, 1.0 - found)


@dataclass
class Evidence:
    """Keeps what an opponent saw of a binary target's training rows.

    Args:
        positive: (rows,) bool.
        slices: Which units each opponent sees.
        epochs: Of the fit.
    """

    positive: Array
    slices: Sequence[slice]
    epochs: int
    _last: dict[str, Array] = field(default_factory=dict)
    _early: list[Array] = field(default_factory=list)

    def keep(self, rows: Array, epoch: int, sent: Floats, got: Floats) -> None:
        """Add a batch: the gradients that were sent for it, and what came before."""
        kept = {"all": sent, "last": sent, "got": got, "begun": got}
        for name, values in kept.items():
            if name not in self._last:
                shape = (len(self.positive), values.shape[1])
                self._last[name] = np.zeros(shape, dtype=np.float32)
        if epoch == 0 and (len(self._early) < EARLY or self._few()):
            self._early.append(rows)
            self._last["begun"][rows] = got
        # Standardised by batch: without that a few early epochs would drown the rest.
        spread = max(float(np.sqrt(np.square(sent).mean())), 1e-30)
        self._last["all"][rows] += (sent / spread).astype(np.float32)
        if epoch == self.epochs - 1:
            self._last["last"][rows] = sent
            self._last["got"][rows] = got

    def _few(self) -> bool:
        """Whether the first batches have too few of a class to be judged by."""
        seen = [self.positive[rows] for rows in self._early]
        positive = sum(int(rows.sum()) for rows in seen)
        return min(positive, sum(map(len, seen)) - positive) <= _HALF

    def figures(self, rng: np.random.Generator) -> dict[str, float]:
        """Return the worst AUC of each attack over the opponents."""
        if not self._last:
            return {}
        seed = int(rng.integers(2**32))
        found: dict[str, list[float]] = {}
        for part in self.slices:
            for name, value in self._of(part, seed).items():
                found.setdefault(f"attack_{name}_auc", []).append(value)
        return {n: max(v) for n, v in found.items() if np.isfinite(v).all()}

    def _of(self, part: slice, seed: int) -> dict[str, float]:
        """Return the AUC of each attack by one opponent."""
        last, every, got, begun = (
            self._last[name][:, part].astype(np.float64)
            for name in ("last", "all", "got", "begun")
        )
        early = np.concatenate(self._early)
        few = self._few()
        rows = slice(None) if few else early
        found = {
            "norm": norm_attack(last, self.positive),
            "direction": direction_attack(last, self.positive),
            "all_epochs": max(
                norm_attack(every, self.positive),
                direction_attack(every, self.positive),
            ),
        }
        # The same rows and the same known labels: what differs is the training.
        pairs = {"completion": got} if few else {"completion": got, UNTRAINED: begun}
        for name, seen in pairs.items():
            draws = np.random.default_rng(seed)
            found[name] = completion_attack(seen[rows], self.positive[rows], draws)
        return found
