"""A search by halving learns from portions of the rows: each a pooled fit over them."""

from contextlib import contextmanager

import numpy as np
import pyarrow as pa
import pytest
from sklearn.linear_model import PoissonRegressor, Ridge
from sklearn.metrics import mean_poisson_deviance, mean_squared_error

from fl_plugin.algorithms.installed import find_algorithm
from fl_plugin.coordinator.fitting import Candidate, Fitting, prepare
from fl_plugin.engines.embedded import Embedded
from fl_plugin.errors import MessageError, PolicyError
from fl_plugin.party.portions import PORTION_STREAM
from fl_plugin.preparation.splits import Split, row_hashes, uniform
from tests.made_mesh import CONSUMER, Made, make_mesh
from tests.opened import Opened
from tests.small_mesh import SEED, small, trained_over

pytestmark = pytest.mark.slow
DOMAINS = ("ash", "birch", "cedar")
ALPHAS = [0.1, 1.0, 30.0, 1000.0]
FOLDS, FACTOR = 2, 2
CASES = {
    "ridge": (Ridge, mean_squared_error),
    "poisson_regression": (
        lambda alpha: PoissonRegressor(alpha=alpha, solver="newton-cholesky", tol=1e-9),
        mean_poisson_deviance,
    ),
}


def far_from_zero(place: int, rows: int = 300) -> pa.Table:
    """Return rows whose columns are not scaled, so that their mean matters."""
    random = np.random.default_rng(place)
    a, b = random.normal(5.0 + place, 1.0, rows), random.normal(-3.0, 1.0, rows)
    columns = {"row_id": np.arange(rows) + 10_000 * place, "a": a, "b": b}
    visits = random.poisson(np.exp(0.2 * a + 0.1 * b))
    return pa.table({**columns, "visits": visits})


def searched(root, name):
    study = {
        "algorithm": {"name": name},
        "target": "visits",
        "features": ["a", "b"],
        "preparation": {"numeric": "none"},
        "evaluation": {"folds": FOLDS, "repeats": 1},
        "search": {
            "parameters": {"alpha": ALPHAS},
            "method": "halving",
            "factor": FACTOR,
            "metric": "mse" if name == "ridge" else "poisson_deviance",
        },
        "seed": SEED,
    }
    tables = {d: far_from_zero(i) for i, d in enumerate(DOMAINS)}
    made = Made(tables=tables, study=study, roles={"visits": ["label"]})
    return trained_over(make_mesh(root, made), lambda e: e)[0].searched, tables


def pooled(tables, name, alpha, portion):
    """Return the mean figure over the folds of scikit-learn's fits on these rows."""
    table = pa.concat_tables(tables.values())
    keys = (b"\x01" + str(v).encode() for v in table["row_id"].to_pylist())
    hashes = row_hashes(keys)
    fold = (uniform(hashes, SEED, 1) * FOLDS).astype(int)
    kept = uniform(hashes, SEED, PORTION_STREAM) < portion
    x = np.column_stack([table["a"].to_numpy(), table["b"].to_numpy()])
    y = table["visits"].to_numpy().astype(float)
    make, judge = CASES[name]
    figures = []
    for place in range(FOLDS):
        model = make(alpha).fit(x[(fold != place) & kept], y[(fold != place) & kept])
        test = fold == place
        figures.append(judge(y[test], model.predict(x[test])))
    return np.mean(figures)


@pytest.mark.parametrize("name", CASES)
def test_each_rung_of_a_halving_search_is_the_pooled_fit_of_its_portion(tmp_path, name):
    found, tables = searched(tmp_path, name)
    portions = {tried.portion for tried in found.tried}
    assert portions == {1.0 / FACTOR, 1.0}
    for tried in found.tried:
        alpha = tried.parameters["alpha"]
        expected = pooled(tables, name, alpha, tried.portion)
        assert tried.mean == pytest.approx(expected, rel=1e-7)


class Run(Opened):
    """A run as far as its fits, which a test then assigns as it likes."""

    split = Split(name="holdout", part="train", share=0.2)

    def prepare(self, portion=1.0):
        splits, recipe = [self.split], self.plan.preparation
        return prepare(splits, self.schema, recipe, self.federation, portion)[0]

    def assign(self, prepared, *portions, **words):
        algorithm = find_algorithm(self.plan.algorithm)
        known = {self.split: prepared}
        fitting = Fitting(algorithm, known, self.plan.seed, self.federation, **words)
        parameters = self.plan.parameters
        fitting.assign(
            [
                Candidate(split=self.split, parameters=parameters, portion=portion)
                for portion in portions
            ]
        )


@contextmanager
def opened(root, domains=DOMAINS):
    with Embedded([root / "domains" / d for d in domains], CONSUMER) as engine:
        yield Run(root, engine)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return make_mesh(tmp_path_factory.mktemp("mesh"), small(DOMAINS))


@pytest.mark.parametrize("near", [0.499999, 0.51, 0.7])
def test_fits_over_portions_that_hardly_differ_are_refused(root, near):
    with opened(root) as run:
        prepared = run.prepare()
        with pytest.raises(MessageError, match="hardly differs"):
            run.assign(prepared, 0.5, near)


def test_nor_is_such_a_portion_prepared(root):
    with opened(root) as run:
        run.prepare()
        run.prepare(0.5)
        with pytest.raises(MessageError, match="hardly differs"):
            run.prepare(0.499999)


@pytest.mark.parametrize("portion", [0.0, -1.0, 1.5, 1, "all", None])
def test_what_is_no_portion_is_refused(root, portion):
    with opened(root) as run, pytest.raises(MessageError):
        run.prepare(portion)


def test_a_portion_of_too_few_rows_is_refused(root):
    """480 rows are enough, some 4 of them are not."""
    with opened(root) as run:
        prepared = run.prepare()
        with pytest.raises(PolicyError) as caught:
            run.assign(prepared, 0.01)
        assert caught.value.reason == "cohort.too_few_for_features"


def test_so_are_the_few_that_undersampling_leaves(tmp_path):
    def rare(table):
        bad = pa.array(np.arange(table.num_rows) < 3)
        return table.set_column(table.column_names.index("bad"), "bad", bad)

    made = small(DOMAINS, study={"sampling": {"undersample": 1.0}})
    tables = {d: rare(t) for d, t in made.tables.items()}
    changed = Made(
        tables=tables, study=made.study, roles=made.roles, accepted=made.accepted
    )
    with pytest.raises(PolicyError) as caught:
        trained_over(make_mesh(tmp_path, changed), lambda engine: engine)
    assert caught.value.reason == "cohort.too_few_for_features"
