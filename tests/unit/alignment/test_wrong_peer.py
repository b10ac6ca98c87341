"""What a domain refuses of another domain that does not keep to the protocol.

One test for each row of "What is refused" in docs/matching.md.
"""

from dataclasses import replace

import numpy as np
import pytest

from fl_plugin.alignment.counts import padded_size
from fl_plugin.errors import MessageError, PolicyError
from tests.matching import (
    OPEN,
    SALT,
    Meeting,
    customers,
    keys_of,
    meet,
    people,
    refusal,
    terms_for,
)

LOW_ORDER = [
    bytes(32),
    (1).to_bytes(32, "little"),
    bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
    (2**255 - 20).to_bytes(32, "little"),
]
TWICE_SPELT = [
    (2**255 - 19).to_bytes(32, "little"),
    (2**255 - 1).to_bytes(32, "little"),
    (2**255 + 9).to_bytes(32, "little"),
]


def forged(change, kind, value="value"):
    def forge(_peer, arrays):
        if arrays["about"][0] != kind:
            return arrays
        return {**arrays, value: change(np.array(arrays[value]))}

    return forge


def first_entry(raw):
    def change(entries):
        entries[0] = np.frombuffer(raw, dtype=np.uint8)
        return entries

    return change


@pytest.mark.parametrize("point", LOW_ORDER)
def test_points_of_small_order_are_refused(point):
    meeting = meet(customers())
    meeting.channels["d1"].forge = forged(first_entry(point), 1)
    assert "small order" in refusal(meeting)


@pytest.mark.parametrize("point", TWICE_SPELT)
def test_second_spellings_of_points_are_refused(point):
    meeting = meet(customers())
    meeting.channels["d1"].forge = forged(first_entry(point), 1)
    assert "no point" in refusal(meeting)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda e: e[[0, 0, *range(2, len(e))]], "twice"),
        (lambda e: e[:-1], "cut"),
        (lambda e: np.vstack([e, e[:1]]), "cut, or longer"),
        (lambda e: e[:, :31], "cut"),
        (lambda e: e.astype(np.int64), "not made of bytes"),
        (lambda e: e.ravel(), "cut"),
    ],
    ids=["doubled", "cut", "longer", "narrow", "numbers", "flat"],
)
def test_lists_that_are_none_are_refused(change, match):
    meeting = meet(customers())
    meeting.channels["d1"].forge = forged(change, 1)
    assert match in refusal(meeting)


def test_an_entry_doubled_in_another_part_is_refused():
    meeting = meet(customers())
    first = []

    def double(entries):
        first.append(entries[0])
        entries[0] = first[0]
        return entries

    meeting.channels["d1"].forge = forged(double, 1)
    assert "twice" in refusal(meeting)
    # The next domain refuses, and not only the coordinator at the end.
    assert not [a for p, _, a in meeting.sent if p == "d2" and "entries" in a]


def test_parts_in_another_order_are_refused_whatever_the_channel_says():
    meeting = meet(customers(), longest_part=10)

    def other_part(about):
        return np.array([1, 0, 10 - about[2]])

    meeting.channels["d1"].forge = forged(other_part, 1, "about")
    assert "something else than was its turn" in refusal(meeting)


@pytest.mark.parametrize(
    "limits", [replace(OPEN, largest_list=30), replace(OPEN, largest_ratio=1.5)]
)
def test_a_list_that_is_too_long_is_refused_before_any_work(limits):
    keys = {"d1": keys_of(people(range(20))), "d2": keys_of(people(range(40)))}
    meeting = Meeting.of(terms_for(keys), keys, {"d1": limits, "d2": OPEN})
    assert "The list of d2 is" in refusal(meeting, PolicyError)
    assert not [a for _, _, a in meeting.sealed if a["about"][0] == 1]


def test_a_list_that_is_not_filled_up_is_refused():
    meeting = meet({p: people(range(37)) for p in ("d1", "d2")})
    assert padded_size(37, 8) == 38
    party = meeting.parties["d2"]
    party._sizes["d2"] = 37
    party._orders[0] = np.arange(37)
    assert "the list of d2 is not filled up" in refusal(meeting)


@pytest.mark.parametrize("method", ["blinded", "keyed_hash"])
def test_domains_with_other_salts_stop_and_say_so(method):
    keys = {p: keys_of(c) for p, c in customers().items()}
    terms = terms_for(keys, method=method, salted=True)
    meeting = Meeting.of(terms, keys, salt={"d1": SALT, "d2": SALT[::-1]})
    assert "has other terms than this domain" in refusal(meeting)


@pytest.mark.parametrize(
    "other", [{"seed": 1}, {"rules": ("exact",)}, {"run": "r-2"}, {"smallest_list": 4}]
)
def test_domains_with_other_terms_stop_and_say_so(other):
    meeting = meet(customers())
    meeting.parties["d2"]._terms = replace(meeting.terms, **other)
    assert "has other terms than this domain" in refusal(meeting)


def test_an_offer_sent_back_is_no_proof():
    meeting = meet(customers())
    kept = []

    def keep(value):
        kept.append(value)
        return value

    meeting.channels["d1"].forge = forged(keep, 3)
    meeting.channels["d2"].forge = forged(lambda _: kept[0], 3)
    assert "sent back what it was sent" in refusal(meeting)


def test_a_domain_that_was_told_other_rows_cannot_pretend():
    meeting = meet(customers())
    random = np.frombuffer(bytes(range(32)), dtype=np.uint8).reshape(1, 32)
    meeting.channels["d1"].forge = forged(lambda _: random, 4)
    with pytest.raises(MessageError, match="this domain and d1 were told different"):
        meeting.run()
    with pytest.raises(MessageError):
        _ = meeting.parties["d2"].matched


def test_a_sealed_array_that_is_not_named_so_is_refused():
    meeting = meet(customers())
    meeting.channels["d1"].forge = lambda _p, a: {"value": a["value"]}
    assert "something else than was its turn" in refusal(meeting)
