"""Studies whose label domain has many rows for one of each other domain's."""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
import pytest

from fl_plugin import Mesh
from fl_plugin.engines.embedded import Embedded
from fl_plugin.errors import ContractError, PolicyError
from fl_plugin.registry.run_vertical import Ranking, Vertical
from tests.lookup_mesh import CUSTOMERS, LAST, PEOPLE, SHOP, STOCK, lookup_mesh
from tests.made_mesh import STUDY
from tests.vertical_mesh import VerticalMesh


@dataclass(frozen=True, kw_only=True)
class Ran:
    """A run over a mesh, and every message of it as bytes."""

    mesh: VerticalMesh
    told: Vertical
    ranking: Ranking
    sent: Sequence[bytes]


@pytest.fixture(scope="module")
def ran(tmp_path_factory) -> Ran:
    """One run; it is looked at, and only what it writes may be added to its mesh."""
    mesh = lookup_mesh(tmp_path_factory.mktemp("lookups") / "mesh")
    sent: list[bytes] = []
    exchange = Embedded.exchange

    def listening(self, asks, seconds):
        replies = exchange(self, asks, seconds)
        sent.extend((*asks.values(), *replies.values()))
        return replies

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Embedded, "exchange", listening)
        told, ranking = train(mesh)
    return Ran(mesh=mesh, told=told, ranking=ranking, sent=sent)


def train(mesh: VerticalMesh) -> tuple[Vertical, Ranking]:
    told = Mesh.open(mesh.root).train(STUDY).record.vertical
    assert told is not None
    assert told.ranking is not None
    return told, told.ranking


def test_each_row_gets_the_columns_of_its_own_customer_and_item(ran):
    ranking = ran.ranking
    figures = ranking.figures
    # Bought is what is of the customer's own kind: nobody sees that alone.
    assert figures["federated"]["hr_at_5"].value > 0.9
    assert figures["own"]["hr_at_5"].value < 0.5
    assert figures["chance"]["hr_at_5"].value == pytest.approx(5 / LAST, abs=0.02)
    assert ranking.above["popularity"]["ndcg_at_10"].low > 0
    assert ranking.candidates == pytest.approx(LAST, abs=0.5)
    assert ranking.users == "50 to 100"


def test_the_same_study_gives_the_same_model_twice(ran):
    told, ranking = train(ran.mesh)
    assert told.parts == ran.told.parts
    assert ranking == ran.ranking


def test_no_key_and_no_place_crosses_in_clear(ran):
    everything = b"".join(ran.sent)
    shop = ran.mesh.tables[SHOP]
    for name in ("customer_id", "item_id"):
        for key in set(shop[name].to_pylist()):
            assert key.encode() not in everything
    bought = shop["is_bought"].to_numpy(zero_copy_only=False)
    for dtype in (np.uint8, np.int64, np.float64, np.float32):
        assert bought.astype(dtype).tobytes() not in everything


def test_predictions_are_written_for_every_row_that_has_all_it_needs(ran):
    mesh = ran.mesh
    Mesh.open(mesh.root).score(STUDY)
    path = mesh.root / "domains" / SHOP / "data" / f"{SHOP}.duckdb"
    with duckdb.connect(path) as file:
        rows = file.execute(
            f"select customer_id, item_id, score from predictions.{STUDY}"
        ).fetchall()
    known = set(mesh.tables[PEOPLE]["customer_id"].to_pylist())
    items = set(mesh.tables[STOCK]["item_id"].to_pylist())
    shop = mesh.tables[SHOP]
    pairs = zip(
        shop["customer_id"].to_pylist(), shop["item_id"].to_pylist(), strict=True
    )
    expected = sorted((c, i) for c, i in pairs if c in known and i in items)
    assert sorted((c, i) for c, i, _ in rows) == expected
    assert len({c for c, _, _ in rows}) == CUSTOMERS - 1


def test_rows_may_be_held_out_by_hash_of_the_customer_instead(tmp_path):
    words = {
        "algorithm": {"name": "split_network", "epochs": 1},  # however well it learns
        "evaluation": {"holdout": 0.3, "group": "customer_id"},
    }
    made = lookup_mesh(tmp_path / "mesh", study=words)
    assert train(made)[1].users == "20 to 50"


def test_a_label_domain_that_does_not_offer_to_tell_how_often_refuses(tmp_path):
    made = lookup_mesh(
        tmp_path / "mesh", uses=("train_vertical", "evaluate", "predict")
    )
    with pytest.raises(PolicyError):
        Mesh.open(made.root).train(STUDY)


def test_a_study_must_name_a_key_for_every_other_domain(tmp_path):
    words = {
        "match": {"keys": {PEOPLE: "customer_id"}},
        "evaluation": {"holdout": 0.2},
    }
    made = lookup_mesh(tmp_path / "mesh", study=words)
    with pytest.raises(ContractError, match="keys of other domains"):
        Mesh.open(made.root).train(STUDY)
