"""Where the domains' rows come from."""

import csv
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def split() -> ModuleType:
    path = REPOSITORY / "data_source" / "split.py"
    spec = importlib.util.spec_from_file_location("split", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def columns_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as seed:
        return list(csv.DictReader(seed))


def test_the_seeds_are_what_the_script_makes_of_the_published_file(split):
    written = split.seeds()
    shipped = {
        p.relative_to(split.DOMAINS) for p in split.DOMAINS.glob("*/seeds/*.csv")
    }
    assert shipped == set(written)
    for path, text in written.items():
        assert (split.DOMAINS / path).read_text(encoding="utf-8") == text, path


@pytest.mark.parametrize("seed", ["raw_applications", "raw_applicants"])
def test_every_customer_borrows_from_exactly_one_lender(split, seed):
    customers = [
        row["customer_id"]
        for lender in split.LENDERS
        for row in columns_of(split.DOMAINS / lender / "seeds" / f"{seed}.csv")
    ]
    assert sorted(customers) == [f"C{n:04d}" for n in range(1, 1001)]


def test_no_attribute_is_lost_and_none_is_in_two_places(split):
    dealt = [
        n for part in (split.LENDING, split.WEALTH) for a in part.values() for n in a
    ]
    assert sorted(dealt) == list(range(1, 22))


def test_wealth_is_known_to_asset_management_alone(split):
    wealth = {f"attribute_{n}" for a in split.WEALTH.values() for n in a}
    for lender in split.LENDERS:
        for seed in split.LENDING:
            rows = columns_of(split.DOMAINS / lender / "seeds" / f"{seed}.csv")
            assert wealth.isdisjoint(rows[0])
