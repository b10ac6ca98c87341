"""What a domain learns by a matching, and what it brings itself."""

from dataclasses import replace

import numpy as np
import pytest

from fl_plugin.alignment.limits import Limits
from fl_plugin.alignment.party import MatchingParty, MatchingSide
from fl_plugin.errors import ContractError, MessageError, PolicyError
from tests.matching import (
    OPEN,
    SALT,
    Meeting,
    SealingChannel,
    customers,
    keys_of,
    meet,
    people,
    terms_for,
)


@pytest.mark.parametrize("salted", [False, True])
@pytest.mark.parametrize("method", ["blinded", "keyed_hash"])
@pytest.mark.parametrize("parties", [2, 3, 5])
def test_all_domains_learn_the_same_rows_in_the_same_order(method, parties, salted):
    said = {"method": method, "salted": salted or method == "keyed_hash"}
    held = customers(parties)
    meeting = meet(held, **said)
    assert meeting.run().rows == 10
    found = {p: m.matched for p, m in meeting.parties.items()}
    names = {p: [held[p][i] for i in f.rows] for p, f in found.items()}
    assert set(names["d1"]) == set(people(range(10)))
    assert len({tuple(n) for n in names.values()}) == 1
    assert {f.lost for f in found.values()} == {"10 to 20"}
    numbers = [f.hashes.tolist() for f in found.values()]
    assert all(n == numbers[0] == sorted(set(n)) for n in numbers)


def test_the_order_hangs_on_the_seed_and_the_salt_and_on_no_run():
    def order(run="r-1", salt=SALT, **said):
        terms = replace(terms_for(customers(), **said), run=run)
        keys = {p: keys_of(c) for p, c in customers().items()}
        meeting = Meeting.of(terms, keys, salt=salt)
        meeting.run()
        return meeting.parties["d1"].matched.rows.tolist()

    first = order(salted=True)
    assert order(run="r-2", salted=True) == first
    assert order(salted=True, method="keyed_hash") == first
    assert order(salted=True, seed=1) != first
    assert order(salted=True, salt=SALT[::-1]) != first


def test_nothing_is_learnt_before_the_end():
    meeting = meet(customers())
    with pytest.raises(MessageError, match="not come to its end"):
        _ = meeting.parties["d1"].matched


def side(keys, salt=b"", limits=OPEN):
    channel = SealingChannel("d1", [])
    return MatchingSide(
        party="d1", keys=keys, channel=channel, limits=limits, salt=salt
    )


def test_keys_that_can_be_tried_need_a_salt():
    few = keys_of([str(i) for i in range(1_000)])
    with pytest.raises(PolicyError, match="space of less"):
        MatchingParty(terms_for(["d1", "d2"]), side(few, limits=Limits()))
    salted = terms_for(["d1", "d2"], salted=True)
    assert MatchingParty(salted, side(few, SALT, Limits())).answer({})


def test_long_random_keys_need_no_salt():
    draw = np.random.default_rng(1)
    many = keys_of([draw.bytes(16).hex() for _ in range(1_000)])
    party = MatchingParty(terms_for(["d1", "d2"]), side(many, limits=Limits()))
    assert party.answer({})


@pytest.mark.parametrize(
    ("said", "salt"),
    [({"salted": True}, SALT[:31]), ({"salted": True}, b""), ({}, SALT)],
)
def test_a_salt_must_fit_the_terms(said, salt):
    with pytest.raises(ContractError, match="salt"):
        MatchingParty(terms_for(["d1", "d2"], **said), side(keys_of(["a"]), salt))


@pytest.mark.parametrize(
    "said",
    [
        {"parties": ("b", "a")},
        {"parties": ("a",)},
        {"parties": ("a", "a")},
        {"parties": tuple(f"d{i:02}" for i in range(17))},
        {"method": "plain"},
        {"method": "keyed_hash"},
        {"run": ""},
        {"rules": ("soundex",)},
        {"longest_part": 0},
    ],
)
def test_terms_that_make_no_sense_are_refused(said):
    with pytest.raises(ContractError):
        replace(terms_for(["a", "b"]), **said)
