"""Questions and models that an opponent wrote: refused, never a crash."""

from collections.abc import Iterator

import numpy as np
import pytest

from fl_plugin.algorithms.installed import algorithms
from fl_plugin.errors import MeshError, MessageError
from fl_plugin.privacy.encoding import encode_part
from fl_plugin.summand import Arrays
from tests.conformance.algorithm_rows import case_of, questions, unlike

ALL = algorithms()
PAIRS = [(name, target) for name in sorted(ALL) for target in ALL[name].targets]


@pytest.fixture(scope="module", params=PAIRS, ids="-".join)
def case(request):
    name, target = request.param
    return case_of(ALL[name], target)


@pytest.fixture(scope="module")
def fitted(case):
    return case.fit()


def broken(arrays: Arrays) -> Iterator[tuple[str, Arrays]]:
    """Yield the arrays with one of them spoilt so that nobody can take it for good."""
    for name, array in arrays.items():
        yield f"no {name}", {n: a for n, a in arrays.items() if n != name}
        yield f"{name} in a list", {**arrays, name: array[None]}
        yield f"{name} of objects", {**arrays, name: np.full(array.shape, "x")}
        other = np.float32 if array.dtype == np.float64 else np.float64
        yield f"{name} of {other}", {**arrays, name: array.astype(other)}
        if array.dtype == np.float64 and array.size:
            for value in (np.nan, np.inf, -np.inf):
                spoilt = array.copy()
                spoilt.flat[0] = value
                yield f"{name} with {value}", {**arrays, name: spoilt}


def scrambled(array, rng):
    """Return numbers of any size in the array's shape."""
    array = array.copy()
    if not array.size or rng.random() < 0.3:
        return array
    chosen = rng.random(array.shape) < rng.choice([0.05, 1.0])
    if array.dtype.kind in "iu":
        values = rng.choice([-(2**62), -1, 0, 1, 2, 255, 10_000, 2**62], array.shape)
        array[chosen] = values.astype(array.dtype)[chosen]
    else:
        size = 10.0 ** rng.uniform(-300, 300)
        array[chosen] = (size * rng.choice([-1.0, 0.0, 1.0], array.shape))[chosen]
    return array


def test_a_malformed_question_is_refused(case):
    promises = [set(case.algorithm.answers(q, case.task)) for q in questions(case)]
    for _, question in unlike(case):
        promised = set(case.algorithm.answers(question, case.task))
        for how, spoilt in broken(question):
            try:
                found = set(case.algorithm.answers(spoilt, case.task))
            except MessageError:
                continue
            # What is left may be a question of another kind that a fit asks.
            other = how.startswith("no ") and found != promised and found in promises
            assert other, f"not refused: {how}"


def test_a_hostile_question_never_crashes_a_party(case):
    """Any numbers in the right shapes: refused, or answered as promised."""
    rng = np.random.default_rng(7)
    for before, question in unlike(case):
        for _ in range(12):
            hostile = {name: scrambled(a, rng) for name, a in question.items()}
            worker = case.algorithm.worker(case.task, case.parts[0])
            for earlier in before:
                worker.answer(earlier)
            try:
                promised = case.algorithm.answers(hostile, case.task)
                answer = worker.answer(hostile)
                words = encode_part("the party", promised, answer)
            except MeshError:
                continue
            assert words.keys() == promised.keys()


def is_refused(case, model):
    try:
        case.algorithm.estimator(model, case.task)
    except MessageError:
        return True
    return False


def test_a_malformed_model_is_refused(case, fitted):
    for how, spoilt in broken(fitted.model):
        if "forest" in case.algorithm.name and how == "thresholds with inf":
            continue  # all values but the missing ones go left: a node as any other
        assert is_refused(case, spoilt), how


def test_a_hostile_model_never_crashes(case, fitted):
    rng = np.random.default_rng(8)
    rows = case.parts[0]
    for _ in range(20):
        hostile = {name: scrambled(a, rng) for name, a in fitted.model.items()}
        try:
            with np.errstate(all="ignore"):
                found = case.algorithm.predict(hostile, case.task, rows)
        except (MeshError, ValueError, OverflowError):
            continue  # scikit-learn itself refuses what is not finite
        assert len(found) == rows.rows
