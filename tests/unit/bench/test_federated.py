"""The benches' two sides agree where they should, on tiny inputs."""

import numpy as np

from bench import german_credit, glm, parties, reading, statlog, synthetic
from fl_plugin.party.database import Database
from fl_plugin.party.rows import Rows, Wanted, read_rows
from fl_plugin.preparation.features import Feature

ROWS = 3_000


def test_synthetic_domains_are_the_same_each_time_and_unlike_one_another():
    once, again = synthetic.make(ROWS), synthetic.make(ROWS)
    for domain, table in once.items():
        assert np.array_equal(table.x, again[domain].x)
        assert np.array_equal(table.y, again[domain].y)
    shares = [t.y.mean() for t in once.values()]
    assert max(shares) - min(shares) > 0.1
    assert [len(t.y) for t in once.values()] == [1500, 900, 600]


def test_the_timed_federation_finds_what_tight_scikit_learn_finds():
    rows = glm.rows_of("binary", ROWS)
    found = glm.federated("logistic_regression", rows)
    pooled = glm.pooled("logistic_regression", "tight", rows)
    assert np.abs(found.point - pooled.point).max() < 1e-9
    assert found.run is not None
    assert found.run.masked
    assert 0 < found.bytes_up < found.run.bytes_up


def test_every_bar_of_the_logistic_bench_is_among_its_figures():
    rows = glm.rows_of("binary", ROWS, raw=True)
    figures = glm.measure("logistic_regression", rows, 1, raw=True)
    assert [f.name.strip().partition(" (")[0] for f in figures if f.bar] == [
        "ratio to newton",
        "ratio to lbfgs",
        "largest difference of a coefficient from tight",
        "rounds",
        "bytes up of a party, largest round",
    ]


def test_the_lenders_hold_every_credit_once():
    raw = statlog.raw_rows()
    held = statlog.by_lender(raw)
    assert {d: len(rows) for d, rows in held.items()} == {
        "auto_finance": 337,
        "commercial_banking": 168,
        "consumer_banking": 495,
    }
    keys = [key for rows in held.values() for key in statlog.keys(rows)]
    assert sorted(keys) == sorted(statlog.keys(raw))


def test_every_code_has_a_label_as_the_products_have_it():
    table = statlog.labelled(statlog.raw_rows())
    assert table.num_columns == 20
    assert all(table[name].null_count == 0 for name in table.column_names)


def test_all_attributes_at_the_lenders_reach_the_bar():
    figures = german_credit.all_attributes()
    assert all(f.met for f in figures)
    assert sum(bool(f.bar) for f in figures) == 2


def test_a_bench_reads_its_file_as_a_party_reads_a_table(tmp_path):
    table = synthetic.make(200)["north"]
    path = tmp_path / "north.duckdb"
    reading.write(path, table)
    product = parties.product("north", [], key=reading.KEY)
    wanted = Wanted(
        features=(Feature(name="f03", kind="numeric"),),
        target=reading.TARGET,
        predicts=parties.BAD_OR_NOT,
    )
    rows = read_rows(Database(path, "north"), product, wanted)
    assert isinstance(rows, Rows)
    assert np.array_equal(rows.numeric[0], table.x[:, 3])
    assert np.array_equal(rows.target, table.y)
