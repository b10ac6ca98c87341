"""What the coordinator refuses of a domain, and what it knows at the end."""

import numpy as np
import pytest

from fl_plugin.errors import MessageError
from tests.matching import meet


def people(numbers):
    return [f"customer {i}" for i in numbers]


def meeting(**said):
    return meet({"d1": people(range(20)), "d2": people(range(15, 40))}, **said)


def answers_changed(name, change, party="d1"):
    def spoil(_turn, sender, up, arrays):
        if up and name in arrays and sender == party:
            return {**arrays, name: change(np.array(arrays[name]))}
        return arrays

    return spoil


@pytest.mark.parametrize("said", [{}, {"method": "keyed_hash", "salted": True}])
def test_it_knows_the_number_of_matches_the_filled_sizes_and_buckets(said):
    end = meeting(**said).run()
    assert end.rows == 5
    assert end.sizes == {"d1": 20, "d2": 25}
    assert end.lost == {"d1": "10 to 20", "d2": "20 to 50"}


@pytest.mark.parametrize("said", [{}, {"method": "keyed_hash", "salted": True}])
@pytest.mark.parametrize("parties", [2, 3])
def test_progress_counts_every_step_to_the_last(said, parties):
    held = {f"d{i}": people(range(10 * i + 5)) for i in range(1, parties + 1)}
    met = meet(held, **said)
    met.run()
    steps = [p["step"] for p in met.progress]
    assert steps == list(range(1, len(steps) + 1))
    assert {p["steps"] for p in met.progress[1:]} == {float(len(steps))}


LONG = np.zeros(2**17, dtype=np.uint8)
NONE = 2**255 - 19


def with_first(entries, number):
    entries[0] = np.frombuffer(number.to_bytes(32, "little"), dtype=np.uint8)
    return entries


@pytest.mark.parametrize(
    ("name", "change", "match"),
    [
        ("size", lambda s: s * 0, "empty"),
        ("size", lambda s: s - 100, "negative"),
        ("size", lambda s: s + 2**27, "too long to be matched"),
        ("size", lambda s: s.astype(np.float64), "no whole numbers"),
        ("size", lambda s: np.append(s, s), "another number of numbers"),
        ("sealed", lambda s: s.astype(np.int64), "nothing sealed"),
        ("sealed", lambda _: LONG, "longer than it could be"),
        ("sealed", lambda s: s.reshape(1, -1), "longer than it could be"),
        ("peer.1", lambda _: LONG, "longer than it could be"),
        ("entries", lambda e: e[1:], "cut"),
        ("entries", lambda e: e.astype(np.float64), "not made of bytes"),
        ("entries", lambda e: e[[0, 0, *range(2, len(e))]], "twice"),
        ("entries", lambda e: with_first(e, NONE), "no point"),
        ("rows", lambda r: r + 1, "different numbers of matches"),
        ("rows", lambda r: r.astype(np.float64), "no whole numbers"),
        ("lost", lambda s: s[:1], "another number of numbers"),
        ("lost", lambda s: -s - 1, "negative"),
    ],
)
def test_answers_that_are_none_are_refused(name, change, match):
    met = meeting()
    met.spoil = answers_changed(name, change)
    with pytest.raises(MessageError, match=match):
        met.run()


def test_answers_with_more_or_fewer_arrays_are_refused():
    for spoilt in ({}, {"x": np.ones(1)}):
        met = meeting()
        met.spoil = lambda _n, _p, up, a, s=spoilt: s if up and "entries" in a else a
        with pytest.raises(MessageError):
            met.run()


def test_a_list_cut_on_its_last_way_is_refused():
    met = meeting()
    met.spoil = answers_changed("entries", lambda e: e[:-1], "d2")
    with pytest.raises(MessageError, match="cut"):
        met.run()
