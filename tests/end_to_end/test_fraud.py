"""The example mesh of card fraud: its one command's steps, at a small size."""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import numpy as np
import pytest

from bench import fraud
from examples.fraud import transactions as card
from fl_plugin import Mesh
from fl_plugin.cli import records
from tests.conftest import MADE, REPOSITORY, dbt

pytestmark = pytest.mark.slow
EXAMPLE = REPOSITORY / "examples" / "fraud"
ROWS = 8_000  # of the mesh: 14 frauds, some four of them held out
BENCH_ROWS = 20_000


def build(folder: Path) -> None:
    done = dbt(folder, "build", "--quiet")
    assert done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """The mesh, as `make rows mesh` leaves it but for the catalog."""
    root: Path = tmp_path_factory.mktemp("fraud") / "mesh"
    shutil.copytree(EXAMPLE, root, ignore=MADE)
    words = ("transactions.py", "--rows", str(ROWS), "--into", str(root))
    subprocess.run([sys.executable, *words], cwd=root, check=True)
    with ThreadPoolExecutor(2) as two:
        list(two.map(build, sorted((root / "domains").iterdir())))
    for word in ("deps", "parse"):
        assert dbt(root, word).returncode == 0
    return root


@pytest.fixture(scope="module")
def run(root):
    return Mesh.open(root).train("fraud_protected")


@pytest.fixture(scope="module")
def record(run):
    return run.record


@pytest.fixture(scope="module")
def ways() -> Mapping[str, Mapping[str, float]]:
    """All ways at a size with as many frauds as a figure needs."""
    return fraud.one_seed(card.made_up(BENCH_ROWS), 0)


def test_the_one_command_writes_rows_builds_and_trains_both_studies():
    told = subprocess.run(
        ["make", "--dry-run", "demo"],
        cwd=EXAMPLE,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    steps = ("transactions.py", "fl build", "fl train fraud_protected")
    places = [told.index(step) for step in (*steps, "fl train fraud_shared")]
    assert places == sorted(places)
    assert "make" in (EXAMPLE / "README.md").read_text()


def test_the_contract_decides_what_happens_to_labels(root, record):
    assert record.vertical.labels == "protected"
    studies = Mesh.open(root).studies
    label = {
        w: set(studies[f"fraud_{w}"].products)
        - {f"{d}.transactions" for d in (card.DIGITAL, card.RETAIL)}
        for w in ("protected", "shared")
    }
    assert label["protected"] == {"fraud_prevention.transactions"}
    assert label["shared"] == {"fraud_prevention.transactions_shared"}


def test_every_file_that_the_command_names_is_there(run):
    paths = records.paths_of(run.entry)
    assert set(paths) == {"report", "card", "part", "folder"}
    assert all(path.exists() for path in paths.values())


def test_the_common_model_beats_the_label_domains_own_columns(record):
    (there,) = record.domains
    assert there.domain == card.PREVENTION
    assert there.federated["roc_auc"] > there.own["roc_auc"]
    assert record.metrics["roc_auc"].value > 0.9


def test_fraud_prevention_measures_what_its_messages_tell(record):
    told = record.vertical.figures[card.PREVENTION]
    assert {"attack_norm_auc", "attack_direction_auc", "attack_all_epochs_auc"} <= set(
        told
    )


def test_noise_hides_what_bare_gradients_tell(ways):
    bare, kept = ways["protected, no defence"], ways["protected"]
    for name in fraud.BARRED:
        assert bare[name] > 0.95
        assert kept[name] < 0.7  # of 24 frauds: a figure alone strays by .06
        assert ways["protected, fixed nets"][name] == 0.5


def test_three_domains_beat_each_one_alone(ways):
    best = max(ways[name]["ROC-AUC"] for name in fraud.ALONE.values())
    for way in ("pooled", "shared", "protected"):
        assert ways[way]["ROC-AUC"] > best + 0.02


def test_never_fraud_is_worth_the_share_of_frauds(ways):
    assert ways["never fraud"]["ROC-AUC"] == 0.5
    assert ways["never fraud"]["recall"] == 0.0
    assert ways["never fraud"][fraud.PRECISION] < 0.003


@pytest.mark.usefixtures("record")
def test_predictions_of_all_matched_rows_stand_at_fraud_prevention(root):
    found = Mesh.open(root).score("fraud_protected")
    assert found.domain == card.PREVENTION
    path = root / "domains" / found.domain / "data" / f"{found.domain}.duckdb"
    with duckdb.connect(path, read_only=True) as file:
        rows = file.execute(f"select count(*) from {found.table}").fetchall()[0][0]
    tables = card.by_domain(card.made_up(ROWS))
    keys = [set(t[card.KEY].to_pylist()) for t in tables.values()]
    assert rows == len(set.intersection(*keys))
    assert rows < ROWS


def test_made_up_rows_have_the_size_and_the_share_of_the_real_ones():
    made = card.made_up()
    assert (made.rows, made.is_fraud.sum()) == (card.ROWS, card.FRAUDS)
    assert [len(names) for names in card.COLUMNS.values()] == [10, 10, 10]
    few, again = card.made_up(1_000), card.made_up(1_000)
    assert np.array_equal(few.columns["v7"], again.columns["v7"])


def test_the_real_file_is_read_under_its_own_names(tmp_path):
    names = ["Time", *(f"V{i}" for i in range(1, 29)), "Amount", "Class"]
    rows = [[str(i + 10 * k) for i in range(30)] + [f"'{k}'"] for k in (0, 1)]
    lines = [",".join(f'"{n}"' for n in names)]
    lines += [",".join(row).replace("'", '"') for row in rows]
    file = tmp_path / "creditcard.csv"
    file.write_text("\n".join(lines) + "\n")
    found = card.real(file)
    assert found.is_fraud.tolist() == [False, True]
    assert found.columns["seconds"].tolist() == [0.0, 10.0]
    assert found.columns["v28"].tolist() == [28.0, 38.0]
    assert found.columns["amount"].tolist() == [29.0, 39.0]
    file.write_text("Time,Class\n1,0\n")
    with pytest.raises(ValueError, match="lacks the columns amount, v1"):
        card.real(file)
