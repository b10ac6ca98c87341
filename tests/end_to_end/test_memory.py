"""A table four times as large as what its domain gives it trains within that."""

import pytest

from bench import memory
from fl_plugin import Mesh
from fl_plugin.party import spooled
from fl_plugin.party.spool import FOLDER
from tests.made_mesh import STUDY

pytestmark = pytest.mark.slow
LOGISTIC = {"name": "logistic_regression"}
TREES = {"name": "hist_gradient_boosting_classifier", "max_iter": 5}


def test_a_table_four_times_the_memory_trains_within_it():
    case = memory.Case(rows=2_250_000, memory="128MB", algorithm=LOGISTIC)
    missed = [f for f in memory.figures(case) if not f.met]
    assert missed == []


def values(run):
    return {n: v.value for n, v in run.record.metrics.items() if v.value is not None}


@pytest.mark.parametrize("algorithm", [LOGISTIC, TREES], ids=lambda a: a["name"])
def test_rows_on_disk_give_the_model_of_rows_in_memory(
    tmp_path, monkeypatch, algorithm
):
    case = memory.Case(rows=20_000, memory="128MB", algorithm=algorithm)
    root = memory.make(tmp_path / "mesh", case)
    written = []
    spool_rows = spooled.spool_rows

    def counted(*arguments):
        written.append(spool_rows(*arguments))
        return written[-1]

    monkeypatch.setattr("fl_plugin.party.rows.spool_rows", counted)
    in_memory = Mesh.open(root).train(STUDY)
    assert written == []
    monkeypatch.setattr("fl_plugin.party.rows.SHARE", 2**40)
    monkeypatch.setattr("fl_plugin.party.opening.DESIGNS", 2**40)
    on_disk = Mesh.open(root).train(STUDY)
    assert len(written) == len(memory.DOMAINS)
    # Sums over blocks of another size are rounded otherwise in their last digits.
    assert values(on_disk) == pytest.approx(values(in_memory), rel=1e-9, abs=1e-12)
    assert list(root.glob(f"domains/*/{FOLDER}/*")) == []


def test_nothing_stays_on_disk_where_the_opening_refuses(tmp_path, monkeypatch):
    case = memory.Case(rows=1_000, memory="128MB", algorithm=LOGISTIC)
    root = memory.make(tmp_path / "mesh", case)
    monkeypatch.setattr("fl_plugin.party.rows.SHARE", 2**40)
    monkeypatch.setattr(
        "fl_plugin.party.opening._account", lambda *_: (_ for _ in ()).throw(OSError)
    )
    with pytest.raises(Exception, match="failed inside"):
        Mesh.open(root).train(STUDY)
    assert len(list(root.glob(f"domains/*/{FOLDER}"))) == len(memory.DOMAINS)
    assert list(root.glob(f"domains/*/{FOLDER}/*")) == []
