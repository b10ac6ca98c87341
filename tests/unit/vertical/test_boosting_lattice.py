"""Sums of encrypted numbers are exact, and neither numbers nor bins show."""

import numpy as np
import pytest

from fl_plugin.vertical.boosting import draws, lattice, parameters
from fl_plugin.vertical.boosting.adding import Adder, dense
from fl_plugin.vertical.boosting.draws import small
from fl_plugin.vertical.boosting.joint import Numbers
from fl_plugin.vertical.boosting.lattice import Opener, Public, hint_of
from fl_plugin.vertical.boosting.parameters import DEGREE
from fl_plugin.vertical.boosting.peers import apart, words_of

ROWS, BINS = 9_000, 6


class Case:
    """Two columns, one with gaps, and three numbers of each row."""

    def __init__(self, rows=ROWS):
        draws = np.random.default_rng(2)
        self.x = draws.integers(0, BINS, (2, rows)).astype(np.uint8)
        self.x[1, ::9] = 255
        self.bins = np.full(2, BINS)
        most = 2**44 // rows
        self.numbers = draws.integers(-most, most, (3, rows))
        self.numbers[2] = 1
        self.public = Public.of(bytes(range(32)), rows)
        self.columns = [dense(column, BINS) for column in self.x]
        made = [hint_of(self.public, column, BINS + 1) for column in self.columns]
        self.hints = np.concatenate([hint for hint, _ in made])
        own = np.concatenate([own for _, own in made])
        self.adder = Adder.of(self.x, self.bins, own)

    def encrypted(self):
        keys = small(3)
        everyone = np.arange(self.public.rows)
        messages = [[(everyone, numbers)] for numbers in self.numbers]
        return self.public.encrypt(messages, keys), keys

    @property
    def sums(self):
        return np.concatenate(
            [
                [[n[c == b].sum() for n in self.numbers] for b in range(BINS + 1)]
                for c in self.columns
            ]
        )


def encrypted(public, numbers, secret=None):
    """Return one word for each row, and those that encrypt none."""
    messages = [[(np.arange(public.rows), numbers)]]
    return public.encrypt(messages, small(1) if secret is None else secret)[:, 0]


@pytest.fixture(scope="module")
def case():
    return Case()


def test_opened_sums_are_exact(case):
    for _ in range(5):
        words, keys = case.encrypted()
        opened = Opener.of(case.hints).open(case.adder.add(words), keys)
        np.testing.assert_array_equal(opened, case.sums)


def test_sums_over_many_rows_are_exact():
    case = Case(rows=300_000)
    words, keys = case.encrypted()
    opened = Opener.of(case.hints).open(case.adder.add(words), keys)
    np.testing.assert_array_equal(opened, case.sums)


def test_noise_of_the_most_rows_stays_below_half_a_step():
    deviation = 8.0**0.5  # of one error: 32 coins
    rows = parameters.MOST_ROWS * deviation**2
    hidden = 2 * parameters.WEIGHT * deviation**2
    largest = 8.0 * (rows + hidden) ** 0.5 + 2**parameters.FLOOD_BITS
    assert largest < 2 ** (parameters.STEP_BITS - 1)


def test_errors_have_the_deviation_that_security_is_reckoned_with():
    errors = draws.noise(200_000).view(np.int64)
    assert abs(errors.mean()) < 0.05
    assert abs(errors.std() - 8.0**0.5) < 0.05


def test_a_polynomial_product_is_the_schoolbook_one():
    public = Public.of(b"p" * 32, 10)
    factor = np.zeros(DEGREE)
    factor[[0, 1, DEGREE - 1]] = (1, -1, 1)
    found = public.times(factor)[0]
    unit = np.zeros(DEGREE)
    unit[0] = 1.0
    a = public.times(unit)[0]
    # a(x) times 1 - x + x^(n-1), where x^n = -1
    once = np.concatenate([-a[-1:], a[:-1]])
    last = np.concatenate([-a[1:], a[:1]])
    np.testing.assert_array_equal(found, a - once + last)


def test_equal_numbers_give_words_that_look_uniform_and_never_repeat(case):
    ones = np.ones(ROWS, dtype=np.int64)
    first, second = (encrypted(case.public, ones) for _ in range(2))
    assert not (first == second).any()
    for bits in ((first >> np.uint64(56)), (first & np.uint64(255))):
        counts = np.bincount(bits.astype(int), minlength=256)
        expected = len(first) / 256
        assert ((counts - expected) ** 2 / expected).sum() < 360  # 255 +- 4.6 x 22.6


def test_words_tell_nothing_linear_of_the_numbers(case):
    label = (np.arange(ROWS) % 3 == 0).astype(np.int64) << 40
    words = encrypted(case.public, label)[:ROWS]
    assert abs(np.corrcoef(words.astype(float), label)[0, 1]) < 0.05


def test_hints_of_the_same_bins_differ_from_fit_to_fit(case):
    again, _ = hint_of(case.public, case.columns[0], BINS + 1)
    same = again == case.hints[: BINS + 1]
    assert not same.any()


def test_hints_are_not_the_sums_of_the_public_rows(case):
    unhidden = np.zeros(DEGREE, dtype=np.uint64)
    unit = np.zeros(DEGREE)
    unit[0] = 1.0
    a = case.public.times(unit)
    for row in np.flatnonzero(case.columns[0] == 0):
        chunk, i = divmod(int(row), DEGREE)
        reversed_row = a[chunk][(i - np.arange(DEGREE)) % DEGREE]
        unhidden += np.where(np.arange(DEGREE) <= i, reversed_row, -reversed_row)
    apart = (case.hints[0] - unhidden).view(np.int64)
    # Uniform words: far from the few bits of an error.
    assert np.median(np.abs(apart.astype(float))) > 2.0**61


def test_answers_to_the_same_words_differ_by_their_flood(case):
    words, _ = case.encrypted()
    first, second = (case.adder.add(words) for _ in range(2))
    apart = (first - second).view(np.int64)
    assert np.abs(apart).max() <= 2 ** (parameters.FLOOD_BITS + 1)
    assert np.abs(apart).mean() > 2 ** (parameters.FLOOD_BITS - 2)


def test_secrets_have_as_many_ones_as_are_reckoned_with_anywhere():
    places = small(400)
    written = lattice.written(places)
    assert ((written == 1.0).sum(axis=1) == parameters.WEIGHT // 2).all()
    assert ((written == -1.0).sum(axis=1) == parameters.WEIGHT // 2).all()
    for half in (
        places[:, : parameters.WEIGHT // 2],
        places[:, parameters.WEIGHT // 2 :],
    ):
        assert abs(half.mean() / DEGREE - 0.5) < 0.01
    assert len({row.tobytes() for row in places}) == 400


def test_every_word_carries_an_error_of_its_own(case):
    secret = small(1)
    words = encrypted(case.public, np.zeros(ROWS, dtype=np.int64), secret)
    bare = case.public.times(lattice.written(secret)[0])
    plain = np.concatenate([bare.reshape(-1)[:ROWS], bare[-1]])
    errors = (words - plain).view(np.int64)
    assert abs(errors[:ROWS].std() - 8.0**0.5) < 0.2
    assert abs(errors[ROWS:].std() - 8.0**0.5) < 0.2


def test_counts_of_several_nodes_share_a_word_and_come_apart_again():
    draws_ = np.random.default_rng(5)
    rows = 1_000
    nodes = [
        Numbers(at, draws_.integers(-9, 9, (2, len(at))))
        for at in (
            np.flatnonzero(draws_.random(rows) < share)
            for share in (1.0, 0.5, 0.3, 0.9, 0.2)
        )
    ]
    messages = words_of(nodes, rows)
    assert len(messages) == 5 * 2 + 2  # four counts of 10 bits in a word of 44
    plain = np.zeros((len(messages), rows), dtype=np.int64)
    for word, message in zip(plain, messages, strict=True):
        for at, numbers in message:
            word[at] += numbers
    bins = draws_.integers(0, 3, rows)
    opened = np.stack([plain[:, bins == b].sum(axis=1) for b in range(3)])
    for node, sums in zip(nodes, apart(opened, nodes, rows), strict=True):
        inside = [bins[node.rows] == b for b in range(3)]
        for kind, found in zip(node.kinds, sums, strict=False):
            assert found.tolist() == [kind[at].sum() for at in inside]
        assert sums[-1].tolist() == [at.sum() for at in inside]
