"""What the domains' YAML files promise, before dbt has seen them."""

from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[3]
DOMAINS = REPOSITORY / "domains"
LENDERS = ("auto_finance", "commercial_banking", "consumer_banking")
PRODUCTS = {
    **dict.fromkeys(LENDERS, "credit_profile"),
    "asset_management": "wealth_profile",
}


def yaml_of(*parts: str) -> Any:
    return yaml.safe_load(REPOSITORY.joinpath(*parts).read_text(encoding="utf-8"))


def product(domain: str) -> Any:
    path = ("domains", domain, "models", "products", f"{PRODUCTS[domain]}.yml")
    return yaml_of(*path)["models"][0]


def columns(domain: str) -> dict[str, Any]:
    return {c["name"]: c for c in product(domain)["columns"]}


def accepted(column: Any) -> list[str] | None:
    for test in column.get("data_tests", []):
        if isinstance(test, dict) and "accepted_values" in test:
            return list(test["accepted_values"]["arguments"]["values"])
    return None


def grant(domain: str) -> Any:
    path = ("domains", domain, "models", "grants", "g_credit_risk_ml_coe.yml")
    return yaml_of(*path)["exposures"][0]["config"]["meta"]["mesh"]


def study() -> Any:
    exposure = yaml_of("models", "studies", "credit_risk.yml")["exposures"][0]
    return exposure["config"]["meta"]["mesh"]


class Returned(Exception):  # noqa: N818  (dbt's `return`, which is not an error)
    pass


def labels() -> dict[str, dict[str, str | bool]]:
    def leave(value: Any) -> None:
        raise Returned(value)

    source = (REPOSITORY / "macros" / "statlog_labels.sql").read_text(encoding="utf-8")
    environment = jinja2.Environment(autoescape=False)  # noqa: S701  (no HTML here)
    template = environment.from_string(source, globals={"return": leave})
    with pytest.raises(Returned) as left:
        vars(template.module)["statlog_labels"]()
    return dict(left.value.args[0])


def test_the_three_lenders_promise_the_same_but_for_what_they_lend_for():
    def promise(domain: str) -> dict[str, Any]:
        found = columns(domain)
        return {n: c for n, c in found.items() if n != "purpose"}

    first, *others = [promise(lender) for lender in LENDERS]
    assert all(other == first for other in others)


def test_no_two_lenders_lend_for_the_same_purpose():
    purposes = [p for d in LENDERS for p in accepted(columns(d)["purpose"]) or []]
    assert sorted(purposes) == sorted(labels()["purpose"].values())


@pytest.mark.parametrize("domain", PRODUCTS)
def test_a_contract_accepts_exactly_the_labels_that_codes_decode_to(domain):
    for name, column in columns(domain).items():
        if name in labels() and column["data_type"] == "varchar" and name != "purpose":
            assert accepted(column) == list(labels()[name].values()), name


@pytest.mark.parametrize("domain", PRODUCTS)
def test_every_text_column_but_the_key_says_which_values_it_takes(domain):
    for name, column in columns(domain).items():
        if column["data_type"] == "varchar" and name != "customer_id":
            assert accepted(column), name


@pytest.mark.parametrize("domain", PRODUCTS)
def test_bounds_for_privacy_and_the_range_test_say_the_same(domain):
    for column in columns(domain).values():
        if column["data_type"] == "integer":
            bounds = column["config"]["meta"]["mesh"]["bounds"]
            arguments = column["data_tests"][0]["in_range"]["arguments"]
            assert [arguments["low"], arguments["high"]] == bounds


@pytest.mark.parametrize("domain", PRODUCTS)
def test_every_column_of_a_product_is_described_and_typed_and_filled(domain):
    for column in columns(domain).values():
        assert column["description"]
        assert column["data_type"]
        assert {"type": "not_null"} in column["constraints"]


@pytest.mark.parametrize("domain", LENDERS)
def test_a_grant_opens_what_the_study_needs_and_nothing_else(domain):
    wanted = {*study()["features"], study()["target"]}
    assert set(grant(domain)["request"]["columns"]) == wanted


@pytest.mark.parametrize("domain", LENDERS)
def test_protected_columns_and_the_key_are_in_no_grant(domain):
    closed = {
        name
        for name, column in columns(domain).items()
        if not {"feature", "label"} & set(column["config"]["meta"]["mesh"]["roles"])
    }
    assert closed == {"customer_id", "personal_status_sex", "foreign_worker"}
    assert closed.isdisjoint(grant(domain)["request"]["columns"])


@pytest.mark.parametrize("domain", LENDERS)
def test_a_grant_has_the_approval_of_both_stewards(domain):
    owner = yaml_of("domains", domain, "models", "owner.yml")["groups"][0]["owner"]
    assert sorted(grant(domain)["decision"]["by"]) == sorted(owner["stewards"])


def test_every_model_has_one_file_of_yaml_beside_it():
    queries = [*DOMAINS.glob("*/models/**/*.sql"), *REPOSITORY.glob("models/**/*.sql")]
    assert len(queries) == 21
    for query in queries:
        stem = query.stem.removesuffix("_v1")
        assert query.with_name(f"{stem}.yml").exists(), query
