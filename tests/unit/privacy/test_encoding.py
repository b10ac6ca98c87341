"""Fixed point: nothing but what was promised is encoded, and no total overflows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fl_plugin.errors import MessageError, TrainingError
from fl_plugin.privacy.encoding import check_room, decode, encode, pack, unpack
from fl_plugin.privacy.fixed_point import encode_limbs
from fl_plugin.summand import Summand, native_type

MOST_PARTIES = 1_000


@pytest.mark.parametrize("width", range(1, 9))
@pytest.mark.parametrize("parties", [1, 3, 190, MOST_PARTIES])
def test_no_total_wraps_even_when_every_rounding_goes_the_same_way(width, parties):
    """The worst case: the total at its bound, and half a step too much from each."""
    for bound in (1.0, 3.0, 1e-6, 1e9):
        summand = Summand(shape=(2,), bound=bound, width=width)
        step = float(np.ldexp(1.0, -summand.exponents))
        most = min(np.floor(bound / step) * step, bound) / parties
        part = np.array([most, -most])
        try:
            check_room({"x": summand}, parties)
        except TrainingError:
            assert width == 1  # 5 bits cannot bear the rounding of many
            assert parties >= 190
            continue
        total = np.zeros(2, dtype=np.uint64)
        for _ in range(parties):
            total += unpack(pack(encode(summand, part), width), (2,), width)
        wanted = parties * part
        slack = parties * summand.rounding + 1e-12 * bound
        assert (np.abs(decode(summand, total) - wanted) <= slack).all()


@pytest.mark.parametrize("width", range(1, 9))
def test_the_room_is_as_it_was_proven(width):
    """Each total that `check_room` lets through fits its words, in whole numbers."""
    summand = Summand(shape=(1,), bound=1.0, width=width)
    for parties in (1, 3, 50, 191, 192, MOST_PARTIES):
        largest = 2 ** (8 * width - 3) + parties // 2
        fits = largest < 2 ** (8 * width - 1)
        try:
            check_room({"x": summand}, parties)
        except TrainingError:
            assert not fits
        else:
            assert fits


@given(st.integers(1, 8), st.integers(3, MOST_PARTIES), st.integers(0, 2**32))
def test_random_totals_come_back_for_any_width_and_number_of_parties(
    width, parties, seed
):
    rng = np.random.default_rng(seed)
    bound = float(10.0 ** rng.integers(-6, 9))
    summand = Summand(shape=(3,), bound=bound, width=width)
    if width == 1:
        parties = min(parties, 180)
    check_room({"x": summand}, parties)
    share = rng.dirichlet(np.ones(parties), 3).T * bound * rng.choice([-1, 1], 3)
    total = np.zeros(3, dtype=np.uint64)
    for part in share:
        total += unpack(pack(encode(summand, part), width), (3,), width)
    wanted = share.sum(axis=0)
    slack = parties * summand.rounding + 1e-9 * bound
    assert (np.abs(decode(summand, total) - wanted) <= slack).all()


@given(st.integers(1, 2**40), st.integers(3, MOST_PARTIES), st.integers(0, 2**32))
def test_counts_come_back_exactly(most, parties, seed):
    summand = Summand.count((1,), most)
    check_room({"n": summand}, parties)
    rng = np.random.default_rng(seed)
    cuts = np.sort(rng.integers(0, most + 1, parties - 1))
    parts = np.diff(np.concatenate([[0], cuts, [most]]))
    total = np.zeros(1, dtype=np.uint64)
    for part in parts:
        words = encode(summand, np.array([part]))
        total += unpack(pack(words, summand.width), (1,), summand.width)
    assert decode(summand, total).tolist() == [most]


@pytest.mark.parametrize(
    "summand",
    [
        Summand(shape=(1,), bound=128.0, integer=True, width=1),
        Summand(shape=(1,), bound=2.0**63, integer=True),
        Summand(shape=(2,), bound=np.array([1.0, 40_000.0]), integer=True, width=2),
        Summand(shape=(1,), bound=np.inf, integer=True),
        Summand(shape=(1,), bound=None, width=4),
        Summand(shape=(1,), bound=None, integer=True),
    ],
)
def test_a_summand_that_could_overflow_is_refused_beforehand(summand):
    with pytest.raises(TrainingError, match="could overflow"):
        check_room({"x": summand}, 3)


def test_limbs_of_a_thousand_parties_add_without_overflow():
    largest = np.nextafter(2.0**92, 0)
    words = encode_limbs(np.array([largest, -largest]))
    check_room({"x": Summand(shape=(2,), bound=None)}, MOST_PARTIES)
    digits = words.view(np.int64).astype(object)
    assert (abs(digits * MOST_PARTIES) < 2**62).all()


@pytest.mark.parametrize(
    ("summand", "part"),
    [
        (Summand(shape=(1,), bound=1.0), np.array([1.0], dtype=complex)),
        (Summand(shape=(1,), bound=1.0), np.array(["1"])),
        (Summand(shape=(1,), bound=1.0), np.array([None])),
        (Summand(shape=(1,), bound=5.0, integer=True), np.array([1.5])),
        (Summand(shape=(1,), bound=2.0**62, integer=True), np.array([-(2**63)])),
        (Summand(shape=(1,), bound=np.nan), np.array([0.0])),
        (Summand(shape=(2,), bound=1.0), np.array([np.nan, 0.0])),
        (Summand(shape=(2,), bound=5.0, integer=True), np.array([0.0, np.nan])),
        (Summand(shape=(2,), bound=1.0), np.array([np.inf, 0.0])),
        (Summand(shape=(2,), bound=1.0), np.array([0.5, -1.5])),
        (
            Summand(shape=(1,), bound=2.0**62, integer=True),
            np.array([2**63 + 1], dtype=np.uint64),
        ),
        (
            Summand(shape=(2,), bound=100.0, integer=True, width=2),
            np.array([3, 101], dtype=np.uint16),
        ),
        (Summand(shape=(2,), bound=np.array([1.0, 2.0])), np.array([1.5, 1.5])),
    ],
)
def test_a_part_that_is_not_what_was_promised_is_not_encoded(summand, part):
    with pytest.raises(TrainingError):
        encode(summand, part)


@pytest.mark.parametrize("width", range(1, 9))
@pytest.mark.parametrize("kind", [np.int64, np.uint8, np.uint16, np.uint32, np.uint64])
def test_whole_numbers_of_any_type_come_back(width, kind):
    """A type that is sent goes as it is; another one is widened first."""
    summand = Summand(shape=(4,), bound=100.0, integer=True, width=width)
    part = np.array([0, 1, 7, 100], dtype=kind)
    if kind is np.int64:
        part = part * np.array([1, -1, 1, -1])
    total = np.zeros(4, dtype=np.uint64)
    for _ in range(3):
        words = encode(summand, part)
        assert words.dtype in {np.dtype(np.uint64), native_type(width)}
        total += unpack(pack(words, width), (4,), width)
    fits = 2 ** (8 * width - 1) > 300
    expected = 3 * part.astype(np.int64)
    assert decode(summand, total).tolist() == expected.tolist() or not fits
    own = decode(summand, unpack(pack(encode(summand, part), width), (4,), width))
    assert own.dtype == np.int64
    assert own.tolist() == part.astype(np.int64).tolist()


@given(st.floats(-1.0, 1.0), st.floats(1e-200, 1e200))
def test_scaling_by_a_power_of_two_rounds_as_ldexp_does(share, bound):
    summand = Summand(shape=(1,), bound=bound)
    part = np.array([share * bound])
    by_ldexp = np.rint(np.ldexp(part, summand.exponents)).astype(np.int64)
    words = encode(summand, part)
    assert words.view(np.int64).tolist() == by_ldexp.tolist()
    back = np.ldexp(by_ldexp.astype(np.float64), -summand.exponents)
    assert decode(summand, words).tobytes() == back.tobytes()


@pytest.mark.parametrize("width", range(1, 9))
@pytest.mark.parametrize("shape", [(), (0,), (4,), (2, 3)])
def test_what_is_packed_is_unpacked(width, shape):
    rng = np.random.default_rng(width)
    words = rng.integers(0, 2 ** (8 * width - 1), shape, dtype=np.uint64)
    words = np.asarray(words, dtype=np.uint64)
    packed = pack(words, width)
    assert packed.nbytes == width * words.size
    np.testing.assert_array_equal(unpack(packed, shape, width), words)
    with pytest.raises(MessageError):
        unpack(packed, (*shape, 2), width)
