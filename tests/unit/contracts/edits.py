"""Edits of the built manifest, each with a name, and what a case of them is."""

from collections.abc import Callable
from typing import Any, NamedTuple

from tests.unit.contracts.conftest import (
    GRANT,
    MODEL,
    STUDY,
    Raw,
    column,
    grant,
    group,
    mesh,
    new_version,
    node,
)

Edit = Callable[[Raw], object]


class Case(NamedTuple):
    """One edit of the built manifest; `before` is made on both sides."""

    kind: str
    verdict: str
    edit: Edit
    before: Edit = lambda raw: None


def data_test(raw: Raw, kind: str, on: str) -> Raw:
    """Return the node of one data test."""
    return next(
        n
        for n in raw["nodes"].values()
        if n.get("attached_node") == MODEL
        and n["test_metadata"]["name"] == kind
        and n["column_name"] == on
    )


def put(name: str, value: Any) -> Edit:
    """Set a word of the product's mesh block."""
    return lambda raw: mesh(raw).__setitem__(name, value)


def drop(name: str) -> Edit:
    return lambda raw: mesh(raw).pop(name)


def inside(block: str, name: str, value: Any) -> Edit:
    return lambda raw: mesh(raw)[block].__setitem__(name, value)


def without(block: str, name: str) -> Edit:
    return lambda raw: mesh(raw)[block].pop(name)


def col(name: str, word: str, value: Any) -> Edit:
    return lambda raw: column(raw, name).__setitem__(word, value)


def uncol(name: str, word: str) -> Edit:
    return lambda raw: column(raw, name).pop(word)


def field(name: str, value: Any) -> Edit:
    """Set a field of dbt's own node."""
    return lambda raw: node(raw).__setitem__(name, value)


def config(name: str, value: Any) -> Edit:
    return lambda raw: node(raw)["config"].__setitem__(name, value)


def decision(**words: Any) -> Edit:
    return lambda raw: grant(raw)["decision"].update(words)


def request(**words: Any) -> Edit:
    return lambda raw: grant(raw)["request"].update(words)


def unenforced(raw: Raw) -> None:
    node(raw)["contract"]["enforced"] = False
    node(raw)["config"]["contract"]["enforced"] = False


def moved(raw: Raw) -> None:
    """Call the product otherwise; everything else stays."""
    found = raw["nodes"].pop(MODEL)
    found |= {
        "name": "credits",
        "unique_id": MODEL.replace("credit_profile", "credits"),
    }
    found["config"]["meta"]["mesh"]["product"] = "consumer_banking.credits"
    raw["nodes"][found["unique_id"]] = found


def moved_and_looser(raw: Raw) -> None:
    mesh(raw)["min_cohort"] = 10
    moved(raw)


def copied(raw: Raw) -> None:
    """Publish the same columns again, for smaller cohorts."""
    found = {**node(raw), "name": "open_credits", "alias": "open_credits"}
    found["unique_id"] = MODEL.replace("credit_profile", "open_credits")
    block = {**mesh(raw), "product": "consumer_banking.open_credits", "min_cohort": 10}
    found["config"] = {**found["config"], "meta": {"mesh": block}}
    raw["nodes"][found["unique_id"]] = found


def novel(raw: Raw) -> None:
    """Publish something that looks like nothing that was there."""
    copied(raw)
    found = raw["nodes"][MODEL.replace("credit_profile", "open_credits")]
    found["columns"] = {"other": {"name": "other", "data_type": "varchar"}}
    found["constraints"] = []


def unversion(raw: Raw) -> None:
    node(raw)["version"] = node(raw)["latest_version"] = None


def reversion(raw: Raw) -> None:
    node(raw)["version"] = node(raw)["latest_version"] = 1


def gone(raw: Raw) -> None:
    del raw["nodes"][MODEL]


def only_v1(raw: Raw) -> None:
    new_version(raw)


def remove_domain(raw: Raw) -> None:
    del raw["nodes"]["model.asset_management.wealth_profile"]


def rename_domain(raw: Raw) -> None:
    found = raw["nodes"].pop("model.asset_management.wealth_profile")
    found |= {
        "package_name": "wealth",
        "unique_id": "model.wealth.wealth_profile",
        "database": "wealth",
        "group": "wealth",
    }
    found["config"]["group"] = "wealth"
    found["config"]["meta"]["mesh"]["product"] = "wealth.wealth_profile"
    raw["nodes"][found["unique_id"]] = found
    owner = raw["groups"].pop("group.asset_management.asset_management")
    raw["groups"]["group.wealth.wealth"] = owner | {"package_name": "wealth"}


def invalid(raw: Raw) -> None:
    mesh(raw)["min_cohorts"] = 5


def drop_test(raw: Raw) -> None:
    found = data_test(raw, "in_range", "age")
    del raw["nodes"][found["unique_id"]]


def add_test(raw: Raw) -> None:
    found = {**data_test(raw, "in_range", "age"), "column_name": "amount"}
    found["test_metadata"] = {"name": "in_range", "kwargs": {"low": 1}}
    raw["nodes"]["test.consumer_banking.in_range_more"] = found


def soften(raw: Raw) -> None:
    data_test(raw, "unique", "customer_id")["config"]["severity"] = "WARN"


def only_some_rows(raw: Raw) -> None:
    data_test(raw, "unique", "customer_id")["config"]["where"] = "age > 90"


def accepted(raw: Raw) -> list[str]:
    found: list[str] = data_test(raw, "accepted_values", "job")["test_metadata"][
        "kwargs"
    ]["values"]
    return found


def no_accepted(raw: Raw) -> None:
    data_test(raw, "accepted_values", "job")["config"]["severity"] = "WARN"


def constraint(raw: Raw) -> None:
    node(raw)["constraints"].append({"type": "check", "expression": "amount > 0"})


def nullable(raw: Raw) -> None:
    node(raw)["columns"]["age"]["constraints"] = []


def required(raw: Raw) -> None:
    node(raw)["columns"]["age"]["constraints"] = [{"type": "not_null"}]


def other_key(raw: Raw) -> None:
    node(raw)["columns"]["age"]["constraints"].append({"type": "primary_key"})


def add_column(raw: Raw) -> None:
    node(raw)["columns"]["extra"] = {"name": "extra", "data_type": "integer"}


def other_sql(raw: Raw) -> None:
    node(raw)["checksum"]["checksum"] = "0" * 64


def other_sql_behind(raw: Raw) -> None:
    behind = raw["nodes"]["model.consumer_banking.stg_applications"]
    behind["checksum"]["checksum"] = "0" * 64


def revoke(raw: Raw) -> None:
    grant(raw)["decision"]["status"] = "revoked"


def no_grant(raw: Raw) -> None:
    del raw["exposures"][GRANT]


def strange_approver(raw: Raw) -> None:
    """Somebody becomes a steward and approves a wider grant in one change."""
    group(raw)["stewards"] = ["new@bank.example", "other@bank.example"]
    grant(raw)["decision"]["by"] = ["new@bank.example", "other@bank.example"]
    grant(raw)["decision"]["at"] = "2026-11-20"


def study(raw: Raw) -> Raw:
    found: Raw = raw["exposures"][STUDY]["config"]["meta"]["mesh"]
    return found
