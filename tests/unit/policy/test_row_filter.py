"""What a row filter may say, over parse trees that DuckDB itself makes."""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import duckdb
import pytest

from fl_plugin.errors import ContractError
from fl_plugin.policy.row_filter import columns_of

Place = tuple[str | int, ...]

COLUMNS = ("age", "amount", "opt_out", "Region", "opened_on")

ALLOWED = {
    "not coalesce(opt_out, false)": ("opt_out",),
    "age between 18 and 100": ("age",),
    "age not between 18 and 100": ("age",),
    "AGE >= 18 and region in ('eu', 'uk')": ("Region", "age"),
    "region not in ('eu') or \"age\" <> 3": ("Region", "age"),
    "opt_out is null": ("opt_out",),
    "opt_out is not null and opt_out is not true": ("opt_out",),
    "amount * 2 - 1 > -age + 3.5 / 2": ("age", "amount"),
    "lower(trim(region)) = 'eu'": ("Region",),
    "upper(region) <> 'X' and length(region) = 2": ("Region",),
    "abs(amount) <= 1e5": ("amount",),
    "opened_on >= date '2024-01-01'": ("opened_on",),
    "opened_on < timestamp '2024-01-01 00:00:00'": ("opened_on",),
    "cast(age as varchar) = '18'": ("age",),
    "age::double > 1": ("age",),
    "cast(amount as decimal(5, 2)) > 1": ("amount",),
    "age is distinct from null": ("age",),
    "true": (),
    "1 = 1": (),
    "region = 'it''s; -- /* fine */'": ("Region",),
    "region = 'select * from other'": ("Region",),
    "((((age > 1))))": ("age",),
    "ifnull(age, 1) = 1": ("age",),
}

HOSTILE = [
    # another table
    "true union select * from secrets",
    "true union all select * from secrets",
    "true except select * from secrets",
    "true intersect select * from secrets",
    "age in (select age from secrets)",
    "age = (select max(age) from secrets)",
    "exists (select 1 from secrets)",
    "not exists (from secrets)",
    "age = any (select age from secrets)",
    "age > all (select age from secrets)",
    "age in (1, (select 2))",
    "(with x as (select 1) select 1) = 1",
    "age in (values (1))",
    "age = (from secrets limit 1)",
    "age in (table secrets)",
    # more than the condition
    "true; select * from secrets",
    "true; drop table t",
    "true limit 1",
    "true limit 1 offset 3",
    "true order by age",
    "true order by all",
    "true group by age",
    "true group by all",
    "true having true",
    "true qualify row_number() over () = 1",
    "row_number() over w = 1 window w as (order by age)",
    "true using sample 10%",
    "true using sample reservoir(5 rows)",
    # other columns and other names
    "income > 1",
    "t.age = 1",
    "main.t.age = 1",
    "secrets.age = 1",
    "rowid = 1",
    "age.b = 1",
    "#1 = 1",
    "t = 1",
    "*",
    "t.*",
    "columns(*) = 1",
    "columns('a.*') = 1",
    "* exclude (age) = 1",
    "current_date > opened_on",
    "current_user = 'x'",
    "current_setting('threads') = '1'",
    # functions
    "read_csv('/etc/passwd') = 1",
    "read_text('/etc/passwd') is not null",
    "getenv('HOME') = 'x'",
    "query('select 1') = 1",
    "query_table('secrets') = 1",
    "nextval('s') = 1",
    "random() < 0.5",
    "now() > opened_on",
    "version() = 'x'",
    "regexp_matches(region, 'x')",
    "region like 'e%'",
    "region ilike 'e%'",
    "region similar to 'e'",
    "region glob 'e*'",
    "region || 'x' = 'eux'",
    "concat(region, 'x') = 'eux'",
    "main.lower(region) = 'eu'",
    "system.main.lower(region) = 'eu'",
    "lower(distinct region) = 'eu'",
    "lower(region) filter (where true) = 'eu'",
    "lower(string := region) = 'eu'",
    "trim(both 'x' from region) = 'y'",
    "trim(region, 'x') = 'y'",
    '"+"(age, 1, 2) = 3',
    "count(*) > 1",
    "sum(age) > 1",
    "count(age) over () > 1",
    "row_number() over (order by age) = 1",
    "unnest([age]) = 1",
    "struct_pack(a := age) = 1",
    "if(opt_out, true, false)",
    "nullif(age, 1) = 1",
    "age % 2 = 0",
    "age // 2 = 1",
    "age ** 2 = 1",
    "age & 1 = 1",
    "age!",
    "try(age = 1)",
    # other expressions
    "case when opt_out then true end",
    "age = $1",
    "age = ?",
    "age = $name",
    "age = [1]",
    "age[1] = 1",
    "(age, amount) = (1, 2)",
    "{'a': 1} = age",
    "age = any ([1])",
    "list_filter([1], lambda x: x = age) = [1]",
    "region = 'x' collate nocase",
    "opened_on at time zone 'utc' > opened_on",
    "opened_on - interval 1 day > opened_on",
    "default",
    "region = x'00'",
    # casts
    "cast(age as integer[]) = [1]",
    "age::mytype = 1",
    "age::main.integer = 1",
    "age::json = 1",
    "region::blob = 'x'",
    "region::regclass = 1",
    "region::enum('a') = 'a'",
    "try_cast(age as integer) = 1",
    "cast(age as struct(a integer)) = 1",
    "opened_on::timestamptz > opened_on",
]


def tree_of(condition: str) -> Any:
    text = f"select * from t where {condition}"
    with duckdb.connect() as connection:
        found = connection.execute("select json_serialize_sql(?)", [text]).fetchone()
    return json.loads(found[0] if found else "null")


@pytest.mark.parametrize(("condition", "columns"), ALLOWED.items())
def test_a_plain_condition_is_allowed_and_tells_its_columns(condition, columns):
    assert columns_of(tree_of(condition), COLUMNS) == columns


@pytest.mark.parametrize("condition", HOSTILE)
def test_anything_else_is_refused(condition):
    with pytest.raises(ContractError):
        columns_of(tree_of(condition), COLUMNS)


@pytest.mark.parametrize("condition", HOSTILE)
def test_it_is_refused_inside_a_plain_condition_as_well(condition):
    tree = tree_of(f"opt_out or ({condition})")
    with pytest.raises(ContractError):
        columns_of(tree, COLUMNS)


def test_a_refusal_holds_nothing_of_the_filter():
    with pytest.raises(ContractError) as caught:
        columns_of(tree_of("income = 4711 or region = 'canary'"), COLUMNS)
    said = str(caught.value) + caught.value.remedy
    assert "4711" not in said
    assert "canary" not in said
    assert "income" not in said


@pytest.mark.parametrize(
    "condition",
    [
        " or ".join(["age = 1"] * 400),
        "(" * 3 + "not " * 60 + "opt_out" + ")" * 3,
        "age + " * 300 + "1 = 2",
        f"age in ({', '.join(['1'] * 600)})",
    ],
)
def test_a_huge_condition_is_refused(condition):
    with pytest.raises(ContractError):
        columns_of(tree_of(condition), COLUMNS)


def test_it_does_not_filter_by_a_column_that_only_looks_alike():
    with pytest.raises(ContractError):
        columns_of(tree_of('"аge" = 1'), COLUMNS)  # noqa: RUF001 a Cyrillic a


def test_a_window_that_nothing_uses_leaves_nothing_in_the_tree():
    """DuckDB drops its definition while parsing, so it cannot read anything."""
    unused = "true window w as (order by (select max(age) from secrets))"
    assert columns_of(tree_of(unused), COLUMNS) == ()


@pytest.mark.parametrize(
    "tree",
    [
        {},
        {"error": True},
        {"error": False},
        {"error": False, "statements": []},
        {"error": False, "statements": [1]},
        {"error": False, "statements": [{"node": None}]},
        {"error": False, "statements": [{"node": {"type": "SELECT_NODE"}}]},
    ],
)
def test_a_tree_of_another_shape_is_refused(tree):
    with pytest.raises(ContractError):
        columns_of(tree, COLUMNS)


def places(node: Any, path: Place = ()) -> Iterator[Place]:
    yield path
    below = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in below:
        if isinstance(value, (dict, list)):
            yield from places(value, (*path, key))


def at(tree: Any, path: Place) -> Any:
    for step in path:
        tree = tree[step]
    return tree


WHOLE = tree_of("not coalesce(opt_out, cast(age as boolean)) and lower(region) = 'eu'")


INSIDE = [path for path in places(WHOLE) if path]


@pytest.mark.parametrize("path", INSIDE, ids=str)
def test_a_word_that_a_later_duckdb_adds_is_refused_anywhere(path):
    tree = deepcopy(WHOLE)
    node = at(tree, path)
    if isinstance(node, dict):
        node["added_later"] = {"does": "more"}
    else:
        node.append({"class": "ADDED_LATER"})
    with pytest.raises(ContractError):
        columns_of(tree, COLUMNS)
