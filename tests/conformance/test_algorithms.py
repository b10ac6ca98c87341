"""What every algorithm must do, whoever wrote it: one suite, all that are installed."""

import json
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import skops.io
from sklearn.utils.validation import check_is_fitted

from fl_plugin.algorithms.base import Block, solve, solve_alone
from fl_plugin.algorithms.installed import algorithms
from fl_plugin.errors import ContractError, MeshError, MessageError
from fl_plugin.privacy.encoding import encode
from fl_plugin.summand import Arrays
from tests.conformance.algorithm_rows import case_of, cut, facts, pooled
from tests.federated import fit_over

ALL = algorithms()
PAIRS = [(name, target) for name in sorted(ALL) for target in ALL[name].targets]
# Averages of models that were fitted apart: they depend on who holds which rows.
AVERAGES = "mlp_"
DOCS = Path(__file__).parents[2] / "docs" / "algorithms"
HEADINGS = [
    "## What it computes",
    "## What leaves a domain",
    "## Does it equal pooled training",
    "## Privacy",
    "## Options",
    "## Paper",
]
# What a skops file holds of Python's and numpy's own.
PLAIN = {"builtins", "numpy"}


@pytest.fixture(params=sorted(ALL))
def kind(request):
    return ALL[request.param]


@pytest.fixture(scope="module", params=PAIRS, ids="-".join)
def case(request):
    name, target = request.param
    return case_of(ALL[name], target)


@pytest.fixture(scope="module")
def fitted(case):
    return case.fit()


def conversation(case) -> Iterator[tuple[list[Arrays], Arrays]]:
    """Yield each question of a fit, with those before it."""
    before: list[Arrays] = []
    for question in questions(case):
        yield list(before), question
        before.append(question)


def questions(case) -> list[Arrays]:
    workers = [case.algorithm.worker(case.task, part) for part in case.parts]
    asked: list[Arrays] = []

    def total(question, expected):
        asked.append({name: array.copy() for name, array in question.items()})
        parts = [worker.answer(question) for worker in workers]
        if case.algorithm.sees == "each":
            return case.algorithm.combine(parts)
        return {name: sum(part[name] for part in parts) for name in expected}

    solve(case.algorithm, case.task, total)
    return asked


def unlike(case) -> list[tuple[list[Arrays], Arrays]]:
    """Return the first question of each kind that a fit asks, with those before it."""
    found: dict[str, tuple[list[Arrays], Arrays]] = {}
    for before, question in conversation(case):
        words = [(n, a.dtype.str, a.shape) for n, a in sorted(question.items())]
        found.setdefault(str(words), (before, question))
    return list(found.values())[:4]


def test_it_says_what_it_is(kind):
    for word in ("name", "title", "paper", "exact", "leaves"):
        assert isinstance(getattr(kind, word), str)
        assert getattr(kind, word).strip()
    assert kind.prepares in {"matrix", "bins"}
    assert set(kind.targets) <= {"binary", "multiclass", "regression", "count", "none"}
    assert kind.targets
    assert kind().sees in {"sum", "each"}


def test_its_page_names_every_option(kind):
    if not kind.__module__.startswith("fl_plugin."):
        pytest.skip("its own package documents it")
    page = (DOCS / f"{kind.name}.md").read_text()
    headings = [line for line in page.splitlines() if line.startswith("## ")]
    assert headings == HEADINGS
    assert f"name: {kind.name}" in page
    options = page.partition("## Options")[2].partition("## Paper")[0]
    for name in kind().parameters():
        assert f"`{name}`" in options


def test_its_parameters_survive_being_written_down(kind):
    algorithm = kind()
    written = json.loads(json.dumps(algorithm.parameters()))
    assert kind.of(written) == algorithm


@pytest.mark.parametrize("wrong", [{"no_such": 1}, {"no_such": "x"}])
def test_a_parameter_that_it_does_not_have_is_named(kind, wrong):
    with pytest.raises(ContractError, match="no_such"):
        kind.of(wrong)


def test_a_parameter_of_another_kind_is_named(kind):
    for name, value in kind().parameters().items():
        wrong = 1 if isinstance(value, (str, bool)) else "x"
        with pytest.raises(ContractError, match=name):
            kind.of({name: wrong})


def test_every_answer_is_what_was_promised(case):
    for before, question in unlike(case):
        promised = case.algorithm.answers(question, case.task)
        for part in case.parts:
            worker = case.algorithm.worker(case.task, part)
            for earlier in before:
                worker.answer(earlier)
            answer = worker.answer(question)
            assert set(answer) == set(promised)
            for name, summand in promised.items():
                assert answer[name].shape == summand.shape
                encode(summand, answer[name])  # raises where the bound is broken
                if summand.integer:
                    assert (answer[name] == np.rint(answer[name])).all()


def test_the_total_keeps_the_bound_too(case):
    if case.algorithm.sees == "each":
        pytest.skip("its parts are never added as words")
    whole = replace(case, parts=(pooled(case.parts),))
    for before, question in unlike(case):
        worker = case.algorithm.worker(case.task, whole.parts[0])
        for earlier in before:
            worker.answer(earlier)
        answer = worker.answer(question)
        for name, summand in case.algorithm.answers(question, case.task).items():
            if name != "overflow":
                encode(summand, answer[name])


def test_answering_changes_neither_the_question_nor_the_rows(case):
    part = case.parts[0]
    worker = case.algorithm.worker(case.task, part)
    rows = part.x.copy(), part.y.copy(), part.hashes.copy()
    for question in questions(case)[:6]:
        told = {name: array.copy() for name, array in question.items()}
        worker.answer(question)
        for name, array in told.items():
            np.testing.assert_array_equal(question[name], array)
    for now, then in zip((part.x, part.y, part.hashes), rows, strict=True):
        np.testing.assert_array_equal(now, then)


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
                for name, summand in promised.items():
                    encode(summand, answer[name])
            except MeshError:
                continue


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


def same(first: Arrays, second: Arrays) -> None:
    assert set(first) == set(second)
    for name, array in first.items():
        assert array.dtype == second[name].dtype, name
        np.testing.assert_array_equal(array, second[name])


def test_the_same_rows_give_the_same_bytes(case, fitted):
    same(case.fit().model, fitted.model)


def test_masks_change_nothing(case, fitted):
    plain = fit_over(case.algorithm, case.task, case.parts, masked=False)
    same(plain.model, fitted.model)


def test_the_order_of_the_parties_changes_nothing(case, fitted):
    turned = case.fit(case.parts[::-1])
    if case.algorithm.sees == "sum":
        same(turned.model, fitted.model)  # words add up alike in any order
    else:
        near(case, turned.model, fitted.model)


def test_the_number_of_parties_changes_nothing_but_rounding(case, fitted):
    if case.algorithm.name.startswith(AVERAGES):
        pytest.skip("it says that it depends on who holds which rows")
    whole = pooled(case.parts)
    near(case, case.fit(cut(whole, (60, 90, 200, 330))).model, fitted.model)
    alone = solve_alone(case.algorithm, facts(case.task, [whole]), whole)
    near(case, alone.model, fitted.model)


def test_a_party_without_rows_changes_nothing(case, fitted):
    if case.algorithm.sees == "each" or case.algorithm.name.startswith(AVERAGES):
        pytest.skip("its parties all count")
    rows = case.parts[0]
    empty = Block(rows.x[:, :0], rows.y[:0], rows.hashes[:0])
    near(case, case.fit((*case.parts, empty)).model, fitted.model)


def near(case, first, second):
    rows = pooled(case.parts)
    one = case.algorithm.predict(first, case.task, rows)
    other = case.algorithm.predict(second, case.task, rows)
    np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-8)


def test_the_estimator_is_fitted_and_holds_the_whole_model(case, fitted):
    estimator = case.algorithm.estimator(fitted.model, case.task)
    check_is_fitted(estimator)
    same(case.algorithm.model_of(estimator), fitted.model)


def test_a_prediction_is_the_estimator_s(case, fitted):
    rows = pooled(case.parts)
    found = case.algorithm.predict(fitted.model, case.task, rows)
    assert found.dtype == np.float64
    assert np.isfinite(found).all()
    target = case.task.target.kind
    several = target == "multiclass"
    assert found.shape == ((rows.rows, 3) if several else (rows.rows,))
    if case.algorithm.prepares == "bins" or target == "none":
        return  # its estimator reads values, not bins; or has no prediction
    estimator = case.algorithm.estimator(fitted.model, case.task)
    if target in {"binary", "multiclass"}:
        chances = estimator.predict_proba(rows.x.T)
        expected = chances if several else chances[:, 1]
        np.testing.assert_allclose(chances.sum(axis=1), 1.0)
    else:
        expected = estimator.predict(rows.x.T)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_malformed_model_is_refused(case, fitted):
    for how, spoilt in broken(fitted.model):
        try:
            case.algorithm.estimator(spoilt, case.task)
        except MessageError:
            continue
        pytest.fail(f"not refused: {how}")


def test_a_hostile_model_never_crashes(case, fitted):
    rng = np.random.default_rng(8)
    rows = case.parts[0]
    for _ in range(20):
        hostile = {name: scrambled(a, rng) for name, a in fitted.model.items()}
        try:
            with np.errstate(all="ignore"):
                case.algorithm.predict(hostile, case.task, rows)
        except (MeshError, ValueError, OverflowError):
            continue  # scikit-learn itself refuses what is not finite


def test_its_file_holds_what_it_says_and_reads_back_alike(case, fitted):
    estimator = case.algorithm.estimator(fitted.model, case.task)
    data = skops.io.dumps(estimator)
    declared = {tuple(node) for node in case.algorithm.types}
    assert {n for n in nodes(data) if n[0].split(".")[0] not in PLAIN} <= declared
    trusted = [f"{module}.{name}" for module, name, _ in declared]
    unknown = set(skops.io.get_untrusted_types(data=data))
    assert unknown <= set(trusted)
    back = skops.io.loads(data, trusted=sorted(unknown))
    same(case.algorithm.model_of(back), fitted.model)


def nodes(data: bytes) -> set[tuple[str, str, str]]:
    """Return module, class and loader of every node of a skops file."""
    with zipfile.ZipFile(BytesIO(data)) as archive:
        waiting = [json.loads(archive.read("schema.json"))]
    found = set()
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if "__loader__" in node:
                marks = ("__module__", "__class__", "__loader__")
                module, name, loader = (str(node[mark]) for mark in marks)
                found.add((module, name, loader))
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
    return found


def test_what_it_tells_of_its_progress_is_finite(case):
    rounds = case.algorithm.rounds(case.task)
    workers = [case.algorithm.worker(case.task, part) for part in case.parts]
    question = next(rounds)
    for _ in range(3):
        assert all(np.isfinite(v) for v in question.progress.values())
        parts = [worker.answer(question.arrays) for worker in workers]
        try:
            question = rounds.send(case.algorithm.combine(parts))
        except StopIteration:
            return
