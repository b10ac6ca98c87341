"""Laws of the sums: no order, no number of parties and no mask changes a total."""

from fractions import Fraction

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fl_plugin.errors import MessageError, TrainingError
from fl_plugin.privacy.fixed_point import (
    Grid,
    decode_limbs,
    encode_limbs,
)
from fl_plugin.privacy.masking import PairwiseMasks

values = st.lists(
    arrays(np.float64, 5, elements=st.floats(-1e9, 1e9)), min_size=1, max_size=9
)


def total(words):
    return np.sum(words, axis=0, dtype=np.uint64)


@given(values, st.randoms())
def test_the_order_of_parties_never_changes_a_total(parts, random):
    grid = Grid.for_bound(1e10)
    encoded = [grid.encode(p) for p in parts]
    limbs = [encode_limbs(p) for p in parts]
    before = grid.decode(total(encoded)), decode_limbs(total(limbs))
    random.shuffle(encoded)
    random.shuffle(limbs)
    np.testing.assert_array_equal(before[0], grid.decode(total(encoded)))
    np.testing.assert_array_equal(before[1], decode_limbs(total(limbs)))


@given(values)
def test_a_grid_total_is_right_within_its_resolution(parts):
    grid = Grid.for_bound(1e10)
    got = grid.decode(total([grid.encode(p) for p in parts]))
    exact = np.array(
        [
            np.longdouble(0) + sum(map(np.longdouble, c))
            for c in zip(*parts, strict=True)
        ]
    )
    error = np.abs(got - exact.astype(np.float64))
    # The decoded float itself has 53 bits.
    assert (error <= len(parts) * grid.resolution + 2e-15 * np.abs(got) + 1e-9).all()


@given(values)
def test_a_limb_total_is_the_correctly_rounded_sum(parts):
    got = decode_limbs(total([encode_limbs(p) for p in parts]))
    for j in range(5):
        exact = sum((Fraction(float(p[j])) for p in parts), Fraction(0))
        resolution = Fraction(len(parts), 2**89)
        assert abs(Fraction(float(got[j])) - exact) <= resolution + abs(
            exact
        ) * Fraction(1, 2**52)


@settings(max_examples=25, deadline=None)
@given(st.integers(3, 8), st.integers(0, 2**32))
def test_masks_cancel_in_the_sum_of_all_and_in_no_smaller_one(parties, seed):
    names = [f"p{i}" for i in range(parties)]
    keys = {n: X25519PrivateKey.generate() for n in names}
    publics = {n: k.public_key().public_bytes_raw() for n, k in keys.items()}
    words = {
        n: np.random.default_rng([seed, i]).integers(0, 2**64, 6, dtype=np.uint64)
        for i, n in enumerate(names)
    }
    masked = {
        n: PairwiseMasks(n, "run", keys[n], publics).mask(words[n], "1/step/x")
        for n in names
    }
    np.testing.assert_array_equal(
        total(list(masked.values())), total(list(words.values()))
    )
    for left_out in names:
        rest = [n for n in names if n != left_out]
        assert (
            total([masked[n] for n in rest]) != total([words[n] for n in rest])
        ).all()


def test_a_mask_differs_between_contexts_and_runs():
    names = ["a", "b", "c"]
    keys = {n: X25519PrivateKey.generate() for n in names}
    publics = {n: k.public_key().public_bytes_raw() for n, k in keys.items()}
    zero = np.zeros(4, dtype=np.uint64)
    one = PairwiseMasks("a", "r1", keys["a"], publics)
    two = PairwiseMasks("a", "r2", keys["a"], publics)
    seen = [one.mask(zero, "1"), one.mask(zero, "2"), two.mask(zero, "1")]
    assert len({s.tobytes() for s in seen}) == 3


def test_masked_words_look_uniform():
    names = ["a", "b", "c"]
    keys = {n: X25519PrivateKey.generate() for n in names}
    publics = {n: k.public_key().public_bytes_raw() for n, k in keys.items()}
    masks = PairwiseMasks("a", "r", keys["a"], publics)
    data = masks.mask(np.zeros(32_768, dtype=np.uint64), "x").tobytes()
    counts = np.bincount(np.frombuffer(data, np.uint8), minlength=256)
    expected = len(data) / 256
    chi_square = float(((counts - expected) ** 2 / expected).sum())
    assert chi_square < 400  # 255 degrees of freedom: p < 1e-8 beyond this


@pytest.mark.parametrize("change", ["two", "mine", "same", "short", "zero"])
def test_keys_that_would_give_a_party_away_are_refused(change):
    keys = {n: X25519PrivateKey.generate() for n in "abc"}
    publics = {n: k.public_key().public_bytes_raw() for n, k in keys.items()}
    if change == "two":
        del publics["c"]
    elif change == "mine":
        publics["a"] = publics["b"]
    elif change == "same":
        publics["c"] = publics["b"]
    elif change == "short":
        publics["c"] = b"abc"
    else:
        publics["c"] = bytes(32)
    with pytest.raises(MessageError):
        PairwiseMasks("a", "r", keys["a"], publics)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300])
def test_what_breaks_the_bound_is_refused(bad):
    with pytest.raises(TrainingError):
        Grid.for_bound(1e6).encode(np.array([bad]))
    with pytest.raises(TrainingError):
        encode_limbs(np.array([bad]))


def test_a_grid_cannot_overflow_at_its_bound():
    for bound in (1e-300, 1.0, 3.0, 1e6, 1e300):
        grid = Grid.for_bound(bound)
        got = grid.decode(grid.encode(np.array([bound, -bound])))
        np.testing.assert_allclose(got, [bound, -bound], rtol=1e-15)
