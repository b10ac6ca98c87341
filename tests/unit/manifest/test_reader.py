"""manifest.json as a file: what is read of products and of the file itself."""

import hashlib
from datetime import UTC, date, datetime

import pytest

from fl_plugin.errors import BuildError, ContractError
from fl_plugin.manifest.reader import read_manifest

NAME = "consumer_banking.credit_profile"


def test_a_product_is_read_with_dbts_words_and_ours(written):
    manifest = read_manifest(written.path())
    product = manifest.products[NAME]
    assert manifest.problems == {}
    assert product.domain == "consumer_banking"
    assert product.access == "public"
    assert product.contract_enforced
    assert product.materialized == "table"
    assert product.event_time == "updated_at"
    assert product.relation.identifier == "credit_profile_v1"
    assert product.owner.stewards == ("steward.consumer@bank.example",)
    assert product.owner.support == "support.consumer@bank.example"
    assert product.contract.min_cohort == 25
    assert list(product.columns) == ["customer_id", "age", "is_bad", "note"]
    assert product.columns["note"].contract.roles == ()


def test_the_manifest_tells_where_it_comes_from(written):
    path = written.path()
    manifest = read_manifest(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert manifest.fingerprint == f"sha256:{digest}"
    assert manifest.project == "consumer_banking"
    assert manifest.dbt_version == "1.12.0"
    assert manifest.domains == ("consumer_banking",)
    assert manifest.generated_at == datetime(2026, 11, 21, 4, 32, 19, 758935, UTC)


@pytest.mark.parametrize("place", ["config", "meta"])
def test_the_block_may_stand_in_config_or_in_meta(written, place):
    if place == "meta":
        written.model["meta"] = written.model["config"].pop("meta")
    assert NAME in read_manifest(written.path()).products


def test_every_version_is_kept_and_the_latest_goes_by_the_name(written, parts):
    second = parts["model"](parts["mesh"], version=2)
    written.add("model.consumer_banking.credit_profile.v2", second)
    products = read_manifest(written.path()).products
    assert {key: p.version for key, p in products.items()} == {
        NAME: 1,
        f"{NAME}.v1": 1,
        f"{NAME}.v2": 2,
    }


def test_a_product_without_versions_goes_by_its_name_alone(written, parts):
    written.whole["nodes"] = {
        "model.consumer_banking.credit_profile": parts["model"](parts["mesh"], None)
    }
    products = read_manifest(written.path()).products
    assert list(products) == [NAME]
    assert products[NAME].version is None


@pytest.mark.parametrize("version", [1, 1.0, "1"])
def test_a_version_is_a_number_however_dbt_writes_it(written, version):
    written.model["version"] = written.model["latest_version"] = version
    assert read_manifest(written.path()).products[NAME].version == 1


@pytest.mark.parametrize("version", ["one", 1.5, True, [], "9" * 5000, "²"])
def test_another_version_is_a_problem(written, version):
    written.model["version"] = written.model["latest_version"] = version
    manifest = read_manifest(written.path())
    assert isinstance(manifest.problems[NAME], BuildError)


def test_only_not_null_and_primary_key_make_a_column_required(written):
    written.columns["age"]["constraints"] = [{"type": "a constraint of tomorrow"}]
    written.columns["is_bad"]["constraints"] = [{"type": "primary_key"}]
    written.model["constraints"] = [{"type": "not_null", "columns": ["note"]}]
    columns = read_manifest(written.path()).products[NAME].columns
    assert {n: c.nullable for n, c in columns.items()} == {
        "customer_id": False,
        "age": True,
        "is_bad": False,
        "note": False,
    }


def test_the_key_is_the_primary_key_or_else_the_join_key(written):
    assert read_manifest(written.path()).products[NAME].key == ("customer_id",)
    written.columns["age"]["constraints"] = [{"type": "primary_key"}]
    assert read_manifest(written.path()).products[NAME].key == ("age",)
    written.model["constraints"] = [
        {"type": "primary_key", "columns": ["customer_id", "note"]}
    ]
    key = read_manifest(written.path()).products[NAME].key
    assert key == ("customer_id", "note")


def test_accepted_values_come_from_the_test(written):
    columns = read_manifest(written.path()).products[NAME].columns
    assert columns["age"].accepted_values == ("18", "19", "true")
    assert columns["is_bad"].accepted_values is None


@pytest.mark.parametrize(
    "config", [{"where": "age > 3"}, {"limit": 5}, {"severity": "warn"}]
)
def test_a_test_that_lets_rows_through_promises_nothing(written, parts, config):
    test = parts["accepted"]("note", ["a"], **config)
    written.add("test.consumer_banking.accepted_values_note.1", test)
    columns = read_manifest(written.path()).products[NAME].columns
    assert columns["note"].accepted_values is None


def test_two_tests_leave_the_common_values(written, parts):
    test = parts["accepted"]("age", [19, 20])
    written.add("test.consumer_banking.accepted_values_age.2", test)
    columns = read_manifest(written.path()).products[NAME].columns
    assert columns["age"].accepted_values == ("19",)


def test_values_that_are_not_a_list_promise_nothing(written, parts):
    test = parts["accepted"]("note", "{{ var('x') }}")
    written.add("test.consumer_banking.accepted_values_note.1", test)
    columns = read_manifest(written.path()).products[NAME].columns
    assert columns["note"].accepted_values is None


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2027-01-01T00:00:00+00:00", date(2027, 1, 1)),
        ("2027-01-01", date(2027, 1, 1)),
        ("2027-01-01T00:00:00+02:00", date(2026, 12, 31)),
    ],
)
def test_a_deprecation_date_is_a_day_in_utc(written, text, day):
    written.model["deprecation_date"] = text
    assert read_manifest(written.path()).products[NAME].deprecation_date == day


def test_unknown_things_of_dbt_are_ignored(written):
    written.model["access"] = "an access of tomorrow"
    written.model["config"]["materialized"] = "a kind of tomorrow"
    written.model["new_field"] = {"a": [1]}
    written.whole["nodes"]["new_kind.consumer_banking.x"] = {"resource_type": "new"}
    written.whole["functions"] = {"x": 1}
    product = read_manifest(written.path()).products[NAME]
    assert product.access == "an access of tomorrow"
    assert product.materialized == "a kind of tomorrow"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", 3),
        ("access", ["public"]),
        ("columns", []),
        ("columns", {"age": 3}),
        ("config", "x"),
        ("tags", {"a": 1}),
        ("constraints", {"type": "x"}),
        ("constraints", [3]),
        ("contract", True),
        ("deprecation_date", "soon"),
        ("group", {"name": "x"}),
    ],
)
def test_a_field_of_another_kind_is_a_problem_and_no_product(written, field, value):
    written.model[field] = value
    manifest = read_manifest(written.path())
    assert manifest.products == {}
    assert isinstance(manifest.problems[f"{NAME}.v1"], (BuildError, ContractError))


def test_a_product_without_a_group_is_a_problem(written):
    written.model["group"] = None
    problem = read_manifest(written.path()).problems[NAME]
    assert "group" in problem.problem


def test_a_group_of_another_domain_owns_nothing_here(written):
    groups = written.whole["groups"]
    groups["group.auto_finance.consumer_banking"] = groups.pop(
        "group.consumer_banking.consumer_banking"
    )
    assert NAME not in read_manifest(written.path()).products


@pytest.mark.parametrize("name", ["a b", 'a"b', "a;drop", "", "1a", "é", "a\n"])
def test_a_column_that_is_no_plain_name_is_a_problem(written, name):
    written.columns[name] = dict(written.columns["note"], name=name)
    assert NAME in read_manifest(written.path()).problems


def test_a_missing_manifest_says_how_to_build(tmp_path):
    path = tmp_path / "consumer_banking" / "target" / "manifest.json"
    with pytest.raises(BuildError) as caught:
        read_manifest(path)
    assert f"cd {tmp_path}/consumer_banking && dbt build" in caught.value.remedy


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"3",
        b"{}",
        b'{"metadata": {}, "nodes": {}, "groups": {}}',
        b'{"metadata": {}, "nodes": [], "groups": {}, "exposures": {}}',
        b'{"metadata": {}, "nodes": {}, "groups": {}, "exposures": {}}',
        b'{"metadata": {"generated_at": "yesterday"}, "nodes": {}, "groups": {}, '
        b'"exposures": {}}',
        b'{"metadata": {"generated_at": 3}, "nodes": {}, "groups": {}, '
        b'"exposures": {}}',
        b'{"metadata": NaN}',
        b'{"metadata": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b"\xff\xfe",
        b"\x00",
    ],
    ids=lambda content: repr(content[:40]),
)
def test_what_is_not_a_manifest_is_told_so(tmp_path, content):
    path = tmp_path / "manifest.json"
    path.write_bytes(content)
    with pytest.raises(BuildError):
        read_manifest(path)


def test_a_manifest_beyond_the_cap_is_not_parsed(tmp_path, monkeypatch):
    monkeypatch.setattr("fl_plugin.manifest.reader.MAX_BYTES", 10)
    path = tmp_path / "manifest.json"
    path.write_text("{" + " " * 20 + "}")
    with pytest.raises(BuildError, match="larger"):
        read_manifest(path)


def test_a_folder_is_not_a_manifest(tmp_path):
    with pytest.raises(BuildError):
        read_manifest(tmp_path)
