"""Contracts in the Open Data Contract Standard: valid, faithful, safe to read."""

import json
from dataclasses import replace
from datetime import date
from importlib.resources import files

import jsonschema  # type: ignore[import-untyped] # it has no stubs
import pytest
import yaml
from open_data_contract_standard.model import OpenDataContractStandard

from fl_plugin.contracts.checks import Check
from fl_plugin.contracts.odcs import odcs_contract
from fl_plugin.contracts.odcs_columns import logical_type
from fl_plugin.contracts.yaml_text import yaml_text
from fl_plugin.manifest.types import Owner
from fl_plugin.policy.fingerprint import policy_fingerprint

# The standard's own JSON schema, from the package of the same name.
SCHEMA = json.loads((files("open_data_contract_standard") / "schema.json").read_text())
CHECKER = jsonschema.Draft201909Validator(SCHEMA)
DATABASE = "domains/consumer_banking/data/consumer_banking.duckdb"
CHECKS = (
    Check(name="unique", column="customer_id"),
    Check(name="in_range", column="age", arguments={"low": 18, "high": 100}),
    Check(name="not_null", column="amount", severity="warn"),
    Check(name="accepted_values", column="opt_out", arguments={"values": ["a", 1]}),
    Check(name="relationships", column="amount", arguments={"to": "ref('x')"}),
    Check(name="row_count_at_least", column=None, arguments={"rows": 10}),
)


def document_of(product, checks=CHECKS):
    """Return the document as a reader of the file would have it."""
    text = yaml_text(odcs_contract(product, checks, database=DATABASE))
    found = yaml.safe_load(text)
    CHECKER.validate(found)
    assert OpenDataContractStandard.from_string(text).id == found["id"]
    return found


def columns_of(document):
    return {c["name"]: c for c in document["schema"][0]["properties"]}


def custom_of(block):
    return {p["property"]: p["value"] for p in block["customProperties"]}


@pytest.fixture
def document(product_with):
    return document_of(product_with())


def test_the_schema_is_one_that_refuses(product_with):
    broken = odcs_contract(product_with(), database=DATABASE)
    for word in ("version", "apiVersion", "kind", "id"):
        with pytest.raises(jsonschema.ValidationError):
            CHECKER.validate({k: v for k, v in broken.items() if k != word})
    broken["schema"][0]["properties"][0]["colour"] = "blue"
    with pytest.raises(jsonschema.ValidationError):
        CHECKER.validate(broken)


def test_fundamentals_say_which_product_this_is(document):
    assert document["name"] == "consumer_banking.credit_profile"
    assert document["domain"] == "consumer_banking"
    assert (document["version"], document["status"]) == ("1", "active")
    assert "lob:consumer_banking" in document["tags"]
    assert document["servers"] == [
        {
            "server": "consumer_banking",
            "type": "duckdb",
            "database": DATABASE,
            "schema": "main",
        }
    ]


def test_the_id_is_the_products_whatever_else_changes(document, product_with):
    other = document_of(product_with(contract={"status": "retired"}, version=2))
    assert other["id"] == document["id"]
    renamed = document_of(product_with(name="consumer_banking.other"))
    assert renamed["id"] != document["id"]


def test_each_column_has_its_types_class_and_duties(document):
    columns = columns_of(document)
    assert list(columns) == ["customer_id", "amount", "age", "opt_out", "is_bad"]
    assert columns["amount"]["logicalType"] == "number"
    assert columns["amount"]["physicalType"] == "decimal(12, 2)"
    assert columns["amount"]["classification"] == "confidential"
    assert columns["amount"]["required"] is False
    assert columns["customer_id"]["required"] is True
    assert columns["customer_id"]["primaryKeyPosition"] == 1
    assert columns["customer_id"]["unique"] is True
    critical = [n for n, c in columns.items() if c["criticalDataElement"]]
    assert critical == ["customer_id", "is_bad"]
    assert custom_of(columns["age"])["bounds"] == [18, 100]
    assert custom_of(columns["is_bad"])["labelSharing"] == "protected"


def test_a_column_of_no_class_of_its_own_has_the_products(product_with):
    columns = columns_of(document_of(product_with({"classification": "restricted"})))
    assert columns["amount"]["classification"] == "restricted"
    assert columns["amount"]["criticalDataElement"] is True


def test_what_identifies_a_row_is_critical_whatever_its_class(product_with):
    columns = columns_of(document_of(product_with(key=("age", "amount"))))
    assert columns["age"]["criticalDataElement"] is True
    assert columns["amount"]["primaryKeyPosition"] == 2
    assert columns["age"]["unique"] is False  # only the two together


def test_a_range_that_every_row_is_held_to_is_a_promise(product_with):
    age = columns_of(document_of(product_with()))["age"]
    assert age["logicalTypeOptions"] == {"minimum": 18, "maximum": 100}


@pytest.mark.parametrize(
    "softened", [{"severity": "warn"}, {"covers_all": False}, {"name": "near_range"}]
)
def test_a_range_that_may_be_broken_is_none(product_with, softened):
    words = {"name": "in_range", "column": "age", "arguments": {"low": 1}}
    soft = Check(**(words | softened))
    columns = columns_of(document_of(product_with(), (soft,)))
    assert "logicalTypeOptions" not in columns["age"]


def test_tests_become_quality_rules(document):
    columns = columns_of(document)
    (unique,) = columns["customer_id"]["quality"]
    assert (unique["metric"], unique["mustBe"]) == ("duplicateValues", 0)
    (values,) = columns["opt_out"]["quality"]
    assert values["arguments"] == {"validValues": ["a", 1]}
    null, own = columns["amount"]["quality"]
    assert (null["metric"], null["severity"]) == ("nullValues", "warning")
    assert own["engine"] == "dbt"
    assert own["implementation"]["test"] == "relationships"


def test_floors_and_tests_of_the_whole_table_stand_with_the_table(document):
    rules = {q["name"]: q for q in document["schema"][0]["quality"]}
    assert rules["completeness_floor"]["implementation"]["floor"] == 0.98
    assert rules["drift_psi_floor"]["dimension"] == "consistency"
    assert rules["row_count_at_least"]["implementation"]["arguments"] == {"rows": 10}


def test_service_levels_say_how_fresh_how_long_and_until_when(product_with):
    product = product_with(event_time="updated_at", deprecation_date=date(2027, 3, 31))
    found = document_of(product)
    levels = {p["property"]: p for p in found["slaProperties"]}
    assert levels["latency"]["value"] == 24
    assert levels["latency"]["element"] == "credit_profile.updated_at"
    assert (levels["retention"]["value"], levels["retention"]["unit"]) == (730, "d")
    assert levels["endOfSupport"]["value"] == "2027-03-31"
    assert found["status"] == "deprecated"


def test_team_roles_and_support_say_whom_to_ask(document):
    assert [m["role"] for m in document["team"]["members"]] == [
        "owner",
        "data steward",
        "data steward",
    ]
    (role,) = document["roles"]
    assert role["role"] == "org_unit=ml_coe"
    stewards = "steward.consumer@bank.example, risk.consumer@bank.example"
    assert role["firstLevelApprovers"] == stewards
    assert role["secondLevelApprovers"] == stewards
    (support,) = document["support"]
    assert support["url"] == "mailto:support.consumer@bank.example"


@pytest.mark.parametrize(
    ("channel", "url"),
    [
        ("#data", None),
        ("https://chat.bank.example/x", "https://chat.bank.example/x"),
        ("javascript:alert(1)", None),
        ("a b@bank.example", None),
    ],
)
def test_a_support_channel_is_a_link_only_where_it_is_one(product_with, channel, url):
    owner = Owner(name="Team", support=channel)
    (support,) = document_of(product_with(owner=owner))["support"]
    assert (support["channel"], support.get("url")) == (channel, url)


def test_what_only_a_mesh_knows_is_kept_as_custom_properties(product_with):
    product = product_with()
    found = custom_of(document_of(product))
    assert found["policyFingerprint"] == policy_fingerprint(product)
    assert found["rowFilter"] == "not coalesce(opt_out, false)"
    assert found["minCohort"] == 25
    assert found["allow"][0]["consumer"] == {"org_unit": ["ml_coe"]}
    assert found["deny"][0]["columns"] == {"pii": ["quasi"]}
    assert found["approval"]["restricted_approvers"] == 2
    assert found["purposes"] == ["credit_risk", "fraud_detection"]


def test_every_word_of_the_contract_is_somewhere(product_with):
    product = product_with()
    words = set(product.contract.model_dump(exclude_none=True))
    named = set(custom_of(document_of(product)))
    elsewhere = {
        "product": "name",
        "status": "status",
        "classification": "schema",
        "retention_days": "slaProperties",
        "freshness_hours": "slaProperties",
    }
    camel = {"row_filter": "rowFilter", "min_cohort": "minCohort"}
    missing = {w for w in words if camel.get(w, w) not in named and w not in elsewhere}
    assert missing == set()


def test_a_product_that_says_next_to_nothing_is_valid(product_with):
    unsaid = ("row_filter", "min_cohort", "dp", "retention_days", "freshness_hours")
    bare = product_with(
        contract={**dict.fromkeys(unsaid), "allow": [], "deny": [], "tags": {}},
        owner=Owner(name=""),
        description="",
        tags=(),
        key=(),
        version=None,
        columns={},
    )
    found = document_of(bare, ())
    absent = {"roles", "slaProperties", "support", "tags", "team"}
    assert absent & set(found) == set()
    assert found["version"] == "1"


@pytest.mark.parametrize(
    ("data_type", "logical"),
    [
        ("varchar", "string"),
        ("varchar(20)", "string"),
        ("text", "string"),
        ("uuid", "string"),
        ("enum('a', 'b')", "string"),
        ("int", "integer"),
        ("hugeint", "integer"),
        ("usmallint", "integer"),
        ("decimal(12, 2)", "number"),
        ("numeric", "number"),
        ("real", "number"),
        ("bool", "boolean"),
        ("date", "date"),
        ("timestamptz", "timestamp"),
        ("timestamp_ns", "timestamp"),
        ("datetime", "timestamp"),
        ("time", "time"),
        ("integer[]", "array"),
        ("integer[3]", "array"),
        ("struct(a integer)", "object"),
        ("map(varchar, integer)", "object"),
        ("geometry", "string"),
    ],
)
def test_every_type_has_its_logical_one_and_stays_valid(
    product_with, data_type, logical
):
    assert logical_type(data_type) == logical
    product = product_with()
    column = replace(product.columns["amount"], data_type=data_type)
    columns = columns_of(document_of(replace(product, columns={"amount": column})))
    assert columns["amount"].get("logicalType") == logical
    assert columns["amount"]["physicalType"] == data_type


HOSTILE = [
    "a: b\n# c",
    "---\n...\n- x",
    "&a *a !!python/object/apply:os.system ['id']",
    "\x1b[2J\x07",
    "safe\u202eelif.exe",
    "\ud800",
    "no",
    "1e999",
    "<<: *x",
    "{{ 7 * 7 }} {% raw %}",
    "<script>alert(1)</script>",
    "trailing \t\n\n  leading",
    "'\"\\\\\n",
    "x" * 100_000,
    "\u2028\u2029\ufeff\x85",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_descriptions_survive_and_steer_nothing(product_with, text):
    product = product_with(description=text)
    column = replace(product.columns["age"], description=text)
    columns = dict(product.columns) | {"age": column}
    product = replace(product, columns=columns)
    written = yaml_text(odcs_contract(product, database=DATABASE))
    found = yaml.safe_load(written)
    assert found["description"]["purpose"] == text
    assert columns_of(found)["age"]["description"] == text
    assert not any(c in written for c in "\x1b\x07\u202e\u2028\u2029\ufeff\x85\ud800")
    written.encode()
