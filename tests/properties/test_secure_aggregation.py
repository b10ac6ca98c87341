"""Laws of secure aggregation: the masked sum is the plain one, whoever is lost."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fl_plugin.errors import MessageError
from fl_plugin.privacy.encoding import decode, encode
from fl_plugin.privacy.terms import Terms
from fl_plugin.summand import Summand
from tests.aggregation import (
    STAGES,
    Cohort,
    cut_sum,
    identities,
    names,
    random_words,
    same_low_bytes,
)

CASES = 1_000
BATCHES = 8
SMALL = {"x": Summand(shape=(3,), bound=1.0), "n": Summand.count((2,), 1_000)}


def random_expected(rng: np.random.Generator) -> dict[str, Summand]:
    """A message of up to four arrays of any shape and width."""
    return {
        f"a{i}": Summand(
            shape=tuple(rng.integers(0, 6, rng.integers(0, 4)).tolist()),
            bound=1.0,
            width=int(rng.integers(1, 9)),
        )
        for i in range(int(rng.integers(1, 5)))
    }


def random_terms(rng: np.random.Generator, parties: int) -> Terms:
    if rng.random() < 0.5:
        return Terms.stopping("run", names(parties))
    threshold = int(rng.integers(parties // 2 + 1, parties + 1))
    return Terms.recovering("run", names(parties), threshold)


@pytest.mark.parametrize("batch", range(BATCHES))
def test_a_masked_sum_is_the_plain_sum_bit_for_bit(batch, figure):
    for case in range(CASES // BATCHES):
        rng = np.random.default_rng([batch, case])
        # Evenly over the orders of magnitude, the ends among them.
        parties = [3, 50][case] if case < 2 else round(3 * (50 / 3) ** rng.random())
        cohort = Cohort(random_terms(rng, parties))
        expected = random_expected(rng)
        words = {p: random_words(rng, expected) for p in cohort.terms.parties}
        cohort.prepare()
        alive, got = cohort.total(words, expected)
        assert alive == cohort.terms.parties
        assert same_low_bytes(got, cut_sum(words.values(), expected), expected)
    figure("masked sums equal to the plain ones, 3 to 50 parties", case + 1)


def outcome(terms: Terms, lost: dict[str, set[str]]) -> set[str] | None:
    """Who should be in the sum; None where it should be given up."""
    left, counted = set(terms.parties), set()
    for stage in STAGES:
        left -= lost.get(stage, set())
        if stage == "input":
            counted = set(left)
        if stage == "endorse" and counted == set(terms.parties) - lost_before(lost):
            continue  # nobody was lost after the shares: nothing to endorse
        least = terms.threshold if stage in {"endorse", "unmask"} else terms.fewest
        if len(left) < least:
            return None
    return counted


def lost_before(lost: dict[str, set[str]]) -> set[str]:
    return set().union(*(lost.get(s, set()) for s in ("keys", "shares")))


def run_with(terms: Terms, lost: dict[str, set[str]], *, signed: bool = False) -> bool:
    """Check one run's outcome against `outcome`; return whether a sum came."""
    rng = np.random.default_rng(len(terms.parties))
    keys = identities(terms.parties) if signed else {}
    cohort = Cohort(terms, keys, lost)
    words = {p: random_words(rng, SMALL) for p in terms.parties}
    wanted = outcome(terms, lost)
    if wanted is None:
        with pytest.raises(MessageError, match="too few"):
            sum_of(cohort, words)
        return False
    alive, got = sum_of(cohort, words)
    assert set(alive) == wanted
    assert same_low_bytes(got, cut_sum([words[p] for p in alive], SMALL), SMALL)
    return True


def sum_of(cohort, words):
    cohort.prepare()
    return cohort.total(words, SMALL)


@pytest.mark.parametrize("parties", [3, 4, 5, 6])
@pytest.mark.parametrize("stage", STAGES)
def test_every_subset_lost_at_every_stage_gives_the_exact_sum_or_none(
    parties, stage, figure
):
    sums = aborts = 0
    everyone = names(parties)
    for threshold in range(parties // 2 + 1, parties + 1):
        terms = Terms.recovering("run", everyone, threshold)
        for size in range(parties + 1):
            for lost in itertools.combinations(everyone, size):
                found = run_with(terms, {stage: set(lost)})
                sums, aborts = sums + found, aborts + (not found)
    assert sums
    assert aborts
    figure("dropout subsets, n up to 6, every stage: exact sums", sums)
    figure("dropout subsets, n up to 6, every stage: clean aborts", aborts)


@pytest.mark.parametrize("batch", range(4))
def test_parties_lost_at_random_up_to_fifty_give_the_exact_sum_or_none(batch, figure):
    sums = 0
    for case in range(15):
        rng = np.random.default_rng([batch, case])
        parties = int(rng.integers(7, 51)) if case else 50
        threshold = int(rng.integers(parties // 2 + 1, 2 * parties // 3 + 2))
        terms = Terms.recovering("run", names(parties), threshold)
        spare = parties - threshold
        chosen = rng.permutation(names(parties))[: rng.integers(0, spare + 2)]
        lost: dict[str, set[str]] = {}
        for party in chosen:
            lost.setdefault(str(rng.choice(STAGES)), set()).add(str(party))
        found = run_with(terms, lost, signed=case % 5 == 0)
        sums += found
    assert sums
    figure("random dropouts, 7 to 50 parties: exact sums", sums)
    figure("random dropouts, 7 to 50 parties: clean aborts", case + 1 - sums)


def test_one_batch_of_keys_lasts_for_its_rounds_and_the_next_goes_on():
    """Each round may lose another party, and one that was lost may come back."""
    rng = np.random.default_rng(5)
    terms = Terms.recovering("run", names(5), 3)
    cohort = Cohort(terms, identities(terms.parties))
    for first in (0, 4):
        cohort.lost = {}
        cohort.prepare(first, rounds=4)
        for number in range(first, first + 4):
            words = {p: random_words(rng, SMALL) for p in terms.parties}
            cohort.lost = {"input": {f"p0{number % 5}"}} if number % 2 else {}
            alive, got = cohort.total(words, SMALL, number)
            assert len(alive) == 5 - number % 2
            wanted = cut_sum([words[p] for p in alive], SMALL)
            assert same_low_bytes(got, wanted, SMALL)


@settings(max_examples=40)
@given(st.integers(3, 9), st.integers(0, 2**32))
def test_no_sum_over_fewer_than_all_is_without_masks(parties, seed):
    rng = np.random.default_rng(seed)
    expected = {"x": Summand(shape=(4,), bound=1.0)}
    for terms in (
        Terms.stopping("run", names(parties)),
        Terms.recovering("run", names(parties)),
    ):
        cohort = Cohort(terms)
        cohort.prepare()
        words = {p: random_words(rng, expected) for p in terms.parties}
        hidden = cohort.hide(words, expected)
        size = int(rng.integers(1, parties))
        some = [str(p) for p in rng.permutation(names(parties))[:size]]
        masked = np.sum([hidden[p]["x"] for p in some], axis=0, dtype=np.uint64)
        plain = cut_sum([words[p] for p in some], expected)
        assert (masked != plain["x"]).all()


@settings(max_examples=40)
@given(st.integers(3, 9), st.integers(0, 2**32), st.floats(1e-9, 1e9))
def test_numbers_come_back_as_the_unmasked_encoding_gives_them(parties, seed, bound):
    rng = np.random.default_rng(seed)
    summand = Summand(shape=(3,), bound=bound)
    parts = rng.uniform(-bound, bound, (parties, 3)) / parties
    words = {p: {"x": encode(summand, parts[i])} for i, p in enumerate(names(parties))}
    cohort = Cohort(Terms.stopping("run", names(parties)))
    cohort.prepare()
    _, got = cohort.total(words, {"x": summand})
    plain = cut_sum(words.values(), {"x": summand})["x"]
    np.testing.assert_array_equal(decode(summand, got["x"]), decode(summand, plain))
    slack = parties * summand.rounding + 1e-12 * bound
    assert np.abs(decode(summand, got["x"]) - parts.sum(axis=0)).max() <= slack
