"""A run's importances are those of all rows in one process, permuted by domain."""

import math
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import mean_squared_error, roc_auc_score

from fl_plugin import Mesh, MeshError
from fl_plugin.coordinator import judging
from fl_plugin.evaluation.base import evaluation_for, without_groups
from fl_plugin.party.kinds import evaluate
from fl_plugin.preparation.permuting import Permutation
from fl_plugin.preparation.raw import RawBlock
from fl_plugin.preparation.splits import row_hashes
from tests.made_mesh import STUDY, make_mesh
from tests.small_mesh import SEED, small, trained_over

pytestmark = pytest.mark.slow
DOMAINS = ("ash", "birch", "cedar")
REPEATS, ROWS = 3, 800
FEATURES = ("a", "b", "noise", "color")
CASES = {
    "logistic_regression": "bad",
    "hist_gradient_boosting_classifier": "bad",
    "ridge": "amount",
}
# As many trees as the columns need to be told apart.
OPTIONS = {"hist_gradient_boosting_classifier": {"max_iter": 20}}


def mesh_of(name, **study):
    """Return a mesh of unlike domains with a column that says nothing."""
    made = small(
        DOMAINS,
        rows=ROWS,
        study={
            "algorithm": {"name": name, **OPTIONS.get(name, {})},
            "target": CASES[name],
            "features": list(FEATURES),
            "evaluation": {"folds": 0, "importances": REPEATS},
            **study,
        },
    )
    roles = {CASES[name]: ["label"]}
    tables = {d: _more(t) for d, t in made.tables.items()}
    return replace(made, tables=tables, roles=roles)


def _more(table):
    random = np.random.default_rng(int(table["row_id"][0].as_py()))
    noise, moved = random.normal(size=(2, table.num_rows))
    amount = 3.0 * table["a"].to_numpy() - table["b"].to_numpy() + moved
    gaps = pa.array(noise, mask=random.random(table.num_rows) < 0.1)
    table = table.append_column("noise", gaps)
    return table.append_column("amount", pa.array(amount))


def raw_of(table, fit, target):
    """Return a domain's rows as it codes them itself, by hand."""
    colors = fit.prepared.schema.vocabularies[0].categories
    numbers = [f.name for f in fit.prepared.schema.numbers]
    keys = (b"\x01" + str(v).encode() for v in table["row_id"].to_pylist())
    return RawBlock(
        np.stack([table[n].to_numpy().astype(float) for n in numbers]),
        (np.array([colors.index(c) for c in table["color"].to_pylist()]),),
        table[target].to_numpy().astype(float),
        row_hashes(keys),
    )


def by_hand(trained, made):
    """Return (features, repeats) drops of the main figure, all rows in one process."""
    fit, target = trained.fits[0], made.study["target"]
    test = fit.candidate.split.other()
    held = [raw_of(t, fit, target) for t in made.tables.values()]
    held = [raw.at(test.select(raw.hashes, SEED)) for raw in held]
    judge = without_groups(evaluation_for(trained.spec))

    def scored(parts):
        found = [
            fit.algorithm.predict(
                fit.fitted.model, fit.task, fit.prepared.design_block(raw)
            )
            for raw in parts
        ]
        return np.concatenate(found), np.concatenate([raw.target for raw in parts])

    def figure(parts):
        return judge.metrics(judge.sums(*scored(parts))).value(judge.main)

    sign = 1.0 if judge.better == "higher" else -1.0
    whole, drops = figure(held), {}
    for name in FEATURES:
        moved = [[permuted(r, fit, name, i) for r in held] for i in range(REPEATS)]
        drops[name] = [sign * (whole - figure(parts)) for parts in moved]
    moved = [permuted(r, fit, "a", 0) for r in held]
    return drops, (scored(held), scored(moved))


def permuted(raw, fit, name, repeat):
    order = Permutation(feature=name, repeat=repeat).order(raw.hashes, SEED)
    numbers = [f.name for f in fit.prepared.schema.numbers]
    if name not in numbers:
        return replace(raw, codes=(raw.codes[0][order],))
    numeric = raw.numeric.copy()
    numeric[numbers.index(name)] = numeric[numbers.index(name)][order]
    return replace(raw, numeric=numeric)


@pytest.mark.parametrize("name", CASES)
def test_they_are_those_of_one_process(tmp_path, name):
    made = mesh_of(name)
    trained, _ = trained_over(make_mesh(tmp_path, made), lambda engine: engine)
    found = {i.feature: i for i in trained.judgement.importances}
    assert tuple(found) == FEATURES
    drops, (plain, moved) = by_hand(trained, made)
    for feature, values in drops.items():
        assert found[feature].mean == pytest.approx(np.mean(values), abs=1e-9)
        spread = np.std(values, ddof=1)
        assert found[feature].spread == pytest.approx(spread, abs=1e-9)
    if CASES[name] == "amount":
        mse = [mean_squared_error(y, p) for p, y in (plain, moved)]
        assert drops["a"][0] == pytest.approx(mse[1] - mse[0], rel=1e-9)
    else:
        auc = [roc_auc_score(y, p) for p, y in (plain, moved)]
        assert drops["a"][0] == pytest.approx(auc[0] - auc[1], abs=2e-3)
    much = 2 if "boosting" in name else 10  # deep trees do use what is noise
    assert found["a"].mean > much * abs(found["noise"].mean)
    assert found["b"].mean > much * abs(found["noise"].mean)


def test_a_column_that_the_model_leaves_out_is_worth_nothing(tmp_path):
    """A column without weight: each permutation gives the very same figure."""
    study = {"algorithm": {"name": "elastic_net", "alpha": 0.3, "l1_ratio": 1.0}}
    made = mesh_of("ridge", **study)
    trained, _ = trained_over(make_mesh(tmp_path, made), lambda engine: engine)
    found = {i.feature: i for i in trained.judgement.importances}
    assert (found["noise"].mean, found["noise"].spread) == (0.0, 0.0)
    assert found["a"].mean > 1.0


def test_several_messages_and_rows_on_disk_give_the_same(tmp_path, monkeypatch):
    root = make_mesh(tmp_path, mesh_of("logistic_regression"))
    at_once, one = trained_over(root, lambda engine: engine)
    monkeypatch.setattr(judging, "MESSAGE_JOBS", 5)
    monkeypatch.setattr("fl_plugin.party.rows.SHARE", 2**40)
    monkeypatch.setattr("fl_plugin.party.opening.DESIGNS", 2**40)
    on_disk, many = trained_over(root, lambda engine: engine)
    for mine, other in zip(
        at_once.judgement.importances, on_disk.judgement.importances, strict=True
    ):
        assert mine.mean == pytest.approx(other.mean, abs=1e-9)
    rounds = [{e.round for e in f.traffic if e.kind == "evaluate"} for f in (one, many)]
    assert [len(r) for r in rounds] == [2, 1 + math.ceil(len(FEATURES) * REPEATS / 5)]


def test_no_group_is_told_apart_where_a_feature_is_permuted(tmp_path, monkeypatch):
    made = mesh_of("logistic_regression")
    asked = []
    plain = evaluate._sums

    def sums(evaluation, scored, groups=()):
        asked.append((evaluation.spec.group_sizes, len(groups)))
        return plain(evaluation, scored, groups)

    monkeypatch.setattr(evaluate, "_sums", sums)
    words = {"folds": 0, "importances": 1, "fairness": ["color"]}
    features = [f for f in FEATURES if f != "color"]
    study = {**made.study, "evaluation": words, "features": features}
    made = replace(made, study=study, roles={**made.roles, "color": ["protected"]})
    trained_over(make_mesh(tmp_path, made), lambda engine: engine)
    assert asked.count(((2,), 1)) == len(DOMAINS)
    assert asked.count(((), 0)) == len(DOMAINS) * len(features)


@pytest.mark.parametrize(
    ("words", "algorithm", "domains"),
    [
        ({"epsilon": 1.0, "delta": 1e-6}, "private_logistic_regression", 3),
        ({"on_dropout": "recover"}, "logistic_regression", 5),
    ],
)
def test_where_they_would_tell_too_much_they_are_refused(
    tmp_path, words, algorithm, domains
):
    study = {
        "algorithm": {"name": algorithm},
        "evaluation": {"folds": 0, "importances": 1},
        "privacy": words,
    }
    made = small(("ash", "birch", "cedar", "elm", "fir")[:domains], study=study)
    bounds = {"a": {"bounds": [-9.0, 9.0]}, "b": {"bounds": [-9.0, 9.0]}}
    if "epsilon" in words:
        dp = {"dp": {"epsilon": 5.0, "delta": 1e-6, "period_days": 30}}
        made = replace(made, epsilon=2.0, product=dp, columns=bounds)
    with pytest.raises(MeshError, match="importance of features"):
        Mesh.open(make_mesh(tmp_path, made)).train(STUDY)
