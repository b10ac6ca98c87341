"""What a coordinator sees, alone or with parties in league: nothing but the sum.

Two parties' data are swapped in half of the rounds, which leaves the sum as it is. All
that the view allows to be taken off is taken off, and a classifier is trained to tell
the swapped rounds from the others. The same classifier finds every one of them where
one mask more is taken off.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import chisquare
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from fl_plugin.privacy.derivation import agree, digest_of
from fl_plugin.privacy.masks import MaskUse
from fl_plugin.privacy.shamir import PRIME
from fl_plugin.privacy.streams import Mask, apply
from fl_plugin.privacy.terms import Terms
from fl_plugin.summand import Summand
from tests.aggregation import Cohort, names

ROUNDS = 20_000
TRAINING = 6_000
BATCH = 500
EXPECTED = {"x": Summand(shape=(2,), bound=1.0)}
# Fixed, so that a single bit of them that shows would tell.
DATA = [
    {"x": np.array(v, dtype=np.int64).view(np.uint64)}
    for v in ([2**40, -7], [-(2**50), 12_345], [3, 4], [-5, 6])
]
HONEST = ("p00", "p01")  # whose data are swapped


@dataclass(frozen=True)
class View:
    """Who looks on.

    Args:
        terms: Of the run.
        colluders: Parties that tell the coordinator everything they know.
    """

    terms: Terms
    colluders: tuple[str, ...] = ()


VIEWS = {
    "the coordinator, stop": View(Terms.stopping("run", names(3))),
    "the coordinator, recover": View(Terms.recovering("run", names(3), 2)),
    "the coordinator and 2 of 4 parties, threshold 3": View(
        Terms.recovering("run", names(4), 3), ("p02", "p03")
    ),
}


def masks_between(cohort: Cohort, party: str, peer: str, number: int) -> Mask:
    """The mask on `party`'s message, as `peer` knows it."""
    use = MaskUse(number, digest_of(cohort.terms.parties, f"asked {number}"))
    mine: Any = cohort.parties[peer]
    if not cohort.terms.recovers:
        return use.between(party, peer, mine._pairs[party])
    index = number - mine._told[party].first
    secret = agree(
        mine._secrets.masks[index], mine._told[party].masks[index], cohort.terms.run
    )
    return use.between(party, peer, secret)


def known_masks(cohort: Cohort, view: View, party: str, number: int) -> list[Mask]:
    """Every mask on `party`'s message that the view can derive."""
    known = [masks_between(cohort, party, c, number) for c in view.colluders]
    if cohort.terms.recovers:  # unmasking has told its seed
        use = MaskUse(number, digest_of(cohort.terms.parties, f"asked {number}"))
        holder: Any = cohort.parties[party]
        index = number - holder._mine.first
        known.append(use.own(party, holder._secrets.seeds[index]))
    return known


def guess(cohort: Cohort, view: View, number: int) -> bytes:
    """A mask key by the colluders' shares, one too few: as if the rest were zero."""
    held = [cohort.parties[c]._held["p00"][number] for c in view.colluders]
    return (sum(int.from_bytes(s.mask) for s in held) % PRIME).to_bytes(33)


def recorded(
    view: View, rounds: int, *, and_the_last_mask: bool = False
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """Return what the view sees of each round, and whether it was swapped."""
    rng = np.random.default_rng(11)
    swapped = rng.random(rounds) < 0.5
    cohort = Cohort(view.terms)
    seen = []
    for number in range(rounds):
        if number % BATCH == 0 and (number == 0 or view.terms.recovers):
            cohort.prepare(number, BATCH)
        order = [1, 0, 2, 3] if swapped[number] else [0, 1, 2, 3]
        parts = {p: DATA[order[i]] for i, p in enumerate(view.terms.parties)}
        hidden = cohort.hide(parts, EXPECTED, number)
        what = [hidden[p]["x"].tobytes() for p in HONEST]
        if view.colluders:
            what.append(guess(cohort, view, number))
        for party in HONEST:
            masks = known_masks(cohort, view, party, number)
            if and_the_last_mask:
                others = [p for p in view.terms.parties if p != party]
                left = [p for p in others if p not in view.colluders]
                masks += [masks_between(cohort, party, p, number) for p in left]
            off = [mask.taken_off for mask in masks]
            what.append(apply(hidden[party], EXPECTED, off)["x"].tobytes())
        masked = cohort.aggregator.add(hidden, EXPECTED, number, f"asked {number}")
        what.append(cohort.unmask(masked)["x"].tobytes())
        seen.append(b"".join(what))
    octets = np.frombuffer(b"".join(seen), dtype=np.uint8)
    return octets.reshape(rounds, -1), swapped


def accuracies(octets, swapped, training):
    """Of boosted trees over the bytes, and of a linear model over the bits."""
    trees = HistGradientBoostingClassifier(max_iter=40, random_state=0)
    linear = LogisticRegression(C=0.01, max_iter=200)
    for model, x in ((trees, octets), (linear, np.unpackbits(octets, axis=1))):
        model.fit(x[:training], swapped[:training])
        yield float(model.score(x[training:], swapped[training:]))


@pytest.mark.parametrize("name", VIEWS)
def test_swapped_data_cannot_be_told_from_real(name, figure):
    octets, swapped = recorded(VIEWS[name], ROUNDS)
    found = list(accuracies(octets, swapped, TRAINING))
    off = max(abs(a - 0.5) for a in found)
    # 14,000 fair coins leave .02 once in 400,000 times.
    assert off <= 0.02
    told = f"real against swapped, {name}: distance from .5 (bar 20)"
    figure(told, 1_000 * off, "per mille", how="worst")
    figure("rounds looked at, real against swapped", ROUNDS)
    messages = octets[:, : 2 * 16].reshape(-1)
    p_value = chisquare(np.bincount(messages, minlength=256)).pvalue
    assert p_value > 1e-7
    figure(f"masked bytes' chi-square, {name}: 1 - p", 1 - p_value, how="worst")


@pytest.mark.parametrize("name", VIEWS)
def test_the_same_classifier_finds_swapped_data_where_one_mask_more_is_off(name):
    octets, swapped = recorded(VIEWS[name], 600, and_the_last_mask=True)
    assert max(accuracies(octets, swapped, 300)) > 0.99
