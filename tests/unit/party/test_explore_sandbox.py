"""The process of a query: it computes, and it can do nothing else."""

import time
from pathlib import Path

import pyarrow as pa
import pytest

from fl_plugin.errors import MeshError, PolicyError, StorageError, UsageError
from fl_plugin.party.query_sql import reads_of
from fl_plugin.party.sandbox import Sandbox, View, ipc_bytes, read_ipc

CANARY = "Zanzibar"
ROWS = pa.table(
    {
        "age": list(range(1_000)),
        "name": [f"{CANARY}{i % 7}" for i in range(1_000)],
    }
)
BOMBS = [
    "select count(*) from wealth a, wealth b, wealth c, wealth d",
    "select sum(sqrt(a.age + b.age * c.age)) from wealth a, wealth b, wealth c",
    "select max(length(replace(a.name, 'a', b.name))) "
    "from wealth a, wealth b, wealth c",
    "select median(a.age + b.age + c.age) from wealth a, wealth b, wealth c",
    "select count(*) from wealth a join wealth b on a.age > b.age "
    "join wealth c on b.age > c.age join wealth d on c.age <> d.age",
    "with x0 as (select name as y from wealth), "
    + ", ".join(f"x{i} as (select y || y as y from x{i - 1})" for i in range(1, 60))
    + " select length(y) from x59",
    "with x0 as (select age from wealth), "
    + ", ".join(
        f"x{i} as (select a.age from x{i - 1} a, x{i - 1})" for i in range(1, 9)
    )
    + " select count(*) from x8",
    "select string_agg(a.name, '') over (order by a.age, b.age) "
    "from wealth a, wealth b, wealth c",
]
REACHING = [
    "select * from read_csv('/etc/passwd', header = false)",
    "select * from read_text('/etc/passwd')",
    "select * from '/etc/passwd'",
    "select * from glob('/*')",
    "copy wealth to 'fl_explore_leak.csv'",
    "attach 'fl_explore_leak.duckdb'",
    "install httpfs",
    "set memory_limit = '1TB'",
    "set enable_external_access = true",
    "create table x as from wealth",
    "select getenv('PATH')",
    "select * from rows",
    "select * from told",
]


def run(sql: str, seconds: float = 20.0, most_rows: int = 1_000) -> pa.Table:
    view = View(schema="north", table="wealth", rows=ROWS, most_rows=most_rows)
    with Sandbox(sql=sql, seconds=seconds) as sandbox:
        sandbox.tree()
        return sandbox.run(view)


def test_a_query_sees_its_rows_under_both_names():
    (found,) = run("select count(*) as n, max(age) as top from wealth").to_pylist()
    assert found == {"n": 1_000, "top": 999}
    assert run("from north.wealth").equals(ROWS)


def test_no_more_rows_come_back_than_may_and_one_to_tell():
    assert run("from wealth", most_rows=10).num_rows == 11
    assert run("select age from wealth limit 3", most_rows=10).num_rows == 3


def test_a_column_selected_twice_comes_back_twice():
    found = run("select age, age, age as age_1 from wealth limit 1")
    assert found.column_names == ["age", "age_1", "age_1_1"]


@pytest.mark.parametrize("sql", BOMBS, ids=range(len(BOMBS)))
def test_a_bomb_that_the_grammar_lets_through_is_stopped(sql):
    began = time.monotonic()
    with Sandbox(sql=sql, seconds=2.0) as sandbox:
        reads_of(sandbox.tree(), "north.wealth", ("age", "name"))
        view = View(schema="north", table="wealth", rows=ROWS, most_rows=10)
        with pytest.raises(PolicyError) as caught:
            sandbox.run(view)
    assert caught.value.reason in {"query.too_slow", "query.too_large"}
    assert time.monotonic() - began < 30
    assert sandbox._process.returncode is not None


@pytest.mark.parametrize("sql", REACHING)
def test_what_the_grammar_would_refuse_reaches_nothing_all_the_same(sql):
    with pytest.raises(MeshError) as caught:
        run(sql)
    assert "root:" not in str(caught.value) + caught.value.remedy
    assert not list(Path("/").glob("fl_explore_leak*"))


@pytest.mark.parametrize(
    "sql",
    [
        "select name::integer from wealth",
        "select error(name) from wealth",
        "select strptime(name, '%Y') from wealth",
        "select 1 / (age - age), name::date from wealth",
        "select nothing from wealth",
    ],
)
def test_an_error_quotes_no_value(sql):
    with pytest.raises(UsageError) as caught:
        run(sql)
    assert CANARY not in caught.value.problem + caught.value.remedy
    assert "age, name" in caught.value.remedy


def test_the_process_knows_nothing_of_ours(monkeypatch):
    monkeypatch.setenv("FL_SECRET", CANARY)
    with Sandbox(sql="from wealth", seconds=20.0) as sandbox:
        sandbox.tree()
        place = Path(f"/proc/{sandbox._process.pid}")
        assert CANARY.encode() not in (place / "environ").read_bytes()
        assert (place / "cwd").resolve() == Path("/")
        limits = (place / "limits").read_text()
    bounds = {line[:26].strip(): line[26:].split()[0] for line in limits.splitlines()}
    assert bounds["Max file size"] == bounds["Max core file size"] == "0"
    assert int(bounds["Max data size"]) <= 2**30
    assert int(bounds["Max cpu time"]) <= 60


@pytest.mark.parametrize("program", ["/bin/true", "/nothing"])
def test_a_process_that_does_not_start_is_told(monkeypatch, program):
    monkeypatch.setattr("sys.executable", program)
    with pytest.raises(StorageError), Sandbox(sql="from wealth", seconds=1.0):
        pass


def test_the_process_ends_with_its_query():
    with pytest.raises(KeyError), Sandbox(sql="from wealth", seconds=20.0) as sandbox:
        raise KeyError
    assert sandbox._process.returncode is not None


def test_an_answer_that_is_no_table_is_refused():
    whole = ipc_bytes(ROWS)
    for data in (b"", b"\x00" * 64, whole[:-100], whole[:200], whole[8:]):
        with pytest.raises(PolicyError) as caught:
            read_ipc(data)
        assert caught.value.reason == "query.malformed"
