"""Laws of the sums: no order, no number of parties and no mask changes a total."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fl_plugin.errors import MessageError, TrainingError
from fl_plugin.privacy.encoding import decode, encode
from fl_plugin.privacy.fixed_point import decode_limbs, encode_limbs
from fl_plugin.privacy.party_masks import PartyMasks
from fl_plugin.privacy.terms import Terms, Trust
from fl_plugin.summand import Summand
from tests.aggregation import Cohort, names

values = st.lists(
    arrays(np.float64, 5, elements=st.floats(-1e9, 1e9)), min_size=1, max_size=9
)


GRID = Summand(shape=(5,), bound=1e10)


def total(words):
    return np.sum(words, axis=0, dtype=np.uint64)


@given(values, st.randoms())
def test_the_order_of_parties_never_changes_a_total(parts, random):
    encoded = [encode(GRID, p) for p in parts]
    limbs = [encode_limbs(p) for p in parts]
    before = decode(GRID, total(encoded)), decode_limbs(total(limbs))
    random.shuffle(encoded)
    random.shuffle(limbs)
    np.testing.assert_array_equal(before[0], decode(GRID, total(encoded)))
    np.testing.assert_array_equal(before[1], decode_limbs(total(limbs)))


@given(values)
def test_a_grid_total_is_right_within_its_resolution(parts):
    got = decode(GRID, total([encode(GRID, p) for p in parts]))
    exact = np.array(
        [
            np.longdouble(0) + sum(map(np.longdouble, c))
            for c in zip(*parts, strict=True)
        ]
    )
    error = np.abs(got - exact.astype(np.float64))
    # The decoded float itself has 53 bits.
    assert (error <= len(parts) * GRID.rounding + 2e-15 * np.abs(got) + 1e-9).all()


@given(values)
def test_a_limb_total_is_the_correctly_rounded_sum(parts):
    got = decode_limbs(total([encode_limbs(p) for p in parts]))
    for j in range(5):
        exact = sum((Fraction(float(p[j])) for p in parts), Fraction(0))
        resolution = Fraction(len(parts), 2**89)
        assert abs(Fraction(float(got[j])) - exact) <= resolution + abs(
            exact
        ) * Fraction(1, 2**52)


def masked(parties, words, expected, run="run", context="asked 0"):
    """Return what each party sends of its words."""
    cohort = Cohort(Terms.stopping(run, parties))
    cohort.prepare()
    return {p: cohort.parties[p].hide(words[p], expected, 0, context) for p in parties}


@settings(max_examples=25)
@given(st.integers(3, 8), st.integers(0, 2**32))
def test_masks_cancel_in_the_sum_of_all_and_in_no_smaller_one(parties, seed):
    expected = {"x": Summand(shape=(6,), bound=1.0)}
    words = {
        n: {"x": np.random.default_rng([seed, i]).integers(0, 2**64, 6, np.uint64)}
        for i, n in enumerate(names(parties))
    }
    sent = masked(names(parties), words, expected)
    np.testing.assert_array_equal(
        total([s["x"] for s in sent.values()]), total([w["x"] for w in words.values()])
    )
    for left_out in words:
        rest = [n for n in words if n != left_out]
        less = total([sent[n]["x"] for n in rest])
        assert (less != total([words[n]["x"] for n in rest])).all()


def test_a_mask_differs_between_rounds_questions_and_runs():
    expected = {"x": Summand(shape=(4,), bound=1.0)}
    zero = {p: {"x": np.zeros(4, dtype=np.uint64)} for p in names(3)}
    cohort = Cohort(Terms.stopping("r1", names(3)))
    cohort.prepare()
    one = cohort.parties["p00"]
    seen = [
        one.hide(zero["p00"], expected, number, context)["x"]
        for number, context in ((0, "1"), (1, "2"), (2, "3"))
    ]
    seen.append(masked(names(3), zero, expected, run="r2", context="1")["p00"]["x"])
    assert len({s.tobytes() for s in seen}) == 4


def test_masked_words_look_uniform():
    expected = {"x": Summand(shape=(32_768,), bound=1.0)}
    zero = {p: {"x": np.zeros(32_768, dtype=np.uint64)} for p in names(3)}
    data = masked(names(3), zero, expected)["p00"]["x"].tobytes()
    counts = np.bincount(np.frombuffer(data, np.uint8), minlength=256)
    fair = len(data) / 256
    chi_square = float(((counts - fair) ** 2 / fair).sum())
    assert chi_square < 400  # 255 degrees of freedom: p < 1e-8 beyond this


@pytest.mark.parametrize("change", ["two", "mine", "same", "short", "zero"])
def test_keys_that_would_give_a_party_away_are_refused(change):
    terms = Terms.stopping("r", names(3))
    parties = {p: PartyMasks(p, terms, Trust(unsigned=True)) for p in names(3)}
    told = {p: m.announce() for p, m in parties.items()}
    parties["p00"].share(dict(told))  # as they are, they are taken
    me = parties["p01"]
    if change == "two":
        del told["p02"]
    elif change == "mine":
        told["p01"] = told["p00"]
    elif change == "same":
        told["p02"] = told["p00"]
    elif change == "short":
        told["p02"] = {**told["p02"], "agreement": "abcd"}
    else:
        told["p02"] = {**told["p02"], "agreement": "00" * 32}
    with pytest.raises(MessageError):
        me.share(told)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300])
def test_what_breaks_the_bound_is_refused(bad):
    with pytest.raises(TrainingError):
        encode(Summand(shape=(1,), bound=1e6), np.array([bad]))
    with pytest.raises(TrainingError):
        encode_limbs(np.array([bad]))


def test_a_grid_cannot_overflow_at_its_bound():
    for bound in (1e-250, 1.0, 3.0, 1e6, 1e300):
        grid = Summand(shape=(2,), bound=bound)
        got = decode(grid, encode(grid, np.array([bound, -bound])))
        np.testing.assert_allclose(got, [bound, -bound], rtol=1e-15)
