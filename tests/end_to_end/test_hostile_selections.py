"""A party refuses selections of rows, and permutations, that would single rows out.

A coordinator names the time by which rows are held out, the share, the folds. Two
selections that hardly differ, or one with a handful of a domain's rows on one side,
would tell sums over single rows.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from fl_plugin.algorithms.installed import find_algorithm
from fl_plugin.coordinator.fitting import Candidate, Fitting, prepare
from fl_plugin.coordinator.judging import judge_features, judge_fits, spec_for
from fl_plugin.coordinator.private_run import fit_private
from fl_plugin.engines.embedded import Embedded
from fl_plugin.errors import MessageError, PolicyError, TrainingError
from fl_plugin.preparation.splits import Split
from tests.made_mesh import CONSUMER, make_mesh
from tests.opened import Opened
from tests.small_mesh import ROWS, small

pytestmark = pytest.mark.slow
DOMAINS = ("ash", "birch", "cedar")
BEGUN = datetime(2024, 1, 1, tzinfo=UTC)
HELD = Split(name="holdout", part="train", share=0.2)


class Run(Opened):
    """A run as a hostile coordinator goes on with it."""

    def prepare(self, *splits):
        plan = self.plan.preparation
        return prepare(splits, self.schema, plan, self.federation)

    def fit(self, split, prepared):
        algorithm = find_algorithm(self.plan.algorithm)
        known = {split: prepared}
        fitting = Fitting(algorithm, known, self.plan.seed, self.federation)
        candidate = Candidate(split=split, parameters=self.plan.parameters)
        (fit,) = fitting.fit([candidate])
        spec = spec_for(self.plan, prepared, (), ROWS * len(DOMAINS))
        return fit, spec

    def released(self):
        """Return how many rounds have brought sums."""
        kinds = {"prepare", "step", "evaluate"}
        return len({e.round for e in self.federation.traffic if e.kind in kinds})


@contextmanager
def opened(root) -> Iterator[Run]:
    with Embedded([root / "domains" / d for d in DOMAINS], CONSUMER) as engine:
        yield Run(root, engine)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return make_mesh(tmp_path_factory.mktemp("mesh"), small(DOMAINS))


@pytest.fixture(scope="module")
def dated(tmp_path_factory):
    """A mesh whose rows came about one a day, in all domains alike."""
    days = pa.array([BEGUN + timedelta(days=i) for i in range(ROWS)])
    made = small(DOMAINS, study={"evaluation": {"folds": 0, "holdout_by": "time"}})
    tables = {d: t.append_column("day", days) for d, t in made.tables.items()}
    made = replace(made, tables=tables, event_time="day")
    return make_mesh(tmp_path_factory.mktemp("dated"), made)


@pytest.fixture
def run(root):
    with opened(root) as run:
        yield run


@pytest.fixture
def timed(dated):
    with opened(dated) as run:
        yield run


def after(rows, **words):
    """Return the training part where so many rows of each domain lie later."""
    cut = BEGUN + timedelta(days=ROWS - rows - 0.5)
    return Split(name="time", part="train", cut=cut.timestamp(), **words)


def few(floor):
    return [1, floor - 1, ROWS - floor + 1, ROWS - 1]


@pytest.mark.parametrize("place", range(4))
def test_a_time_with_few_rows_on_one_side_is_refused(timed, place):
    with pytest.raises(PolicyError) as caught:
        timed.prepare(after(few(timed.floor)[place]))
    assert caught.value.reason == "cohort.too_few_on_one_side"
    assert caught.value.domain == "ash"
    assert f"Fewer than {timed.floor} rows of ash" in caught.value.problem


@pytest.mark.parametrize("place", range(4))
def test_nor_is_a_fit_assigned_over_them(timed, place):
    (prepared,) = timed.prepare(after(40))
    bad = few(timed.floor)[place]
    with pytest.raises((PolicyError, MessageError)):
        timed.fit(after(bad), prepared)
    timed.fit(after(40), prepared)


def test_a_registered_model_is_not_judged_on_a_few_rows_either(dated):
    """A fit that was prepared in another run is assigned at once."""
    with opened(dated) as first:
        (prepared,) = first.prepare(after(40))
    with opened(dated) as second:
        with pytest.raises(PolicyError) as caught:
            second.fit(after(3), prepared)
        assert caught.value.reason == "cohort.too_few_on_one_side"


@pytest.mark.parametrize("later", [0, "floor", ROWS // 2, "most"])
def test_enough_rows_on_each_side_or_none_at_all_are_taken(timed, later):
    places = {"floor": timed.floor, "most": ROWS - timed.floor}
    rows = places.get(later, later)
    (prepared,) = timed.prepare(after(rows))
    assert prepared.rows == len(DOMAINS) * (ROWS - rows)


def test_a_domain_whose_rows_are_all_later_takes_part_with_none(timed):
    with pytest.raises(TrainingError, match="no training rows"):
        timed.prepare(after(ROWS))


CV = Split(name="cv", part="train", folds=4)
CUTS = ((0.25, 0.5, 0.75), (0.25, 0.5, 0.75))
NEARLY = ((0.25, 0.5, 0.75), (0.25, 0.5, 0.7501))
PAIRS = {
    "another share": (HELD, replace(HELD, share=0.2001)),
    "other folds": (CV, replace(CV, folds=5)),
    "other cuts": (replace(CV, cuts=CUTS), replace(CV, cuts=NEARLY)),
    "cuts or none": (CV, replace(CV, cuts=CUTS)),
    "by time or by hash": (HELD, after(40)),
}


@pytest.mark.parametrize("which", PAIRS)
@pytest.mark.parametrize("together", [True, False], ids=["at once", "one by one"])
def test_two_selections_that_hardly_differ_are_refused(run, which, together):
    one, other = PAIRS[which]
    if not together:
        run.prepare(one)
    released = run.released()
    with pytest.raises(MessageError, match="another of the same run"):
        run.prepare(*((one, other) if together else (other,)))
    assert run.released() == released + 1  # the one that was refused


def test_a_second_time_is_refused_after_the_fit_as_well(timed):
    (prepared,) = timed.prepare(after(40))
    with pytest.raises(MessageError, match="another of the same run"):
        timed.fit(after(41), prepared)
    timed.fit(after(40), prepared)
    with pytest.raises(MessageError, match="another of the same run"):
        timed.fit(after(41), prepared)
    with pytest.raises(MessageError, match="before the step"):
        timed.prepare(after(41))


def test_the_folds_and_repeats_of_one_study_go_together(run):
    folds = [replace(CV, repeat=r, fold=f) for r in range(2) for f in range(4)]
    assert len(run.prepare(HELD, *folds)) == 9


GOOD = {"feature": "a", "repeat": 0}
PERMUTED = {
    "none": [],
    "no list": GOOD,
    "the target": [{"feature": "bad", "repeat": 0}],
    "no text": [{"feature": ["a"], "repeat": 0}],
    "the key": [{"feature": "row_id", "repeat": 0}],
    "too many repeats": [{"feature": "a", "repeat": 20}],
    "a repeat below 0": [{"feature": "a", "repeat": -1}],
    "no number": [{"feature": "a", "repeat": True}],
    "twice": [GOOD, GOOD],
    "no repeat": [{"feature": "a"}],
    "a word more": [{**GOOD, "rows": [1]}],
}


@pytest.mark.parametrize("which", PERMUTED)
def test_permutations_that_are_none_are_refused(run, which, monkeypatch):
    (prepared,) = run.prepare(HELD)
    fit, spec = run.fit(HELD, prepared)
    (found,), _ = judge_fits([fit], spec, run.federation)
    ask = run.federation.ask

    def bent(kind, body, arrays, **more):
        return ask(kind, {**body, "permuted": PERMUTED[which]}, arrays, **more)

    with monkeypatch.context() as patched:
        patched.setattr(run.federation, "ask", bent)
        with pytest.raises(MessageError, match="missing or malformed"):
            judge_features(fit, spec, 1, found, run.federation)
    assert len(judge_features(fit, spec, 1, found, run.federation)) == 3


def test_permutations_are_of_one_model(run, monkeypatch):
    (prepared,) = run.prepare(HELD)
    fit, spec = run.fit(HELD, prepared)
    ask = run.federation.ask

    def bent(kind, body, arrays, **more):
        return ask(kind, {**body, "permuted": [GOOD]}, arrays, **more)

    monkeypatch.setattr(run.federation, "ask", bent)
    with pytest.raises(MessageError, match="permutations"):
        judge_fits([fit, fit], spec, run.federation)


def test_a_private_run_permutes_nothing_whatever_its_coordinator_says(
    tmp_path, monkeypatch
):
    """Not even where a domain allows exact figures of the rows held out."""
    monkeypatch.setattr("fl_plugin.party.work.check_kind", lambda *_: None)
    dp = {"dp": {"epsilon": 5.0, "delta": 1e-6, "period_days": 30}}
    bounds = {"a": {"bounds": [-9.0, 9.0]}, "b": {"bounds": [-9.0, 9.0]}}
    study = {
        "algorithm": {"name": "private_logistic_regression"},
        "privacy": {"epsilon": 1.0, "delta": 1e-6},
    }
    made = replace(small(DOMAINS, study=study), epsilon=2.0, product=dp, columns=bounds)
    with opened(make_mesh(tmp_path, made)) as run:
        fit = fit_private(run.plan, run.schema, run.federation)
        spec = spec_for(run.plan, fit.prepared, (), ROWS * len(DOMAINS))
        asked = {"jobs": [fit.place], "permuted": [GOOD]}
        told = {"bins": 64, "threshold": 0.5, "low": None, "high": None}
        asked["spec"] = {**told, "centre": 0.0, "rows": spec.rows}
        model = {f"0.{n}": a for n, a in fit.fitted.model.items()}
        with pytest.raises(PolicyError, match="importance of features") as caught:
            run.federation.ask("evaluate", asked, model)
        assert caught.value.reason == "privacy.not_paid_for"
