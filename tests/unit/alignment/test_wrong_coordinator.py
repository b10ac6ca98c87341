"""What a domain refuses of a coordinator that does not keep to the protocol.

One test for each row of "What is refused" in docs/matching.md.
"""

from dataclasses import replace

import numpy as np
import pytest

from fl_plugin.errors import MessageError, PolicyError
from tests.matching import (
    OPEN,
    Meeting,
    customers,
    keys_of,
    meet,
    people,
    refusal,
    terms_for,
)


def places_changed(change, party=None):
    """A coordinator that changes the places it tells (one party of)."""

    def spoil(_turn, to, up, arrays):
        if "places" in arrays and not up and party in (None, to):
            return arrays | {"places": change(np.array(arrays["places"]))}
        return arrays

    return spoil


@pytest.mark.parametrize("parties", [2, 3])
@pytest.mark.parametrize("method", ["blinded", "keyed_hash"])
def test_one_wrong_place_is_found_out(method, parties):
    meeting = meet(customers(parties), method=method, salted=True)

    def elsewhere(places):
        free = np.setdiff1d(np.arange(20), places)
        return np.sort(np.append(places[1:], free[0]))

    meeting.spoil = places_changed(elsewhere, "d1")
    assert "told different rows" in refusal(meeting)


def test_every_domain_finds_out_by_itself_that_one_was_told_wrong_rows(monkeypatch):
    meeting = meet(customers(3))
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
    meeting = meet(customers())
    kept = {}

    def swap(_turn, to, up, arrays):
        if "places" in arrays and not up:
            kept[to] = arrays["places"]
            return {"places": kept.get("d1")}
        return arrays

    meeting.spoil = swap
    assert "told different rows" in refusal(meeting)


@pytest.mark.parametrize("party", ["d1", "d2"])
def test_fewer_places_in_one_list_are_found_out(party):
    meeting = meet(customers())
    meeting.spoil = places_changed(lambda p: p[1:], party)
    assert "more matches in one list" in refusal(meeting)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda p: p[::-1], "out of order"),
        (lambda p: np.append(p[:-1], p[-2]), "doubled"),
        (lambda p: np.append(p[:-1], 20), "beyond it"),
        (lambda p: np.append(-1, p[1:]), "negative numbers"),
        (lambda p: p.astype(np.float64), "no whole numbers"),
        (lambda p: p.reshape(2, 5), "another number of numbers"),
    ],
    ids=["order", "doubled", "beyond", "negative", "floats", "shape"],
)
def test_places_that_are_none_are_refused(change, told):
    meeting = meet(customers())
    meeting.spoil = places_changed(change)
    assert told in refusal(meeting)


def test_a_place_that_only_fills_up_a_list_is_refused():
    meeting = meet({"d1": people(range(3)), "d2": people(range(3))})
    meeting.spoil = places_changed(lambda _: np.arange(8))
    assert "only fills up" in refusal(meeting)


def test_every_domain_sees_how_few_rows_would_be_told_before_it_helps():
    strict = replace(OPEN, least_matches=11)
    keys = {p: keys_of(c) for p, c in customers(3).items()}
    for party in keys:
        limits = dict.fromkeys(keys, OPEN) | {party: strict}
        meeting = Meeting.of(terms_for(keys), keys, limits)
        assert "Fewer than 11 rows" in refusal(meeting, PolicyError)
        # The owner of the list that the strict domain had last learns nothing.
        owner = meeting.parties[meeting.terms.after(party)]
        assert owner._rows is None


@pytest.mark.parametrize("named", ["sealed", "peer.0"])
def test_what_was_sealed_before_is_refused_when_replayed(named):
    meeting = meet(customers(3))
    heard = []

    def replay(_turn, to, up, arrays):
        if up or to != "d2" or named not in arrays:
            return arrays
        heard.append(arrays[named])
        return {**arrays, named: heard[0]}

    meeting.spoil = replay
    assert refusal(meeting) == "Not the next one."
    assert len(heard) == 2


def test_a_part_of_a_list_that_is_skipped_is_missed():
    meeting = meet(customers())

    def skip(turn, to, up, arrays):
        taken = turn == 5 and to == "d2" and not up  # the second part
        return {} if taken else arrays

    meeting.spoil = skip
    assert "not the one that comes next" in refusal(meeting)


def test_another_size_of_the_own_list_is_refused():
    meeting = meet(customers())

    def lie(_turn, to, up, arrays):
        if "sizes" in arrays:
            return {**arrays, "sizes": np.array([24, 20])}
        return arrays

    meeting.spoil = lie
    assert "another size of this domain's list" in refusal(meeting)


def test_another_size_of_a_peers_list_is_refused():
    meeting = meet(customers())

    def lie(_turn, to, up, arrays):
        if "sizes" in arrays and to == "d1":
            return {**arrays, "sizes": np.array([20, 18])}
        return arrays

    meeting.spoil = lie
    assert "d2 sealed something else" in refusal(meeting)


@pytest.mark.parametrize("question", [{}, {"places": np.arange(3)}, {"x": np.ones(1)}])
def test_a_question_out_of_turn_ends_the_matching(question):
    party = meet(customers()).parties["d1"]
    party.answer({})
    with pytest.raises(MessageError, match="not the one that comes next"):
        party.answer(question)
    with pytest.raises(MessageError, match="it is over"):
        party.answer({})


def test_a_matching_is_answered_once():
    meeting = meet(customers())
    meeting.run()
    with pytest.raises(MessageError, match="it is over"):
        meeting.parties["d1"].answer({})
    assert meeting.parties["d1"].matched.rows.size == 10
