"""The example mesh of three retail domains: its one command's steps, but smaller."""

import subprocess
from pathlib import Path

import pytest

from bench import retail
from bench.retail_fits import PRODUCTS, pairs_of, pooled
from examples.retail import purchases
from fl_plugin.registry.run_record import RunRecord

pytestmark = pytest.mark.slow
CUSTOMERS = 300


@pytest.fixture(scope="module")
def mesh(tmp_path_factory) -> Path:
    folder: Path = tmp_path_factory.mktemp("retail")
    return retail.built(folder, CUSTOMERS, purchases.SEED)


@pytest.fixture(scope="module")
def record(mesh) -> RunRecord:
    return retail.trained(mesh)[0]


def test_the_one_command_makes_purchases_builds_and_trains():
    told = subprocess.run(
        ["make", "--dry-run"],
        cwd=retail.EXAMPLE,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    steps = ("purchases.py", "fl build", f"fl train {retail.STUDY}")
    places = [told.index(step) for step in steps]
    assert places == sorted(places)


def test_each_purchase_is_ranked_among_99_others_with_labels_protected(record):
    assert record.vertical.labels == "protected"
    assert record.vertical.ranking.candidates == pytest.approx(100, abs=0.5)
    chance = record.vertical.ranking.figures["chance"]
    assert chance["hr_at_10"].value == pytest.approx(0.1, abs=0.001)


@pytest.mark.parametrize("way", ["chance", "popularity", "own"])
def test_the_model_ranks_above_what_needs_no_other_domain(record, way):
    above = record.vertical.ranking.above[way]
    assert {name for name, of in above.items() if of.low <= 0} == set()


def test_no_domain_alone_ranks_as_well(mesh, record):
    pairs = pairs_of(mesh)
    found = record.vertical.ranking.figures["federated"]["hr_at_10"].value
    alone = {d: pairs.by_trees(d).means()["hr_at_10"].value for d in PRODUCTS}
    assert alone["customer"] == pytest.approx(0.1, abs=0.001)
    assert max(alone.values()) < found


def test_nobody_is_given_an_article_as_drawn_that_they_bought(mesh):
    table = pooled(mesh)
    columns = (table[n].to_pylist() for n in ("customer_id", "article_id", "is_bought"))
    given: dict[bool, set[tuple[str, str]]] = {True: set(), False: set()}
    for customer, article, bought in zip(*columns, strict=True):
        given[bought].add((customer, article))
    assert given[True]
    assert given[False]
    assert given[True] & given[False] == set()


def test_the_same_numbers_make_the_same_purchases():
    first, second = (purchases.made_up(50, 60, 3) for _ in range(2))
    assert first == second
    assert first != purchases.made_up(50, 60, 4)


def test_real_files_go_the_same_way(tmp_path):
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
        place = tmp_path / "mesh" / "domains" / domain / "data" / f"raw_{name}.parquet"
        assert place.exists()
