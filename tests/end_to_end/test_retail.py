"""The example mesh of three retail domains, smaller, from purchases to ranks."""

import sys
from pathlib import Path

import pytest

from bench import retail
from fl_plugin import Mesh

pytestmark = pytest.mark.slow
CUSTOMERS = 400


@pytest.fixture(scope="module")
def mesh(tmp_path_factory) -> Path:
    return retail.built(tmp_path_factory.mktemp("retail"), CUSTOMERS)


def test_the_model_ranks_above_chance_and_above_sales_alone(mesh):
    told = Mesh.open(mesh).train(retail.STUDY).record.vertical
    assert told.ranking is not None
    assert told.labels == "protected"
    assert told.ranking.candidates == pytest.approx(100, abs=0.5)
    for name in ("hr_at_10", "ndcg_at_10"):
        assert told.ranking.above["chance"][name].low > 0
        assert told.ranking.above["own"][name].low > 0


def test_nobody_is_given_an_article_as_drawn_that_they_bought(mesh):
    table = retail.pooled(mesh)
    pairs: dict[tuple[str, str], set[bool]] = {}
    for customer, article, bought in zip(
        table["customer_id"], table["article_id"], table["is_bought"], strict=True
    ):
        pairs.setdefault((customer, article), set()).add(bool(bought))
    assert all(len(found) == 1 for found in pairs.values())


def test_real_files_go_the_same_way(tmp_path):
    sys.path.insert(0, str(retail.EXAMPLE))
    try:
        import purchases  # noqa: PLC0415 it lies beside the example, in no package
    finally:
        sys.path.remove(str(retail.EXAMPLE))
    (tmp_path / "customers.csv").write_text(
        "customer_id,FN,Active,club_member_status,fashion_news_frequency,age,"
        "postal_code\n"
        "aa,1,1,ACTIVE,NONE,25,x\nbb,,,PRE-CREATE,Monthly,,y\n"
    )
    (tmp_path / "articles.csv").write_text(
        "article_id,product_group_name,colour_group_name,index_name,detail_desc\n"
        '0108775015,Garment Upper body,Black,Ladieswear,"a, top"\n'
    )
    (tmp_path / "transactions_train.csv").write_text(
        "t_dat,customer_id,article_id,price,sales_channel_id\n"
        "2018-09-20,aa,0108775015,0.05,2\n2018-09-21,bb,0108775015,0.04,1\n"
    )
    tables = purchases.real(tmp_path, 0)
    assert tables.articles["article_id"].to_pylist() == ["0108775015"]
    assert sorted(tables.customers["age"].to_pylist(), key=str) == [25, None]
    assert tables.transactions.num_rows == 2
    assert purchases.real(tmp_path, 1).transactions.num_rows == 1
    purchases.write(tables, tmp_path / "mesh")
    for name, domain in purchases.FILES.items():
        assert (
            tmp_path / "mesh/domains" / domain / f"data/raw_{name}.parquet"
        ).exists()
