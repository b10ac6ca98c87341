"""What every algorithm must do, whoever wrote it: one suite, all that are installed."""

import json
import zipfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import skops.io
from sklearn.utils.validation import check_is_fitted

from fl_plugin.algorithms.base import Block, solve_alone
from fl_plugin.algorithms.installed import algorithms
from fl_plugin.errors import ContractError, TrainingError
from fl_plugin.privacy.encoding import encode
from fl_plugin.summand import Arrays
from fl_plugin.vertical.installed import all_algorithms
from tests.conformance.algorithm_rows import (
    case_of,
    cut,
    facts,
    pooled,
    questions,
    unlike,
)
from tests.federated import fit_over

ALL = algorithms()
BOTH_MODES = all_algorithms()
PAIRS = [(name, target) for name in sorted(ALL) for target in ALL[name].targets]
# But for averages of models that were fitted apart, which depend on who has which rows.
SUMMED = [(name, target) for name, target in PAIRS if not name.startswith("mlp_")]
# Another package documents its own.
OURS = [name for name in sorted(ALL) if ALL[name].__module__.startswith("fl_plugin.")]
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


@pytest.fixture(params=sorted(BOTH_MODES))
def kind(request):
    """Return an algorithm, horizontal or vertical."""
    return BOTH_MODES[request.param]


@pytest.fixture(scope="module", params=PAIRS, ids="-".join)
def case(request):
    name, target = request.param
    return case_of(ALL[name], target)


@pytest.fixture(scope="module")
def fitted(case):
    return case.fit()


def test_it_says_what_it_is(kind):
    for word in ("name", "title", "paper", "exact", "leaves"):
        assert isinstance(getattr(kind, word), str)
        assert getattr(kind, word).strip()
    assert kind.prepares in {"matrix", "bins", "codes"}
    assert set(kind.targets) <= {"binary", "multiclass", "regression", "count", "none"}
    assert kind.targets
    assert kind.partitioning == ("horizontal" if kind.name in ALL else "vertical")
    if kind.partitioning == "horizontal":
        assert kind().sees in {"sum", "each"}


@pytest.mark.parametrize("kind", OURS, indirect=True)
def test_its_page_names_every_option(kind):
    page = (DOCS / f"{kind.name}.md").read_text()
    headings = [line for line in page.splitlines() if line.startswith("## ")]
    assert headings == HEADINGS
    assert f"name: {kind.name}" in page
    options = page.partition("## Options")[2].partition("## Paper")[0]
    for name in kind().parameters():
        assert f"`{name}`" in options
    index = (DOCS / "README.md").read_text()
    link = f"[{kind.name}]({kind.name}.md): {kind.title} | {kind.partitioning} |"
    assert link in index


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
    whole = replace(case, parts=(pooled(case.parts),))
    for before, question in unlike(case):
        worker = case.algorithm.worker(case.task, whole.parts[0])
        for earlier in before:
            worker.answer(earlier)
        answer = worker.answer(question)
        promised = case.algorithm.answers(question, case.task)
        bounded = {n: s for n, s in promised.items() if n != "overflow"}
        assert [n for n, s in bounded.items() if not keeps(s, answer[n])] == []


def keeps(summand, array):
    """Whether an array is within what was promised of it."""
    try:
        encode(summand, array)
    except TrainingError:
        return False
    return True


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


def written(model: Arrays) -> dict[str, tuple[str, tuple[int, ...], bytes]]:
    """Return a model's arrays as bytes, with what they are bytes of."""
    return {n: (a.dtype.str, a.shape, a.tobytes()) for n, a in model.items()}


def test_the_same_rows_give_the_same_bytes(case, fitted):
    assert written(case.fit().model) == written(fitted.model)


def test_masks_change_nothing(case, fitted):
    plain = fit_over(case.algorithm, case.task, case.parts, masked=False)
    assert written(plain.model) == written(fitted.model)


def test_the_order_of_the_parties_changes_nothing(case, fitted):
    turned = case.fit(case.parts[::-1])
    if case.algorithm.sees == "sum":
        # Words add up alike in any order.
        assert written(turned.model) == written(fitted.model)
    else:
        assert predicted(case, turned.model) == near(case, fitted.model)


@pytest.mark.parametrize("case", SUMMED, ids="-".join, indirect=True)
def test_the_number_of_parties_changes_nothing_but_rounding(case, fitted):
    whole = pooled(case.parts)
    five = case.fit(cut(whole, (60, 90, 200, 330)))
    alone = solve_alone(case.algorithm, facts(case.task, [whole]), whole)
    for found in (five, alone):
        assert predicted(case, found.model) == near(case, fitted.model)


@pytest.mark.parametrize("case", SUMMED, ids="-".join, indirect=True)
def test_a_party_without_rows_changes_nothing(case, fitted):
    rows = case.parts[0]
    empty = Block(rows.x[:, :0], rows.y[:0], rows.hashes[:0])
    more = case.fit((*case.parts, empty))
    assert predicted(case, more.model) == near(case, fitted.model)


def predicted(case, model):
    """Return what a model predicts for all rows."""
    return case.algorithm.predict(model, case.task, pooled(case.parts))


def near(case, model):
    """Return what a model predicts for all rows, but for rounding."""
    return pytest.approx(predicted(case, model), rel=1e-8, abs=1e-8)


def test_the_estimator_is_fitted_and_holds_the_whole_model(case, fitted):
    estimator = case.algorithm.estimator(fitted.model, case.task)
    check_is_fitted(estimator)
    assert written(case.algorithm.model_of(estimator)) == written(fitted.model)


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


def test_its_file_holds_what_it_says_and_reads_back_alike(case, fitted):
    estimator = case.algorithm.estimator(fitted.model, case.task)
    data = skops.io.dumps(estimator)
    declared = {tuple(node) for node in case.algorithm.types}
    assert {n for n in nodes(data) if n[0].split(".")[0] not in PLAIN} <= declared
    trusted = [f"{module}.{name}" for module, name, _ in declared]
    unknown = set(skops.io.get_untrusted_types(data=data))
    assert unknown <= set(trusted)
    back = skops.io.loads(data, trusted=sorted(unknown))
    assert written(case.algorithm.model_of(back)) == written(fitted.model)


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
