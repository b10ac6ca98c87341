"""What a query may say: one product, listed words, and nothing that reaches further."""

import json
from itertools import product as pairs

import duckdb
import pytest

from fl_plugin.errors import MeshError, UsageError
from fl_plugin.party.query_record import digest_of
from fl_plugin.party.query_sql import LONGEST_QUERY, reads_of
from fl_plugin.party.question import Question

PRODUCT = "north.wealth"
COLUMNS = ("age", "Housing", "is_bad", "amount")

TABLES = [
    *("read_csv('/etc/passwd')", "read_csv_auto('x')", "read_parquet('x')"),
    *("read_json('x')", "read_json_objects('x')", "read_text('/etc/passwd')"),
    *("read_blob('x')", "parquet_scan('x')", "parquet_metadata('x')", "glob('*')"),
    *("sniff_csv('x')", "query('select 1')", "query_table('secrets')"),
    *("query_table(['a', 'b'])", "duckdb_tables()", "duckdb_columns()"),
    *("duckdb_settings()", "duckdb_secrets()", "duckdb_databases()"),
    *("duckdb_functions()", "duckdb_extensions()", "duckdb_logs()"),
    *("pragma_table_info('wealth')", "pragma_version()", "pragma_database_list()"),
    *("sqlite_scan('x', 'y')", "postgres_scan('x', 'y', 'z')", "iceberg_scan('x')"),
    *("arrow_scan(1, 2, 3)", "pandas_scan(1)", "python_map_function(1)"),
    *("range(1000000000000)", "generate_series(1, 9)", "unnest([1, 2])"),
    *("repeat(1, 9)", "repeat_row(1)", "test_all_types()", "seq_scan('x')"),
    *("json_execute_serialized_sql('x')", "which_secret('x', 'y')", "summary(1)"),
    *("checkpoint()", "force_checkpoint()", "storage_info('x')", "read_duckdb('x')"),
]
NAMES = [
    *("secrets", "raw_wealth", "main.wealth", "south.wealth", "north.other"),
    *("memory.main.wealth", "temp.wealth", "system.information_schema.tables"),
    *("information_schema.tables", "information_schema.columns"),
    *("pg_catalog.pg_tables", "pg_tables", "pg_class", "sqlite_master"),
    *("sqlite_schema", "duckdb_tables", "duckdb_columns", "duckdb_settings"),
    *("'x.csv'", "'/etc/passwd'", "'../../data/north.duckdb'", '"x.parquet"'),
    *("'https://example.com/x.csv'", "'s3://bucket/x'", "'file:///etc/passwd'"),
    *(
        '"north.wealth"',
        '"wealth "',
        '"w\u0435alth"',
        "we\u0061\u0301lth",
    ),
    *("df", "pa", "tree", "connection", "rows", "self", "globals"),
    *("mesh_meta.product_profile", "north.main.wealth", "a.b.c.d.wealth"),
]
CALLS = [
    *("getenv('HOME')", "current_setting('memory_limit')", "set_config('a', 'b')"),
    *("getvariable('x')", "current_query()", "txid_current()", "version()"),
    *("current_database()", "current_schemas(true)", "current_user()"),
    *("pg_typeof(age)", "typeof(age)", "nextval('s')", "currval('s')"),
    *("read_text('x')", "md5(Housing)", "hash(age)", "sha256('x')"),
    *("repeat('x', 1000000000)", "lpad('x', 1000000000, 'y')", "rpad('x', 9, 'y')"),
    *("bar(1, 0, 1, 1000000000)", "format('{:1000000000}', 1)", "printf('%9d', 1)"),
    *("range(1000000000)", "generate_series(1, 1000000000)", "list(age)"),
    *("array_agg(age)", "list_value(1)", "struct_pack(a := 1)", "map([1], [2])"),
    *("json_serialize_sql('select 1')", "json_deserialize_sql('x')", "to_json(age)"),
    *("write_log('x')", "error('x')", "sleep(1)", "pg_sleep(100)", "parse_path('x')"),
    *("icu_sort_key('a', 'b')", "pg_get_viewdef(1)", "obj_description(1)"),
    *("main.lower('x')", "pg_catalog.lower('x')", "system.main.lower('x')"),
    *("encode('x')", "from_base64('x')", "gen_random_uuid()", "stats(age)"),
    *("setseed(0.5)", "in_search_path('a', 'b')", "finalize(1)", "combine(1, 2)"),
]
STATEMENTS = [
    *("", " ", ";", "--", "/* */", "x", "select", "wealth", "\u0000", "\ud7ff"),
    *("select 1", "select age", "values (1)", "select (select 1)"),
    *("select age from wealth; select 1", "select age from wealth; drop table wealth"),
    *("select 1; select age from wealth", "begin; select age from wealth"),
    *("insert into wealth values (1)", "update wealth set age = 1"),
    *("delete from wealth", "truncate wealth", "drop table wealth", "vacuum"),
    *("create table x as select * from wealth", "create view x as from wealth"),
    *(
        "create macro f() as 1",
        "create secret s (type s3)",
        "alter table wealth add x int",
    ),
    *("copy wealth to '/tmp/x.csv'", "copy (from wealth) to 'x' (format parquet)"),
    *("copy wealth from 'x'", "export database 'x'", "import database 'x'"),
    *("attach 'x.duckdb'", "attach '/srv/x' as y", "detach north", "use north"),
    *("install httpfs", "load httpfs", "load '/tmp/evil.so'", "force install icu"),
    *("set memory_limit = '1TB'", "set enable_external_access = true", "reset threads"),
    *("set global lock_configuration = false", "pragma enable_profiling"),
    *(
        "pragma database_list",
        "call duckdb_tables()",
        "checkpoint",
        "prepare p as from wealth",
    ),
    *("execute p", "deallocate p", "explain select age from wealth"),
    *("explain analyze from wealth", "describe wealth", "summarize wealth"),
    *("show tables", "show all tables", "from (describe wealth)", "from (show tables)"),
    *("from (summarize wealth)", "pivot wealth on age using count(*)"),
    *("unpivot wealth on age into name n value v", "select $1 from wealth"),
    *("select ? from wealth", "select $name from wealth", "select #1 from wealth"),
    "with recursive x as (from wealth union all select age + 1 from x) from x",
    "with x as (insert into wealth values (1)) from x",
    "select * from wealth at (version => 1)",
    "select * from wealth positional join wealth",
    "select * from wealth asof join wealth w on wealth.age >= w.age",
    "select [age] from wealth",
    "select {'a': age} from wealth",
    "select age[1] from wealth",
    "select list_transform([age], x -> x) from wealth",
    "select [x for x in [age]] from wealth",
    "select Housing collate nocase from wealth",
    "select Housing collate de from wealth",
    "select age::json from wealth",
    "select age::blob from wealth",
    "select age::my_enum from wealth",
    "select age::main.integer from wealth",
    "select Housing::regclass from wealth",
    "select age::integer[] from wealth",
    "select 'x'::struct(a integer) from wealth",
    "select X'00' from wealth",
    "select age from wealth where exists (from duckdb_tables)",
    "select age from wealth where age in (select 1 from pg_class)",
    "select (select max(table_name) from duckdb_tables) from wealth",
    "select age from wealth union all select oid from pg_class",
    "select age from wealth order by (select 1 from duckdb_tables)",
    "select age from wealth limit (select count(*) from duckdb_tables)",
    "select count(*) filter (where exists (from duckdb_tables)) from wealth",
    # A `with` name holds inside its own query only, and not before it is made.
    "select * from (with pg_class as (from wealth) from pg_class) x, pg_class",
    "with a as (from pg_class), pg_class as (from wealth) from a, wealth",
    "with duckdb_tables as (from duckdb_tables) from duckdb_tables, wealth",
    "/*" + "*" * 5_000 + "select age from wealth",
    "select " + "(" * 2_000 + "age" + ")" * 2_000 + " from secrets",
    "select " + "not " * 2_000 + "true from wealth",
    "select " + "-" * 3 + "age from wealth",
    "select age" + "+age" * 2_400 + " from wealth",
    "select case " + "when age = 1 then 1 " * 400 + "end from wealth",
    "select age from " + "(select age from " * 400 + "wealth" + ")" * 400,
    "select age from wealth where " + "age in (" * 300 + "1" + ")" * 300,
    "select " + "9" * 9_000 + "::blob from wealth",
    "with " + ", ".join(f"x{i} as (from pg_class)" for i in range(200)) + " from x1",
]
NO_TEXT = [
    "",
    "select age from wealth" + " " * LONGEST_QUERY,
    "select '" + "x" * LONGEST_QUERY + "' from wealth",
    "select age\x00 from wealth",
    "select age\x1b[2J from wealth",
    "select '\ud800' from wealth",
]
HOSTILE = [
    *(f"select * from {table}" for table in TABLES + NAMES),
    *(f"select age from wealth, {table}" for table in TABLES + NAMES),
    *(f"select {call} from wealth" for call in CALLS),
    *(f"select age from wealth where {call} is null" for call in CALLS),
    *STATEMENTS,
]
ALLOWED = {
    "select age from wealth": ("age",),
    "SELECT AGE FROM NORTH.Wealth": ("age",),
    "select w.age, housing as h from wealth w order by h": ("Housing", "age"),
    "from wealth select is_bad": ("is_bad",),
    "select is_bad, count(*) n from wealth group by all order by n": ("is_bad",),
    "select avg(amount) over (partition by housing) from wealth": ("Housing", "amount"),
    "select a.age from wealth a join wealth b using (amount)": ("age", "amount"),
    "with x as (select age y from wealth) select y from x where y > 3": ("age",),
    "select age from wealth union select amount from wealth": ("age", "amount"),
    "select case when age between 18 and 30 then 'young' end from wealth": ("age",),
    "select coalesce(age, 0)::double from wealth where not is_bad": ("age", "is_bad"),
    "select age from wealth where amount = (select max(amount) from wealth)": (
        "age",
        "amount",
    ),
    "select age from wealth using sample 5 rows": ("age",),
    "select lag(age) over w from wealth window w as (order by amount)": (
        "age",
        "amount",
    ),
    "select count(*) filter (where is_bad) / count(*) from wealth": ("is_bad",),
    "select age from wealth order by random() limit 10": ("age",),
    "select distinct on (housing) age from wealth": ("Housing", "age"),
}
EVERYTHING = [
    "from wealth",
    "select * from north.wealth",
    "select w.* from wealth w",
    "select count(*) from wealth",
    "select 1 from wealth",
    "select columns('a.*') from wealth",
    "select * exclude (age) from wealth",
    "select w from wealth w",
    "select age from wealth natural join wealth w",
    "select x.a from (select * from wealth) x(a)",
]


@pytest.fixture(scope="module")
def reads():
    with duckdb.connect(":memory:", config={"threads": "1"}) as connection:

        def of(sql):
            query = "select json_serialize_sql(?)"
            try:
                (text,) = connection.execute(query, [sql]).fetchall()[0]
            except duckdb.Error:
                text = '{"error": true}'
            try:
                tree = json.loads(text)
            except RecursionError:
                tree = {"error": True}
            return reads_of(tree, PRODUCT, COLUMNS)

        yield of


def test_the_hostile_list_is_long():
    assert len(set(HOSTILE)) >= 200


@pytest.mark.parametrize("sql", HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_hostile_passes(reads, sql):
    with pytest.raises(MeshError) as caught:
        reads(sql)
    assert caught.value.exit_code in {2, 3}
    assert caught.value.remedy


@pytest.mark.parametrize("sql", NO_TEXT, ids=range(len(NO_TEXT)))
def test_what_is_too_long_or_no_text_is_not_even_parsed(sql, facts_with):
    asked = Question(request=facts_with().request, sql=sql, columns=(), rows=1)
    with pytest.raises(UsageError):
        asked.check_text()
    assert digest_of(asked.text).startswith("sql:sha256:")


def test_a_label_is_asked_for_as_one_that_is_shared(facts_with):
    facts = facts_with()
    asked = Question(request=facts.request, sql="", columns=(), rows=1)
    found = asked.asking(("is_bad", "age", "opt_out", "nothing"), facts.product)
    assert found.columns == {
        "is_bad": "shared_label",
        "age": "feature",
        "opt_out": "feature",
        "nothing": "feature",
    }
    assert (found.uses, found.algorithm, found.parameters) == (("query",), "", {})


@pytest.mark.parametrize("sql", ALLOWED)
def test_the_columns_that_a_query_names_are_found(reads, sql):
    found = reads(sql)
    assert found.columns == ALLOWED[sql]
    assert found.unknown == ""


@pytest.mark.parametrize("sql", EVERYTHING)
def test_a_star_or_no_column_at_all_means_everything(reads, sql):
    assert reads(sql).everything


def test_a_name_that_is_no_column_is_told(reads):
    assert reads("select agee from wealth").unknown == "agee"
    assert reads("select w.agee from wealth w").unknown == "agee"
    assert reads("select current_user from wealth").unknown == "current_user"


def test_a_hostile_table_is_refused_wherever_it_stands(reads):
    places = (
        "select age from wealth where age > (select count(*) from {})",
        "select (select 1 from {} limit 1) from wealth",
        "with x as (from {}) select age from wealth, x",
        "select age from wealth union all (select 1 from {})",
        "select age from wealth order by (select 1 from {})",
        "select age from wealth join (from {}) t on true",
    )
    for place, table in pairs(places, TABLES + NAMES):
        with pytest.raises(MeshError):
            reads(place.format(table))
