"""Vertical studies as a user runs them: match, train, judge, keep parts, score."""

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from fl_plugin import Mesh, MeshError
from fl_plugin.cli.main import main
from fl_plugin.cli.records import traffic_table
from fl_plugin.coordinator.vertical_scoring import Delivered
from fl_plugin.engines.embedded import Embedded
from fl_plugin.errors import (
    BuildError,
    PolicyError,
    RegistryError,
    UsageError,
)
from fl_plugin.mesh.run import Run
from fl_plugin.messages import decode
from fl_plugin.party import opening
from fl_plugin.party.matched.parts import FOLDER
from fl_plugin.vertical.glm import seal
from tests.made_mesh import STUDY, Made, make_mesh
from tests.vertical_mesh import BANK, SHOP, TELCO, USES, VerticalMesh, vertical_mesh

NETWORK: dict[str, Any] = {"name": "split_network", "epochs": 2}


@contextmanager
def listening() -> Iterator[list[tuple[str, bytes]]]:
    """Give every message meanwhile, as bytes, by party."""
    sent: list[tuple[str, bytes]] = []
    plain = Embedded.exchange

    def exchange(self, asks, seconds):
        replies = plain(self, asks, seconds)
        sent.extend(asks.items())
        sent.extend(replies.items())
        return replies

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Embedded, "exchange", exchange)
        yield sent


@pytest.fixture
def wire() -> Iterator[list[tuple[str, bytes]]]:
    """Every message of every run, as bytes, by party."""
    with listening() as sent:
        yield sent


@pytest.fixture
def mesh(tmp_path):
    return vertical_mesh(tmp_path / "mesh", algorithm=NETWORK)


@dataclass(frozen=True, kw_only=True)
class Ran:
    """A run over a mesh, whose rows were scored, and every message of both."""

    mesh: VerticalMesh
    run: Run
    scored: Delivered
    sent: Sequence[tuple[str, bytes]]
    of_scoring: Sequence[tuple[str, bytes]]


@pytest.fixture(scope="module")
def ran(tmp_path_factory) -> Ran:
    """One run, to be looked at by many; who changes anything takes a copy."""
    made = vertical_mesh(tmp_path_factory.mktemp("ran") / "mesh", algorithm=NETWORK)
    with listening() as sent:
        run = Mesh.open(made.root).train(STUDY)
    with listening() as of_scoring:
        scored = Mesh.open(made.root).score(STUDY)
    return Ran(mesh=made, run=run, scored=scored, sent=sent, of_scoring=of_scoring)


@pytest.fixture
def copied(ran, tmp_path: Path) -> Path:
    """The folder of a mesh in which a run has been, this test's to change."""
    copy = tmp_path / "copy"
    shutil.copytree(ran.mesh.root, copy, symlinks=True)
    return copy


def predictions(root: Path) -> dict[str, float]:
    """Return key to score, from the label domain's own table."""
    path = root / "domains" / BANK / "data" / f"{BANK}.duckdb"
    with duckdb.connect(path) as file:
        rows = file.execute(f"select row_id, score from predictions.{STUDY}").fetchall()
    return dict(rows)


def part_files(root: Path, domain: str) -> list[Path]:
    return sorted((root / "domains" / domain / FOLDER).rglob("*.part"))


def test_a_run_matches_trains_and_keeps_a_part_in_every_domain(ran):
    mesh, run = ran.mesh, ran.run
    told = run.record.vertical
    assert told is not None
    assert told.label_domain == BANK
    assert told.labels == "protected"
    assert told.matched.rows == "500 to 1,000"
    assert set(told.parts) == {BANK, SHOP, TELCO}
    for domain in told.parts:
        (file,) = part_files(mesh.root, domain)
        assert file.stat().st_mode & 0o077 == 0
    assert not list((mesh.root / "registry").rglob("*.skops"))
    assert run.record.metrics["roc_auc"].value is not None


def test_the_label_domains_figures_and_their_difference_agree(ran):
    run = ran.run.record
    (told,) = run.domains
    assert told.difference is not None
    assert told.difference.value is not None
    federated, own = told.federated[told.measure], told.own[told.measure]
    assert federated is not None
    assert own is not None
    assert federated - own == pytest.approx(told.difference.value, abs=1e-3)
    assert told.rows_bucket is not None


def test_the_same_study_gives_the_same_model_twice(ran, copied):
    first, second = ran.run, Mesh.open(copied).train(STUDY)
    assert first.record.vertical is not None
    assert second.record.vertical is not None
    assert first.record.vertical.parts == second.record.vertical.parts
    assert first.record.model_digest == second.record.model_digest
    assert first.record.metrics == second.record.metrics


def test_no_key_and_no_value_crosses_a_boundary(ran):
    everything = b"".join(data for _, data in (*ran.sent, *ran.of_scoring))
    for table in ran.mesh.tables.values():
        for key in table["row_id"].to_pylist():
            assert key.encode() not in everything
        for name in table.column_names:
            if table[name].type == "double":
                values = table[name].to_pylist()
                for value in values:
                    assert np.float64(value).tobytes() not in everything
                # Four bytes of cipher text are now and then those of some value.
                singles = {np.float32(value).tobytes() for value in values}
                chance = len(singles) * len(everything) / 2**32
                met = sum(single in everything for single in singles)
                assert met <= 10 * chance + 5 < len(singles) / 2


def test_predictions_lie_in_the_label_domains_own_table(ran):
    mesh, found = ran.mesh, ran.scored
    assert (found.domain, found.table) == (BANK, f"predictions.{STUDY}")
    with duckdb.connect(
        mesh.root / "domains" / BANK / "data" / f"{BANK}.duckdb"
    ) as file:
        rows = file.execute(f"select row_id, score from predictions.{STUDY}").fetchall()
    assert {key for key, _ in rows} == mesh.shared
    assert all(0 <= score <= 1 for _, score in rows)


def test_parts_read_back_from_the_disk_score_the_same_again(ran, copied):
    first = predictions(ran.mesh.root)
    Mesh.open(copied).score(STUDY)
    assert predictions(copied) == first


def test_a_changed_part_is_not_used(copied):
    (file,) = part_files(copied, SHOP)
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(bytes(data))
    with pytest.raises(RegistryError, match="shop: The domain's part of the model was"):
        Mesh.open(copied).score(STUDY)


def test_a_vertical_model_is_no_pipeline_and_says_what_to_do(ran):
    with pytest.raises(RegistryError, match="each domain keeps its own part") as raised:
        ran.run.model  # noqa: B018 the property raises
    assert "fl score made" in raised.value.remedy


def test_a_contract_that_shares_labels_is_what_lets_the_coordinator_have_them(tmp_path):
    shared = vertical_mesh(tmp_path / "a", algorithm=NETWORK, sharing="shared")
    record = Mesh.open(shared.root).train(STUDY).record
    assert record.vertical is not None
    assert record.vertical.labels == "shared"
    assert "so the coordinator had it" in record.privacy.statement


BARE: dict[str, dict[str, Any]] = {
    "none": {"defence": "none"},
    "max_norm": {"defence": "max_norm"},
    "marvell": {"defence": "marvell", "noise": 400.0},
    "less noise": {"noise": 5.9},
}


@pytest.mark.parametrize("name", BARE)
def test_a_study_does_not_lay_bare_what_the_contract_protects(tmp_path, wire, name):
    """Gradients with little noise on them, or none, are the labels."""
    made = vertical_mesh(tmp_path / "mesh", algorithm=NETWORK | BARE[name])
    with pytest.raises(PolicyError, match="refused") as raised:
        Mesh.open(made.root).train(STUDY)
    assert raised.value.exit_code == 3
    assert "bank refused" in raised.value.problem
    assert "shop" not in raised.value.problem
    assert {decode(data).kind for _, data in wire} == {"decide"}


@pytest.mark.parametrize("words", [{"noise": 12.0}, {"defence": "fixed"}])
def test_noise_of_the_default_or_more_needs_no_word_of_the_contract(tmp_path, words):
    made = vertical_mesh(tmp_path / "mesh", algorithm=NETWORK | words)
    assert Mesh.open(made.root).train(STUDY).record.vertical is not None


def test_bare_gradients_leave_where_the_contract_says_so_or_shares_the_label(tmp_path):
    bare = NETWORK | BARE["none"]
    uses = (*USES, "release_gradients")
    offered = vertical_mesh(tmp_path / "offered", algorithm=bare, uses=uses)
    told = Mesh.open(offered.root).train(STUDY).record
    assert told.vertical is not None
    assert told.vertical.labels == "protected"
    assert "they tell the label of each row" in told.notes[0]
    shared = vertical_mesh(tmp_path / "shared", algorithm=bare, sharing="shared")
    assert Mesh.open(shared.root).train(STUDY).record.vertical is not None


def test_a_domain_whose_contract_offers_no_vertical_training_refuses(tmp_path):
    made = vertical_mesh(
        tmp_path / "mesh", algorithm=NETWORK, uses=("train_horizontal", "evaluate")
    )
    with pytest.raises(PolicyError, match="refused") as raised:
        Mesh.open(made.root).train(STUDY)
    assert raised.value.exit_code == 3


def test_a_hash_join_needs_the_contracts_word_and_a_salt(tmp_path):
    words = {"match": {"key": "row_id", "how": "keyed_hash"}}
    closed = vertical_mesh(
        tmp_path / "closed",
        algorithm=NETWORK,
        study=words,
        uses=("train_vertical", "evaluate"),
    )
    with pytest.raises(PolicyError):
        Mesh.open(closed.root).train(STUDY)
    made = vertical_mesh(tmp_path / "open", algorithm=NETWORK, study=words)
    with pytest.raises(MeshError, match="salt"):
        Mesh.open(made.root).train(STUDY)
    for domain in (BANK, SHOP, TELCO):
        file = made.root / "domains" / domain / "matching.salt"
        file.write_bytes(b"0123456789abcdef0123456789abcdef")
        file.chmod(0o600)
    record = Mesh.open(made.root).train(STUDY).record
    assert record.vertical is not None
    assert record.vertical.matched.how == "keyed_hash"


def test_bytes_are_told_by_domain_direction_and_round_and_by_form(ran):
    mesh, record = ran.mesh, ran.run.record
    sizes: dict[int, dict[str, list[int]]] = {}
    for domain, data in ran.sent:
        sizes.setdefault(decode(data).round, {}).setdefault(domain, []).append(
            len(data)
        )
    asked = set()
    for done in record.rounds:  # a question first, then its answer
        told = {d: [t.down, t.up] for d, t in done.domains.items()}
        assert told == sizes[done.round]
        asked |= set(told)
        assert sum(t.up for t in done.domains.values()) == done.bytes_up
        assert sum(t.down for t in done.domains.values()) == done.bytes_down
    assert asked == {BANK, SHOP, TELCO}
    table = traffic_table(record)
    cells = {n: row for n, *row in table.rows}
    place = table.columns.index("activations") - 1
    turns = [i for i in record.left_domain if i.kind == "turn" and i.domain == SHOP]
    assert [item.form for item in turns] == ["activation"]
    assert cells[SHOP][place] == turns[0].bytes
    assert turns[0].bytes > 4_000
    page = (mesh.root / "registry" / STUDY / "v1" / "report.html").read_text()
    assert "Shop: up, down" in page
    assert "Came in" in page


def test_too_few_common_rows_stop_the_run(tmp_path):
    made = vertical_mesh(
        tmp_path / "mesh", algorithm=NETWORK, product={"min_cohort": 560}
    )
    with pytest.raises(PolicyError, match="Fewer than 560 rows are in all domains"):
        Mesh.open(made.root).train(STUDY)


def test_a_missing_table_names_its_domain(mesh):
    (mesh.root / "domains" / TELCO / "data" / f"{TELCO}.duckdb").unlink()
    with pytest.raises(BuildError, match=TELCO):
        Mesh.open(mesh.root).train(STUDY)


def test_the_verbs_speak_json(mesh, capsys, monkeypatch):
    monkeypatch.chdir(mesh.root)
    assert main(["train", STUDY, "--json"]) == 0
    capsys.readouterr()
    assert main(["score", STUDY, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["table"] == f"predictions.{STUDY}"


def test_a_missing_package_is_told_before_a_row_is_opened(
    tmp_path, monkeypatch, capsys
):
    mesh = vertical_mesh(
        tmp_path / "mesh", algorithm={"name": "vertical_logistic_regression"}
    )
    read: list[str] = []
    monkeypatch.setattr(seal, "library", _not_installed)
    monkeypatch.setattr(opening, "read_rows", lambda *_: read.append("rows"))
    monkeypatch.chdir(mesh.root)
    for verb in ("plan", "train"):
        assert main([verb, STUDY]) == 2
        told = "".join(capsys.readouterr())
        assert f"{BANK}: tenseal is not installed" in told
        assert "[vertical]" in told
    assert read == []


def test_a_plan_says_who_has_which_columns(mesh, capsys, monkeypatch):
    monkeypatch.chdir(mesh.root)
    assert main(["plan", STUDY]) == 0
    told = capsys.readouterr().out
    plan = Mesh.open(mesh.root).plan(STUDY)
    for party in plan.parties:
        names = ", ".join(feature.name for feature in party.features)
        label = plan.target if party.domain == BANK else ""
        assert f"{party.domain}\t{names}\trow_id\t{label}\n" in told
    assert f"The labels are {BANK}'s, whose contract protects them." in told


def _not_installed():
    raise UsageError("tenseal is not installed.", remedy="pip install '.[vertical]'")


@pytest.mark.parametrize("name", ["split_network", "vertical_boosting"])
@pytest.mark.parametrize(
    ("listed", "kind"),
    [([0, 1], "binary"), ([0, 1, 2], "multiclass"), ([], "regression")],
)
def test_numbers_that_a_contract_lists_are_classes(tmp_path, name, listed, kind):
    accepted = {"is_bad": listed} if listed else {}
    mesh = vertical_mesh(
        tmp_path / "mesh", algorithm={"name": name}, target="count", accepted=accepted
    )
    predicts = Mesh.open(mesh.root).plan(STUDY).predicts
    assert predicts.kind == kind
    assert predicts.classes == tuple(map(str, listed))


def test_a_loss_of_numbers_makes_listed_numbers_numbers(tmp_path):
    mesh = vertical_mesh(
        tmp_path / "mesh",
        algorithm={"name": "vertical_boosting", "loss": "poisson"},
        target="count",
        accepted={"is_bad": [0, 1, 2]},
    )
    assert Mesh.open(mesh.root).plan(STUDY).predicts.kind == "count"


def test_a_key_that_is_called_as_a_figure_is_stays_beside_it(tmp_path):
    keys = pa.array([f"K{np.random.default_rng(i).bytes(9).hex()}" for i in range(300)])
    x = np.random.default_rng(0).normal(size=300)
    tables = {
        BANK: pa.table({"row_id": keys, "score": keys, "income": x, "is_bad": x > 0}),
        SHOP: pa.table({"row_id": keys, "score": keys, "basket": -x}),
    }
    study = {
        "mode": "vertical",
        "algorithm": {"name": "vertical_boosting", "mode": "bins", "max_iter": 2},
        "target": "is_bad",
        "features": ["income", "basket"],
        "match": {"key": "score"},
    }
    roles = {"score": ["join_key"], "is_bad": ["label"]}
    root = make_mesh(
        tmp_path / "mesh", Made(tables=tables, study=study, roles=roles, uses=USES)
    )
    Mesh.open(root).train(STUDY)
    Mesh.open(root).score(STUDY)
    path = root / "domains" / BANK / "data" / f"{BANK}.duckdb"
    with duckdb.connect(path) as file:
        found = file.execute(f"select key_score, score from predictions.{STUDY}")
        rows = found.fetchall()
    assert {key for key, _ in rows} == set(keys.to_pylist())
    assert all(0.0 < score < 1.0 for _, score in rows)
