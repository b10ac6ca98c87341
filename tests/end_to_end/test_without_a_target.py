"""A study without a target: what its figures say of rows that it has not seen."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from fl_plugin import Mesh
from fl_plugin.preparation.splits import row_hashes, uniform
from tests.made_mesh import make_mesh
from tests.small_mesh import SEED, small

pytestmark = pytest.mark.slow
DOMAINS = ("ash", "birch", "cedar")
ALGORITHMS = ({"name": "kmeans", "n_clusters": 3}, {"name": "pca", "n_components": 1})


def untargeted(algorithm, **words):
    made = small(DOMAINS)
    study = {n: w for n, w in made.study.items() if n != "target"}
    study |= {"algorithm": algorithm, "features": ["a", "b"], **words}
    return replace(made, study=study)


def held_out(made):
    table = pa.concat_tables(made.tables.values())
    keys = (b"\x01" + str(v).encode() for v in table["row_id"].to_pylist())
    test = uniform(row_hashes(keys), SEED, 0) < 0.2
    frame = table.select(["a", "b"]).to_pandas()
    return frame[~test], frame[test]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_explained_share_is_that_of_the_rows_held_out(tmp_path, algorithm):
    made = untargeted(algorithm)
    run = Mesh.open(make_mesh(tmp_path, made)).train("made")
    train, test = held_out(made)
    prepare, model = run.model[:-1], run.model[-1]
    rows, means = prepare.transform(test), prepare.transform(train).mean(axis=0)
    if algorithm["name"] == "pca":
        left = rows - model.inverse_transform(model.transform(rows))
    else:
        left = rows - model.cluster_centers_[model.predict(rows)]
    share = 1.0 - np.square(left).sum() / np.square(rows - means).sum()
    assert 0.2 < share < 0.95
    found = run.record.metrics["explained_share"].value
    assert found == pytest.approx(share, rel=1e-9)
    assert run.record.baselines["mean"]["explained_share"] == 0.0


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_domains_own_model_is_judged_on_the_scale_of_the_common_one(
    tmp_path, algorithm
):
    """Rows close to each other: scaled by themselves they would seem far apart."""
    made = untargeted(algorithm, evaluation={"folds": 2, "repeats": 1})
    random = np.random.default_rng(5)
    near = 1e-3 * random.normal(size=(2, 160))
    cedar = made.tables["cedar"]
    for name, values in zip("ab", near, strict=True):
        place = cedar.column_names.index(name)
        cedar = cedar.set_column(place, name, pa.array(values))
    made = replace(made, tables={**made.tables, "cedar": cedar})
    run = Mesh.open(make_mesh(tmp_path, made)).train("made")
    (found,) = (d for d in run.record.domains if d.domain == "cedar")
    own, common = found.own["mean_loss"], found.federated["mean_loss"]
    assert own is not None
    assert common is not None
    assert 0.0 <= own < min(1e-3, common)
    assert found.verdict == "hurt"
