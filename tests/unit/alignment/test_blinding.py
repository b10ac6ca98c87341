"""Blinding gives the same in any order; two sets are compared and nothing told."""

from itertools import permutations

import numpy as np
import pytest

from fl_plugin.alignment.blinding import Blinder, checked_points, refuse_repeats
from fl_plugin.alignment.curve import points
from fl_plugin.alignment.equality import SameSet
from fl_plugin.errors import MessageError
from tests.matching import SALT, terms_for

HASHES = [bytes([i]) * 64 for i in range(1, 20)]


def test_the_order_of_blinding_makes_no_difference():
    blinders = [Blinder() for _ in range(3)]
    ends = set()
    for order in permutations(blinders):
        entries = points(HASHES)
        for blinder in order:
            entries = blinder.blind(entries)
        ends.add(entries.tobytes())
    assert len(ends) == 1


def test_each_blinder_has_a_secret_of_its_own():
    start = points(HASHES)
    assert (Blinder().blind(start) != Blinder().blind(start)).any(axis=1).all()


def test_the_largest_point_is_one_and_the_prime_is_none():
    prime = 2**255 - 19
    for number, allowed in ((prime - 1, True), (prime, False), (prime + 1, False)):
        raw = number.to_bytes(32, "little")
        entry = np.frombuffer(raw, dtype=np.uint8).reshape(1, 32)
        if allowed:
            assert checked_points(entry, 1) is entry
        else:
            with pytest.raises(MessageError):
                checked_points(entry, 1)


def test_repeats_are_found_whatever_bytes_they_end_with():
    entries = np.zeros((2, 32), dtype=np.uint8)
    entries[1, 31] = 1
    refuse_repeats(entries)
    with pytest.raises(MessageError):
        refuse_repeats(entries[[0, 1, 0]])


@pytest.mark.parametrize(
    ("theirs", "same"),
    [(HASHES[::-1], True), (HASHES[1:], False), ([*HASHES, bytes(64)], False)],
)
def test_two_sets_are_found_equal_only_if_they_are(theirs, same):
    terms = terms_for(["d1", "d2"], salted=True)
    one, other = (SameSet(terms, SALT, hashes) for hashes in (HASHES, theirs))
    back = other.answer(one.offer())
    to_other = one.answer(other.offer())
    for side, told in ((one, back), (other, to_other)):
        if same:
            side.check("peer", told)
        else:
            with pytest.raises(MessageError, match="told different rows"):
                side.check("peer", told)


def test_sets_are_compared_within_one_run_and_salt():
    terms = terms_for(["d1", "d2"], salted=True)
    one = SameSet(terms, SALT, HASHES)
    other = SameSet(terms, SALT[::-1], HASHES)
    back = other.answer(one.offer())
    one.answer(other.offer())
    with pytest.raises(MessageError):
        one.check("peer", back)
