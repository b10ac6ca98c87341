"""Fields in long numbers in words: any parts add up, and nothing runs over."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fl_plugin.algorithms.base import Target
from fl_plugin.algorithms.boosting.grids import grid_of
from fl_plugin.algorithms.boosting.losses import loss_of
from fl_plugin.algorithms.boosting.packing import packing_of
from fl_plugin.errors import MessageError, TrainingError
from fl_plugin.privacy.encoding import check_room, decode, encode
from tests.masked_sums import MaskedSums

BOUNDS = (2**45 + 77, 2**43 + 5, 1_000)  # gradients, hessians, counts
MASKED = 5


def largest(bounds, *, constant=False):
    """Return fields, each at its end: (fields, 2) with the gradient at both of its."""
    gradient, hessian, count = bounds
    middle = [] if constant else [[hessian, hessian]]
    return np.array([[count, count], *middle, [gradient, -gradient]], dtype=np.int64)


def packed(packing, fields):
    words = np.empty((len(packing.words), *fields.shape[1:]), dtype=np.int64)
    packing.pack(fields, words)
    return words


def shared(total, parties, rng):
    """Return parts, none of another sign, that add up to the total: (parties, ...)."""
    cuts = np.sort(rng.random((parties - 1, *total.shape)), axis=0)
    ends = [(cut * total).astype(np.int64) for cut in cuts]
    return np.diff(np.array([np.zeros_like(total), *ends, total]), axis=0)


@given(
    st.tuples(*[st.integers(0, 53)] * 3),
    st.integers(1, 1_000),
    st.booleans(),
    st.integers(0, 2**32),
)
def test_any_parts_of_any_bounds_add_up(bits, parties, constant, seed):
    rng = np.random.default_rng(seed)
    bounds = tuple(int(rng.integers(2**b, 2 ** (b + 1))) for b in bits)
    packing = packing_of(bounds, parties, constant=constant)
    fields = largest(bounds, constant=constant)
    summand = packing.expected(1, 2)
    check_room({"sums": summand}, parties)
    total = np.zeros(summand.shape, dtype=np.uint64)
    for part in shared(fields, parties, rng):
        words = packed(packing, part[:, None])
        assert (words[:-1] >= 0).all()
        total += encode(summand, words)
    sums = decode(summand, total)
    encode(summand, sums)  # raises where the total breaks its bound
    found = packing.unpack(sums)
    assert list(found) == list(packing.bounds)
    for name, expected in zip(packing.bounds, fields, strict=True):
        assert found[name][0].tolist() == expected.tolist()


def test_masked_parts_add_up_where_parts_have_both_signs():
    rng = np.random.default_rng(0)
    packing = packing_of(BOUNDS, MASKED, constant=False)
    gradient, hessian, count = (bound // MASKED for bound in BOUNDS)
    parts = [
        np.array(
            [
                rng.integers(0, count, (2, 300)),
                rng.integers(0, hessian, (2, 300)),
                rng.integers(-gradient, gradient, (2, 300)),
            ]
        )
        for _ in range(MASKED)
    ]
    expected = {"sums": packing.expected(2, 300)}
    sent = [{"sums": packed(packing, part)} for part in parts]
    found = packing.unpack(MaskedSums(MASKED).add(sent, expected)["sums"])
    np.testing.assert_array_equal(list(found.values()), np.sum(parts, axis=0))


@pytest.mark.parametrize(
    ("bounds", "constant", "words"),
    [
        ((2**46, 1, 2**14), True, 1),  # a squared error
        ((2**45, 2**43, 2**9), False, 2),  # 255 even bins of 90,000 rows
        ((2**45, 2**43, 2**13), False, 2),  # of 900,000
        ((2**52, 2**50, 2**18), False, 2),  # of 262,143, nearly all in one bin
        ((2**53, 2**51, 2**40), False, 3),
    ],
)
def test_sums_are_sent_in_few_words(bounds, constant, words):
    assert len(packing_of(bounds, 3, constant=constant).words) == words


@pytest.mark.parametrize("rows", [1_000, 262_143, 900_000, 10_000_000])
@pytest.mark.parametrize("parties", [1, 3, 50])
def test_a_grid_gives_up_a_few_bits_for_a_word_where_one_bin_has_all_rows(
    rows, parties
):
    loss = loss_of("auto", Target())
    grid = grid_of(loss, (rows, rows), np.array([rows, 0]), (0.0, 0.0), parties)
    gradients, hessians, counts = grid.bounds.tolist()
    packing = packing_of((gradients, hessians, counts), parties, constant=False)
    assert len(packing.words) == 2
    finest = 52 - np.ceil(np.log2(rows))
    less = finest - grid.exponents[0]
    assert 0 <= less <= 6
    assert less == 0 or (rows > 262_143 or parties > 3)
    # Every sum stays exact in float64, and its bound covers rounding up each row.
    assert gradients >= rows * 2.0 ** grid.exponents[0] + rows / 2
    assert gradients <= 2**53
    assert hessians >= rows / 4 * 2.0 ** grid.exponents[1] + rows / 2
    assert counts == rows


def test_where_two_words_do_not_suffice_the_grid_stays_the_finest():
    loss = loss_of("auto", Target())
    rows = 2**36
    grid = grid_of(loss, (rows, rows), np.array([rows]), (0.0, 0.0), 3)
    assert grid.exponents.tolist() == [16, 18]


def test_a_field_that_fits_into_a_word_is_not_cut():
    packing = packing_of(BOUNDS, 3, constant=False)
    assert packing.words == ((0, packing.fields[1][1]), packing.fields[2])


@pytest.mark.parametrize("field", range(3))
@pytest.mark.parametrize("sign", [1, -1])
def test_a_part_beyond_its_bound_is_not_packed(field, sign):
    packing = packing_of(BOUNDS, 3, constant=False)
    fields = largest(BOUNDS)
    packed(packing, fields)
    fields[field] += sign * np.array([1, 0 if field < 2 else -1])
    if field < 2 and sign < 0:
        fields[field, 0] = -1
    outside = np.abs(fields[field]).max() > packing.bounds[
        ("counts", "hessians", "gradients")[field]
    ] or (field < 2 and fields[field].min() < 0)
    if not outside:
        packed(packing, fields)
        return
    with pytest.raises(TrainingError, match="outside the range"):
        packed(packing, fields)


def test_no_parts_at_all_are_packed_too():
    packing = packing_of(BOUNDS, 3, constant=False)
    assert packed(packing, np.zeros((3, 0, 7), dtype=np.int64)).shape == (2, 0, 7)


def test_bounds_that_no_words_hold_are_refused():
    with pytest.raises(MessageError, match="bounds"):
        packing_of((2**62, 2**62, 2**62), 2**40, constant=False)
