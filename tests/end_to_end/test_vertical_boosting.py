"""Vertical boosting as a user runs it, in both modes: train, keep parts, score."""

import duckdb
import pytest

from fl_plugin import Mesh
from fl_plugin.cli.main import main
from fl_plugin.engines.embedded import Embedded
from fl_plugin.errors import PolicyError, TrainingError
from fl_plugin.messages import decode
from tests.made_mesh import STUDY
from tests.vertical_mesh import BANK, USES, vertical_mesh

FEW_TREES = {"name": "vertical_boosting", "max_iter": 5, "sums_per_row": 10.0}


@pytest.fixture
def asked(monkeypatch) -> list[str]:
    """The kinds of all questions that were asked."""
    kinds: list[str] = []
    exchange = Embedded.exchange

    def listening(self, asks, seconds):
        kinds.extend(decode(data).kind for data in asks.values())
        return exchange(self, asks, seconds)

    monkeypatch.setattr(Embedded, "exchange", listening)
    return kinds


@pytest.mark.parametrize("mode", ["strict", "bins"])
def test_a_mesh_trains_trees_and_scores_its_rows(tmp_path, mode, monkeypatch):
    algorithm = {**FEW_TREES, "mode": mode}
    mesh = vertical_mesh(tmp_path / "mesh", algorithm=algorithm)
    run = Mesh.open(mesh.root).train(STUDY)
    assert run.record.vertical is not None
    assert run.record.vertical.labels == "protected"
    monkeypatch.chdir(mesh.root)
    assert main(["score", STUDY, "--json"]) == 0
    path = mesh.root / "domains" / BANK / "data" / f"{BANK}.duckdb"
    with duckdb.connect(path) as file:
        found = file.execute(f"select score from predictions.{STUDY}").fetchall()
    scores = [score for (score,) in found]
    assert len(scores) == len(mesh.shared)
    assert all(0.0 < score < 1.0 for score in scores)
    assert max(scores) - min(scores) > 0.2


def without(use: str) -> tuple[str, ...]:
    return tuple(u for u in USES if u != use)


def test_bins_are_not_released_where_contracts_do_not_offer_it(tmp_path, asked):
    uses = without("release_bins")
    algorithm = {**FEW_TREES, "mode": "bins"}
    closed = vertical_mesh(tmp_path / "closed", algorithm=algorithm, uses=uses)
    with pytest.raises(PolicyError, match="refused") as raised:
        Mesh.open(closed.root).train(STUDY)
    assert raised.value.exit_code == 3
    assert "these uses" in raised.value.problem
    assert set(asked) == {"decide"}  # nothing was matched, nothing was read
    strict = vertical_mesh(tmp_path / "strict", algorithm=FEW_TREES, uses=uses)
    assert Mesh.open(strict.root).train(STUDY).record.vertical is not None


def test_keys_are_not_hashed_where_contracts_do_not_offer_it(tmp_path, asked):
    mesh = vertical_mesh(
        tmp_path / "mesh",
        algorithm=FEW_TREES,
        study={"match": {"key": "row_id", "how": "keyed_hash"}},
        uses=without("match_by_hash"),
    )
    for domain in mesh.tables:
        file = mesh.root / "domains" / domain / "matching.salt"
        file.write_bytes(b"0123456789abcdef0123456789abcdef")
        file.chmod(0o600)
    with pytest.raises(PolicyError, match="refused") as raised:
        Mesh.open(mesh.root).train(STUDY)
    assert "these uses" in raised.value.problem
    assert set(asked) == {"decide"}


def test_a_domain_refuses_sums_that_tell_which_rows_are_in_a_bin(tmp_path):
    algorithm = {"name": "vertical_boosting", "max_iter": 5}
    mesh = vertical_mesh(tmp_path / "mesh", algorithm=algorithm)
    with pytest.raises(TrainingError, match="single rows' bins") as raised:
        Mesh.open(mesh.root).train(STUDY)
    assert "fewer trees" in raised.value.remedy


def test_a_node_may_limit_what_a_study_chooses(tmp_path):
    allowed = {"sums_per_row": [0.0001, 0.1], "max_iter": [1, 100]}
    mesh = vertical_mesh(
        tmp_path / "mesh",
        algorithm=FEW_TREES,
        node={"algorithms": {"vertical_boosting": allowed}},
    )
    with pytest.raises(PolicyError, match="refused") as raised:
        Mesh.open(mesh.root).train(STUDY)
    assert "sums_per_row" in f"{raised.value.problem} {raised.value.remedy}"
