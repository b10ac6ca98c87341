"""Forty poisoned answers: each refused by the name of who sent it, plain and masked.

A poisoned value is refused twice: where it would be encoded, by the party's own proof,
and, if a party leaves the proof out, by the coordinator: by name in the clear; under
masks, where nobody can say whose it is, by the total. A poisoned array is refused by
name either way, and the sum over the others is what it is without that party.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from fl_plugin.errors import MessageError, TrainingError
from fl_plugin.privacy.encoding import decode, encode, encode_part, pack
from fl_plugin.privacy.received import check_part, check_rows, check_total
from fl_plugin.privacy.terms import Terms
from fl_plugin.summand import Summand
from tests.aggregation import Cohort, cut_sum, identities, names, same_low_bytes

EXPECTED: Mapping[str, Summand] = {
    "gradient": Summand(shape=(4,), bound=10.0),
    "moments": Summand(shape=(2,), bound=None),
    "rows": Summand.count((1,), 100),
    "share": Summand(shape=(2, 3), bound=np.array([1.0, 4.0]), width=4),
}
GOOD: Mapping[str, Any] = {
    "gradient": np.array([1.0, -2.0, 3.0, 0.0]),
    "moments": np.array([1e6, -1e-6]),
    "rows": np.array([12]),
    "share": np.array([[0.5, -0.5, 1.0], [4.0, 2.0, -3.0]]),
}


def with_value(name: str, index: Any, value: Any) -> Callable[[], dict[str, Any]]:
    def made() -> dict[str, Any]:
        array = GOOD[name].copy()
        array[index] = value
        return {**GOOD, name: array}

    return made


VALUES: dict[str, Callable[[], dict[str, Any]]] = {
    "NaN": with_value("gradient", 0, np.nan),
    "infinity": with_value("gradient", 3, np.inf),
    "minus infinity": with_value("gradient", 1, -np.inf),
    "1e300": with_value("gradient", 2, 1e300),
    "ten times the norm": lambda: {**GOOD, "gradient": 10 * GOOD["gradient"]},
    "just above the bound": with_value("gradient", 0, np.nextafter(10.0, 11.0) + 1e-9),
    "above its own row's bound": with_value("share", (0, 0), 1.5),
    "far below its row's bound": with_value("share", (1, 2), -1e6),
    "NaN in a narrow array": with_value("share", (0, 1), np.nan),
    "NaN in a moment": with_value("moments", 0, np.nan),
    "infinity in a moment": with_value("moments", 0, np.inf),
    "1e300 in a moment": with_value("moments", 1, 1e300),
    "more rows than there are": with_value("rows", 0, 101),
    "many negative rows": with_value("rows", 0, -101),
}


def sent(change: Callable[[dict[str, Any]], Any]) -> Callable[[], Any]:
    """What a party sends, altered."""

    def made() -> Any:
        arrays = packed(GOOD)
        return change(arrays) or arrays

    return made


def packed(part: Mapping[str, Any]) -> dict[str, Any]:
    return {n: pack(encode(s, part[n]), s.width) for n, s in EXPECTED.items()}


def put(name: str, value: Any) -> Callable[[], Any]:
    return sent(lambda arrays: arrays | {name: value(arrays[name])})


ARRAYS: dict[str, Callable[[], Any]] = {
    "nothing": sent(lambda _: {"": 0} and {"x": np.zeros(1)}),
    "no mapping": lambda: [1, 2, 3],
    "no answer": lambda: None,
    "an array missing": sent(lambda a: {n: a[n] for n in a if n != "rows"}),
    "an array too many": sent(lambda a: a | {"more": a["rows"]}),
    "an array twice, misspelt": sent(lambda a: a | {"Gradient": a["gradient"]}),
    "an array under another's name": put("gradient", lambda _: packed(GOOD)["moments"]),
    "an array renamed": sent(
        lambda a: {("grad" if n == "gradient" else n): v for n, v in a.items()}
    ),
    "floats": put("gradient", lambda _: GOOD["gradient"]),
    "NaN as floats": put("gradient", lambda _: np.full(4, np.nan)),
    "signed words": put("gradient", lambda a: a.view(np.int64)),
    "words of the other end": put("gradient", lambda a: a.astype(">u8")),
    "short words": put("gradient", lambda a: a.astype(np.uint32)),
    "truths": put("gradient", lambda a: a > 0),
    "objects": put("gradient", lambda a: a.astype(object)),
    "text": put("gradient", lambda a: a.astype(str)),
    "a list": put("gradient", lambda a: a.tolist()),
    "a number": put("gradient", lambda _: 7),
    "None": put("gradient", lambda _: None),
    "one entry short": put("gradient", lambda a: a[:-1]),
    "one entry long": put("gradient", lambda a: np.append(a, a[:1])),
    "no entries": put("gradient", lambda a: a[:0]),
    "a dimension more": put("gradient", lambda a: a[None]),
    "all in one entry": put("gradient", lambda a: a.sum()),
    "turned": put("share", lambda a: np.swapaxes(a, 0, 1)),
    "one byte short": put("share", lambda a: a[..., :-1]),
    "one byte long": put("share", lambda a: np.concatenate([a, a[..., :1]], axis=-1)),
    "full words for narrow ones": put("share", lambda _: np.zeros((2, 3), np.uint64)),
    "signed bytes": put("share", lambda a: a.view(np.int8)),
    "packed bytes as one line": put("share", lambda a: a.reshape(-1)),
    "a limb short": put("moments", lambda a: a[:5]),
    "a wide count": put("rows", lambda a: np.zeros(1, np.uint64)),
}


def test_there_are_at_least_forty():
    assert len(VALUES) + len(ARRAYS) >= 40


def test_a_good_answer_passes_plain_and_masked():
    words = encode_part("north", EXPECTED, GOOD)
    for masked in (False, True):
        found = check_part("north", EXPECTED, packed(GOOD), masked=masked)
        assert same_low_bytes(found, cut_sum([words], EXPECTED), EXPECTED)


@pytest.mark.parametrize("what", VALUES)
def test_a_poisoned_value_is_refused_by_name_before_it_is_masked(what, figure):
    with pytest.raises(TrainingError, match=r"^north, \w+: ") as caught:
        encode_part("north", EXPECTED, VALUES[what]())
    assert not any(c.isdigit() for c in caught.value.problem)  # no data value
    figure("poisoned answers refused by name", 1)


def careless(part: Mapping[str, Any]) -> dict[str, Any]:
    """Words of a party that leaves the proof out, as large as they get."""
    words = {}
    for name, summand in EXPECTED.items():
        values = np.nan_to_num(part[name], nan=1e200)
        values = np.clip(values, -1e200, 1e200)
        if summand.bound is None:
            largest = np.clip(values, -(2.0**91), 2.0**91)
            words[name] = encode(summand, largest)
            if not (np.abs(values) < 2.0**91).all():
                words[name] = words[name] + np.uint64(2**62)
            continue
        exponents = np.zeros(1, int) if summand.integer else summand.exponents
        steps = np.ldexp(values, exponents.reshape(-1, *[1] * (values.ndim - 1)))
        top = 2.0 ** (8 * summand.width - 1) - 1024 if summand.width == 8 else 2.0**30
        words[name] = np.clip(steps, -top, top).astype(np.int64).view(np.uint64)
    return words


@pytest.mark.parametrize("what", VALUES)
def test_a_poisoned_value_is_refused_by_name_in_the_clear(what):
    words = careless(VALUES[what]())
    arrays = {n: pack(words[n], s.width) for n, s in EXPECTED.items()}
    with pytest.raises(MessageError, match=r"^north sent values of"):
        check_part("north", EXPECTED, arrays, masked=False)
    check_part("north", EXPECTED, arrays, masked=True)  # masks would hide it


@pytest.mark.parametrize("digit", [2**30 + 1, -(2**30) - 1, 2**62, -(2**63)])
def test_digits_that_could_overflow_a_sum_are_refused_in_the_clear(digit):
    arrays = packed(GOOD)
    arrays["moments"] = arrays["moments"].copy()
    arrays["moments"][3, 1] = np.int64(digit).view(np.uint64)
    with pytest.raises(MessageError, match=r"^north sent values of moments"):
        check_part("north", EXPECTED, arrays, masked=False)


@pytest.mark.parametrize("masked", [False, True], ids=["plain", "masked"])
@pytest.mark.parametrize("what", ARRAYS)
def test_a_poisoned_array_is_refused_by_name(what, masked, figure):
    with pytest.raises(MessageError, match=r"^north sent"):
        check_part("north", EXPECTED, ARRAYS[what](), masked=masked)
    figure("poisoned answers refused by name", int(masked))


@pytest.mark.parametrize("what", ARRAYS)
def test_a_poisoned_array_leaves_the_sum_as_it_is_without_that_party(what):
    parties = names(4)
    cohort = Cohort(Terms.recovering("run", parties, 3), identities(parties))
    cohort.prepare()
    words = encode_part("north", EXPECTED, GOOD)
    hidden: dict[str, Any] = cohort.hide(dict.fromkeys(parties, words), EXPECTED)
    hidden["p02"] = ARRAYS[what]()
    masked = cohort.aggregator.add(hidden, EXPECTED, 0, "asked 0")
    assert masked.round.lost == ("p02",)
    assert cohort.aggregator.left_out["p02"].startswith("p02 sent")
    got = cohort.unmask(masked)
    assert same_low_bytes(got, cut_sum([words] * 3, EXPECTED), EXPECTED)


@pytest.mark.parametrize("what", ARRAYS)
def test_without_recovery_a_poisoned_array_stops_the_run_by_name(what):
    parties = names(3)
    cohort = Cohort(Terms.stopping("run", parties))
    cohort.prepare()
    words = encode_part("north", EXPECTED, GOOD)
    hidden: dict[str, Any] = cohort.hide(dict.fromkeys(parties, words), EXPECTED)
    hidden["p02"] = ARRAYS[what]()
    with pytest.raises(MessageError, match=r"^p02 sent"):
        cohort.aggregator.add(hidden, EXPECTED, 0, "asked 0")


def totals_of(words_by_party: list[dict[str, Any]], *, spoil: bool) -> dict[str, Any]:
    """Masked sums over three parties, decoded; one with masks that do not fit."""
    cohort = Cohort(Terms.stopping("run", names(3)))
    cohort.prepare()
    parts = dict(zip(names(3), words_by_party, strict=True))
    hidden = cohort.hide(parts, EXPECTED)
    if spoil:
        other = Cohort(Terms.stopping("run", names(3)))
        other.prepare()
        hidden["p01"] = other.parties["p01"].hide(parts["p01"], EXPECTED, 0, "asked 0")
    sums = cohort.aggregator.add(hidden, EXPECTED, 0, "asked 0").unmask({})
    return {n: decode(s, sums[n]) for n, s in EXPECTED.items()}


def test_a_total_beyond_its_bound_is_refused():
    good = encode_part("north", EXPECTED, GOOD)
    few = {n: np.zeros_like(w) for n, w in good.items()}
    totals = totals_of([good, few, few], spoil=False)
    check_total(EXPECTED, totals, 3)
    # Ten times the gradient's norm fits the words of a sum but not its bound.
    poisoned = careless(VALUES["ten times the norm"]())
    with pytest.raises(TrainingError, match="gradient is outside"):
        check_total(EXPECTED, totals_of([poisoned, few, few], spoil=False), 3)


def test_masks_that_did_not_cancel_are_found_in_the_total():
    wide = {"gradient": EXPECTED["gradient"]}
    good = encode_part("north", EXPECTED, GOOD)
    few = {n: np.zeros_like(w) for n, w in good.items()}
    found = 0
    for _ in range(20):
        totals = totals_of([good, few, few], spoil=True)
        try:
            check_total(wide, totals, 3)
        except TrainingError:
            found += 1
    assert found >= 18  # each of 4 entries is beyond its bound 2 or 3 times in 4


@pytest.mark.parametrize("rows", [0, -1, 1.0, "1", None, True, 2**41, np.int64(3)])
def test_a_number_of_rows_that_is_none_is_refused_by_name(rows):
    with pytest.raises(MessageError, match=r"^north sent a number of rows"):
        check_rows("north", rows)
    assert check_rows("north", 12) == 12
