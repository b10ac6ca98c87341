"""Many rows for one of another domain: letters, places and orders."""

import numpy as np
import pytest

from fl_plugin.alignment.keys import distinct
from fl_plugin.alignment.lookup import drawn_order, places_of, tell, told
from fl_plugin.alignment.order import MatchedRows
from fl_plugin.errors import ContractError, MessageError

NONE = np.zeros(0, dtype=np.uint64)
MATCHED = MatchedRows(rows=np.array([7, 2, 5]), hashes=NONE, lost="")


class Letter:
    """A channel that hands on what it is given, unsealed."""

    def __init__(self, arrays=None):
        self.arrays = arrays

    def seal(self, peer, arrays):  # noqa: ARG002 one letter, whoever it is for
        self.arrays = arrays
        return np.zeros(1, dtype=np.uint8)

    def open(self, peer, sealed):  # noqa: ARG002
        return self.arrays


def letter(places, train=None):
    marks = np.ones(len(places), dtype=np.uint8) if train is None else train
    return Letter({"places": np.array(places), "train": marks})


def read(channel):
    return told(channel, "shop", np.zeros(1, dtype=np.uint8), MATCHED)


def test_a_repeated_key_is_one_key_and_every_row_says_which():
    keys, which = distinct({"id": ["b", "a", None, "b"]}, ("text",), min_cohort=1)
    assert len(keys.values) == 2
    assert keys.total == 2
    assert which.tolist() == [0, 1, -1, 0]
    assert keys.rows.tolist() == [0, 1]


def test_keys_that_differ_only_in_spelling_are_one():
    keys, which = distinct({"id": ["A b", " A b "]}, ("text",), min_cohort=1)
    assert len(keys.values) == 1
    assert which.tolist() == [0, 0]


def test_no_key_at_all_is_refused():
    with pytest.raises(ContractError, match="usable key"):
        distinct({"id": [None, ""]}, ("text",), min_cohort=1)


def test_a_row_has_the_place_of_its_key_or_none():
    first, which = np.array([0, 1, 3]), np.array([0, 1, 0, 2, -1])
    matched = MatchedRows(rows=np.array([3, 0]), hashes=NONE, lost="")
    assert places_of(matched, first, which).tolist() == [1, -1, 1, 0, -1]


def test_a_letter_names_rows_as_often_as_they_are_needed():
    channel = Letter()
    places, train = np.array([2, 0, 2]), np.array([True, False, True])
    tell(channel, {"people": places}, train)
    found = read(channel)
    assert found.rows.tolist() == [5, 7, 5]
    assert found.train.tolist() == [True, False, True]


@pytest.mark.parametrize(
    "channel",
    [
        letter([3]),
        letter([-1]),
        letter([]),
        letter([0.5]),
        letter([0, 1], np.array([1], dtype=np.uint8)),
        letter([0, 1], np.array([1, 2], dtype=np.uint8)),
        letter([0, 1], np.array([1.0, 0.0])),
        Letter({"places": np.array([0])}),
    ],
)
def test_a_letter_that_is_none_is_refused(channel):
    with pytest.raises(MessageError):
        read(channel)


def test_the_order_hangs_on_the_secret_and_on_the_seed():
    hashes = np.arange(200, dtype=np.uint64)
    order = drawn_order(hashes, b"secret", 1)
    assert sorted(order.tolist()) == list(range(200))
    assert (order == drawn_order(hashes, b"secret", 1)).all()
    assert (order != drawn_order(hashes, b"another", 1)).any()
    assert (order != drawn_order(hashes, b"secret", 2)).any()


def test_rows_stand_in_the_same_order_whichever_way_they_were_read():
    hashes = np.random.default_rng(0).integers(0, 2**63, 100).astype(np.uint64)
    there = hashes[drawn_order(hashes, b"secret", 0)]
    back = hashes[::-1][drawn_order(hashes[::-1], b"secret", 0)]
    assert (there == back).all()
