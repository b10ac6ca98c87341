"""The example mesh of card clients: its one command's steps, on some of the rows."""

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest

from bench.split_default import PLACE
from examples.credit_default import clients
from fl_plugin import Mesh
from tests.conftest import MADE, REPOSITORY, dbt

EXAMPLE = REPOSITORY / "examples" / "credit_default"
STUDY = "card_default"
ROWS = 2_000
FEWER = ("{name: split_network}", "{name: split_network, epochs: 5}")
here = pytest.mark.skipif(
    not PLACE.is_file(), reason="the credit card data set is not shipped"
)


def build(folder: Path) -> None:
    done = dbt(folder, "build", "--quiet")
    assert done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """The mesh, as `make rows mesh` leaves it but for the catalog."""
    root: Path = tmp_path_factory.mktemp("credit_default") / "mesh"
    shutil.copytree(EXAMPLE, root, ignore=MADE)
    words = ("--from", str(PLACE), "--rows", str(ROWS), "--into", str(root))
    subprocess.run([sys.executable, "clients.py", *words], cwd=root, check=True)
    study = root / "models" / "studies" / f"{STUDY}.yml"
    assert FEWER[0] in study.read_text()
    study.write_text(study.read_text().replace(*FEWER))
    with ThreadPoolExecutor(2) as two:
        list(two.map(build, sorted((root / "domains").iterdir())))
    for word in ("deps", "parse"):
        assert dbt(root, word).returncode == 0
    return root


@pytest.fixture(scope="module")
def record(root):
    return Mesh.open(root).train(STUDY).record


@pytest.mark.slow
@here
def test_four_domains_beat_the_profile_alone_and_the_label_stays_there(record):
    assert record.vertical.labels == "protected"
    (there,) = record.domains
    assert there.domain == "profile"
    assert there.federated["roc_auc"] > there.own["roc_auc"] + 0.1
    assert set(record.vertical.figures["profile"]) >= {"attack_all_epochs_auc"}
    assert "sex" not in record.features


@here
def test_the_public_file_is_taken_apart_without_loss():
    whole = clients.read(PLACE)
    assert (whole.num_rows, sum(whole[clients.LABEL].to_pylist())) == (30_000, 6_636)
    some = clients.sampled(whole, 500)
    tables = list(clients.by_domain(some).values())
    joined = tables[0]
    for table in tables[1:]:
        assert joined[clients.KEY] != table[clients.KEY]  # an order of its own
        joined = joined.join(table, clients.KEY, join_type="inner")
    names = (*clients.ORDER, clients.LABEL)
    order = [(name, "ascending") for name in names]
    assert joined.select(names).sort_by(order) == some.sort_by(order)


def test_the_one_command_writes_rows_builds_and_trains():
    told = make("--dry-run", "demo", "FROM=some.csv").stdout
    steps = ("clients.py --from 'some.csv'", "fl build", f"fl train {STUDY}")
    places = [told.index(step) for step in steps]
    assert places == sorted(places)


def test_without_the_file_the_command_says_what_to_name():
    done = make("demo")
    assert done.returncode != 0
    assert "make FROM=FILE" in done.stdout


def make(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *words], cwd=EXAMPLE, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("label", clients.LABELS)
def test_the_file_is_read_under_each_of_its_names(tmp_path, label):
    numbered = label == "y"
    names = [f"X{i}" for i in range(1, 24)] if numbered else clients.ORDER
    names = [name.upper() for name in ("id", *names)] + [label.upper()]
    file = tmp_path / "clients.csv"
    file.write_text(f"{','.join(names)}\n{','.join(map(str, range(25)))}\n")
    found = clients.read(file)
    assert found.to_pylist() == [
        {name: i for i, name in enumerate((*clients.ORDER, clients.LABEL), start=1)}
    ]


def test_a_file_of_other_columns_is_named_with_what_it_lacks(tmp_path):
    file = tmp_path / "clients.csv"
    names = [name for name in clients.ORDER if name != "pay_3"]
    file.write_text(f"{','.join(names)}\n{','.join(map(str, range(22)))}\n")
    with pytest.raises(ValueError, match=r"lacks the columns pay_3, default\.payment"):
        clients.read(file)


def test_no_domain_but_profile_gets_the_label():
    rows = {name: [0, 1] for name in (*clients.ORDER, clients.LABEL)}
    tables = clients.by_domain(pa.table(rows))
    assert [d for d, t in tables.items() if clients.LABEL in t.column_names] == [
        "profile"
    ]
    assert all(table.column_names[0] == clients.KEY for table in tables.values())
