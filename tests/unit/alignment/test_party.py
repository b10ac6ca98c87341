"""What a domain refuses of a coordinator, and of another domain, in a matching.

One test for each row of the tables of refusals in docs/matching.md.
"""

from dataclasses import replace

import numpy as np
import pytest

from fl_plugin.alignment.counts import padded_size
from fl_plugin.alignment.limits import Limits
from fl_plugin.alignment.party import MatchingParty, MatchingSide
from fl_plugin.errors import ContractError, MessageError, PolicyError
from tests.matching import OPEN, SALT, Meeting, SealingChannel, keys_of, meet, terms_for

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


def people(numbers):
    return [f"customer {i}" for i in numbers]


def columns(parties=2):
    """20 customers each; 10 of them in all domains."""
    return {
        f"d{i}": people([*range(10), *range(100 * i, 100 * i + 10)])
        for i in range(1, parties + 1)
    }


def places_changed(change, party=None):
    """A coordinator that changes the places it tells (one party of)."""

    def spoil(_turn, to, up, arrays):
        if "places" in arrays and not up and party in (None, to):
            return arrays | {"places": change(np.array(arrays["places"]))}
        return arrays

    return spoil


def refused(meeting, error=MessageError, match=None):
    with pytest.raises(error, match=match):
        meeting.run()
    for party in meeting.parties.values():
        with pytest.raises(MessageError):
            _ = party.matched


@pytest.mark.parametrize("salted", [False, True])
@pytest.mark.parametrize("method", ["blinded", "keyed_hash"])
@pytest.mark.parametrize("parties", [2, 3, 5])
def test_all_domains_learn_the_same_rows_in_the_same_order(method, parties, salted):
    said = {"method": method, "salted": salted or method == "keyed_hash"}
    held = columns(parties)
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
        terms = replace(terms_for(columns(), **said), run=run)
        keys = {p: keys_of(c) for p, c in columns().items()}
        meeting = Meeting.of(terms, keys, salt=salt)
        meeting.run()
        return meeting.parties["d1"].matched.rows.tolist()

    first = order(salted=True)
    assert order(run="r-2", salted=True) == first
    assert order(salted=True, method="keyed_hash") == first
    assert order(salted=True, seed=1) != first
    assert order(salted=True, salt=SALT[::-1]) != first


def test_nothing_is_learnt_before_the_end():
    meeting = meet(columns())
    with pytest.raises(MessageError, match="not come to its end"):
        _ = meeting.parties["d1"].matched


# A coordinator that does not keep to the protocol.


@pytest.mark.parametrize("parties", [2, 3])
@pytest.mark.parametrize("method", ["blinded", "keyed_hash"])
def test_one_wrong_place_is_found_out(method, parties):
    meeting = meet(columns(parties), method=method, salted=True)

    def elsewhere(places):
        free = np.setdiff1d(np.arange(20), places)
        return np.sort(np.append(places[1:], free[0]))

    meeting.spoil = places_changed(elsewhere, "d1")
    refused(meeting, match="told different rows")


def test_every_domain_finds_out_by_itself_that_one_was_told_wrong_rows(monkeypatch):
    meeting = meet(columns(3))
    meeting.spoil = places_changed(
        lambda p: np.sort(np.append(p[1:], np.setdiff1d(np.arange(20), p)[0])), "d1"
    )
    ends = []

    def without_stopping(answer):
        def patient(question):
            try:
                return answer(question)
            except MessageError as error:
                ends.append(error.problem)
                return {"rows": np.array([10]), "lost": np.array([10, 20])}

        return patient

    for party in meeting.parties.values():
        monkeypatch.setattr(party, "answer", without_stopping(party.answer))
    meeting.run()
    assert len(ends) == 3
    assert all("told different rows" in e for e in ends)


def test_places_of_another_list_are_found_out():
    meeting = meet(columns())
    kept = {}

    def swap(_turn, to, up, arrays):
        if "places" in arrays and not up:
            kept[to] = arrays["places"]
            return {"places": kept.get("d1")}
        return arrays

    meeting.spoil = swap
    refused(meeting, match="told different rows")


@pytest.mark.parametrize("party", ["d1", "d2"])
def test_fewer_places_in_one_list_are_found_out(party):
    meeting = meet(columns())
    meeting.spoil = places_changed(lambda p: p[1:], party)
    refused(meeting, match="more matches in one list")


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p[::-1],
        lambda p: np.append(p[:-1], p[-2]),
        lambda p: np.append(p[:-1], 20),
        lambda p: np.append(-1, p[1:]),
        lambda p: p.astype(np.float64),
        lambda p: p.reshape(2, 5),
    ],
    ids=["order", "doubled", "beyond", "negative", "floats", "shape"],
)
def test_places_that_are_none_are_refused(change):
    meeting = meet(columns())
    meeting.spoil = places_changed(change)
    refused(meeting)


def test_a_place_that_only_fills_up_a_list_is_refused():
    meeting = meet({"d1": people(range(3)), "d2": people(range(3))})
    meeting.spoil = places_changed(lambda _: np.arange(8))
    refused(meeting, match="only fills up")


def test_every_domain_sees_how_few_rows_would_be_told_before_it_helps():
    strict = replace(OPEN, least_matches=11)
    keys = {p: keys_of(c) for p, c in columns(3).items()}
    for party in keys:
        limits = dict.fromkeys(keys, OPEN) | {party: strict}
        meeting = Meeting.of(terms_for(keys), keys, limits)
        refused(meeting, PolicyError, "Fewer than 11 rows")
        # The owner of the list that the strict domain had last learns nothing.
        owner = meeting.parties[meeting.terms.after(party)]
        assert owner._rows is None


@pytest.mark.parametrize("named", ["sealed", "peer.0"])
def test_what_was_sealed_before_is_refused_when_replayed(named):
    meeting = meet(columns(3))
    heard = []

    def replay(_turn, to, up, arrays):
        if up or to != "d2" or named not in arrays:
            return arrays
        heard.append(arrays[named])
        return {**arrays, named: heard[0]}

    meeting.spoil = replay
    refused(meeting)
    assert len(heard) == 2


def test_a_part_of_a_list_that_is_skipped_is_missed():
    meeting = meet(columns())

    def skip(turn, to, up, arrays):
        taken = turn == 5 and to == "d2" and not up  # the second part
        return {} if taken else arrays

    meeting.spoil = skip
    refused(meeting, match="not the one that comes next")


def test_parts_in_another_order_are_refused_whatever_the_channel_says():
    meeting = meet(columns(), longest_part=10)

    def other_part(about):
        return np.array([1, 0, 10 - about[2]])

    meeting.channels["d1"].forge = forged(other_part, 1, "about")
    refused(meeting, match="something else than was its turn")


def test_another_size_of_the_own_list_is_refused():
    meeting = meet(columns())

    def lie(_turn, to, up, arrays):
        if "sizes" in arrays:
            return {**arrays, "sizes": np.array([24, 20])}
        return arrays

    meeting.spoil = lie
    refused(meeting, match="another size of this domain's list")


def test_another_size_of_a_peers_list_is_refused():
    meeting = meet(columns())

    def lie(_turn, to, up, arrays):
        if "sizes" in arrays and to == "d1":
            return {**arrays, "sizes": np.array([20, 18])}
        return arrays

    meeting.spoil = lie
    refused(meeting, match="d2 sealed something else")


@pytest.mark.parametrize("question", [{}, {"places": np.arange(3)}, {"x": np.ones(1)}])
def test_a_question_out_of_turn_ends_the_matching(question):
    party = meet(columns()).parties["d1"]
    party.answer({})
    with pytest.raises(MessageError, match="not the one that comes next"):
        party.answer(question)
    with pytest.raises(MessageError, match="it is over"):
        party.answer({})


def test_a_matching_is_answered_once():
    meeting = meet(columns())
    meeting.run()
    with pytest.raises(MessageError, match="it is over"):
        meeting.parties["d1"].answer({})
    assert meeting.parties["d1"].matched.rows.size == 10


# Another domain that does not keep to the protocol.


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
    meeting = meet(columns())
    meeting.channels["d1"].forge = forged(first_entry(point), 1)
    refused(meeting, match="small order")


@pytest.mark.parametrize("point", TWICE_SPELT)
def test_second_spellings_of_points_are_refused(point):
    meeting = meet(columns())
    meeting.channels["d1"].forge = forged(first_entry(point), 1)
    refused(meeting, match="no point")


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
    meeting = meet(columns())
    meeting.channels["d1"].forge = forged(change, 1)
    refused(meeting, match=match)


def test_an_entry_doubled_in_another_part_is_refused():
    meeting = meet(columns())
    first = []

    def double(entries):
        first.append(entries[0])
        entries[0] = first[0]
        return entries

    meeting.channels["d1"].forge = forged(double, 1)
    refused(meeting, match="twice")
    # The next domain refuses, and not only the coordinator at the end.
    assert not [a for p, _, a in meeting.sent if p == "d2" and "entries" in a]


@pytest.mark.parametrize(
    "limits", [replace(OPEN, largest_list=30), replace(OPEN, largest_ratio=1.5)]
)
def test_a_list_that_is_too_long_is_refused_before_any_work(limits):
    keys = {"d1": keys_of(people(range(20))), "d2": keys_of(people(range(40)))}
    meeting = Meeting.of(terms_for(keys), keys, {"d1": limits, "d2": OPEN})
    refused(meeting, PolicyError, "The list of d2 is")
    assert not [a for _, _, a in meeting.sealed if a["about"][0] == 1]


def test_a_list_that_is_not_filled_up_is_refused():
    meeting = meet({p: people(range(37)) for p in ("d1", "d2")})
    assert padded_size(37, 8) == 38
    party = meeting.parties["d2"]
    party._sizes["d2"] = 37
    party._orders[0] = np.arange(37)
    refused(meeting, match="the list of d2 is not filled up")


@pytest.mark.parametrize("method", ["blinded", "keyed_hash"])
def test_domains_with_other_salts_stop_and_say_so(method):
    keys = {p: keys_of(c) for p, c in columns().items()}
    terms = terms_for(keys, method=method, salted=True)
    meeting = Meeting.of(terms, keys, salt={"d1": SALT, "d2": SALT[::-1]})
    refused(meeting, match="has other terms than this domain")


@pytest.mark.parametrize(
    "other", [{"seed": 1}, {"rules": ("exact",)}, {"run": "r-2"}, {"smallest_list": 4}]
)
def test_domains_with_other_terms_stop_and_say_so(other):
    meeting = meet(columns())
    meeting.parties["d2"]._terms = replace(meeting.terms, **other)
    refused(meeting, match="has other terms than this domain")


def test_an_offer_sent_back_is_no_proof():
    meeting = meet(columns())
    kept = []

    def keep(value):
        kept.append(value)
        return value

    meeting.channels["d1"].forge = forged(keep, 3)
    meeting.channels["d2"].forge = forged(lambda _: kept[0], 3)
    refused(meeting, match="sent back what it was sent")


def test_a_domain_that_was_told_other_rows_cannot_pretend():
    meeting = meet(columns())
    random = np.frombuffer(bytes(range(32)), dtype=np.uint8).reshape(1, 32)
    meeting.channels["d1"].forge = forged(lambda _: random, 4)
    with pytest.raises(MessageError, match="this domain and d1 were told different"):
        meeting.run()
    with pytest.raises(MessageError):
        _ = meeting.parties["d2"].matched


def test_a_sealed_array_that_is_not_named_so_is_refused():
    meeting = meet(columns())
    meeting.channels["d1"].forge = lambda _p, a: {"value": a["value"]}
    refused(meeting, match="something else than was its turn")


# What a domain brings itself.


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
    MatchingParty(salted, side(few, SALT, Limits()))


def test_long_random_keys_need_no_salt():
    draw = np.random.default_rng(1)
    many = keys_of([draw.bytes(16).hex() for _ in range(1_000)])
    MatchingParty(terms_for(["d1", "d2"]), side(many, limits=Limits()))


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
