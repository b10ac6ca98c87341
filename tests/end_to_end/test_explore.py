"""A consumer looks at rows: within its grant, behind masks, on record."""

import hashlib
import json
import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pyarrow import ipc, parquet

from fl_plugin import Mesh, PolicyError
from fl_plugin.cli.main import main
from fl_plugin.engines.embedded import Embedded
from fl_plugin.errors import MeshError, MessageError, UsageError
from fl_plugin.ledger.store import Ledger
from fl_plugin.manifest.reader import read_manifest
from fl_plugin.mesh.exploring import Exploring
from fl_plugin.messages import Ask, Refusal, decode, encode
from fl_plugin.party import explore as exploring
from fl_plugin.party.party import Party
from fl_plugin.party.sandbox import ipc_bytes
from fl_plugin.policy.fingerprint import policy_fingerprint

pytestmark = pytest.mark.slow

DOMAIN = "asset_management"
PRODUCT = f"{DOMAIN}.wealth_profile"
NODE = f"model.{PRODUCT}"
GRANT = f"exposure.{DOMAIN}.g_exploration_ml_coe"
GRANTED = ["savings", "property", "housing", "present_residence", "people_liable"]
DOCS = Path(__file__).parents[2] / "docs" / "exploring.md"
OPENED = """select * from (
    select housing, count(*) as n from wealth_profile group by housing
) order by n desc"""


def manifests(root: Path) -> Iterator[Path]:
    yield root / "target" / "manifest.json"
    yield root / "domains" / DOMAIN / "target" / "manifest.json"


def edit(root: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change both manifests, and confirm the grant for the policy as it then is."""
    for path in manifests(root):
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content))
        policy = policy_fingerprint(read_manifest(path).products[PRODUCT])
        for holder in (
            content["exposures"][GRANT]["config"],
            content["exposures"][GRANT],
        ):
            if "mesh" in holder.get("meta", {}):
                holder["meta"]["mesh"]["decision"]["policy"] = policy
        path.write_text(json.dumps(content))


def set_column(content: dict[str, Any], name: str, **words: Any) -> None:
    column = content["nodes"][NODE]["columns"][name]
    for holder in (column["config"], column):
        if "mesh" in holder.get("meta", {}):
            holder["meta"]["mesh"].update(words)


def set_grant(content: dict[str, Any], part: str, **words: Any) -> None:
    exposure = content["exposures"][GRANT]
    for holder in (exposure["config"], exposure):
        if "mesh" in holder.get("meta", {}):
            holder["meta"]["mesh"][part].update(words)


def records(root: Path, query_id: str) -> list[Any]:
    return list(Mesh.open(root).audit(DOMAIN, run=query_id)[DOMAIN])


@pytest.fixture
def explore(mesh_folder) -> Exploring:
    return Mesh.open(mesh_folder).explore


def test_a_sample_has_the_granted_columns_and_no_other(explore):
    found = explore.sample(PRODUCT)
    assert len(found) == 10
    assert found.arrow.column_names == GRANTED
    assert found.truncated
    assert found.grant == "g_exploration_ml_coe"
    assert found.consumer == "ml_coe"
    named = explore.sample(PRODUCT, rows=2, columns=["housing", "savings"])
    assert named.arrow.column_names == ["housing", "savings"]
    assert len(explore.sample(PRODUCT, rows=2_000)) == 1_000


def test_a_star_means_the_granted_columns(explore):
    found = explore.query(PRODUCT, f"select * from {PRODUCT} limit 1")
    assert found.arrow.column_names == GRANTED
    assert list(found.columns) == GRANTED
    (count,) = explore.query(
        PRODUCT, "select count(*) n from wealth_profile"
    ).to_pylist()
    assert count == {"n": 1_000}


def test_every_record_of_a_query_has_its_id_and_the_release_its_digest(
    explore, mesh_folder
):
    results = [explore.query(PRODUCT, OPENED), explore.sample(PRODUCT)]
    for result in results:
        found = records(mesh_folder, result.query_id)
        assert [r.action for r in found] == ["decide", "open", "release"]
        assert {r.decision for r in found} == {"allowed"}
        assert {r.consumer for r in found} == {"ml_coe"}
        assert found[-1].released == result.released
        assert list(found[-1].columns) == sorted(result.columns)
        kept = mesh_folder / f"domains/{DOMAIN}/ledger/queries/{result.query_id}.txt"
        digest = hashlib.sha256(kept.read_bytes()).hexdigest()
        assert {r.algorithm for r in found} == {f"sql:sha256:{digest}"}
        assert kept.stat().st_mode & 0o777 == 0o600
    everything = Mesh.open(mesh_folder).audit(DOMAIN)[DOMAIN]
    with Ledger.open(
        mesh_folder / f"domains/{DOMAIN}/ledger/ledger.sqlite", write=False
    ) as ledger:
        assert ledger.grant_uses("g_exploration_ml_coe") == len(results)
    released = [r.run for r in everything if r.action == "release"]
    assert released == [r.query_id for r in results]
    assert all(v.ok for v in Mesh.open(mesh_folder).verify(DOMAIN).values())


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("select customer_id from wealth_profile", "column.use"),
        ("select telephone from wealth_profile", "column.not_granted"),
        ("select count(*) from wealth_profile where telephone", "column.not_granted"),
        ("select housing from wealth_profile order by telephone", "column.not_granted"),
        ("select shoe_size from wealth_profile", "column.unknown"),
        ("select * from raw_wealth", "query.not_allowed"),
        ("select * from asset_management.raw_wealth", "query.not_allowed"),
        ("select * from auto_finance.credit_profile", "query.not_allowed"),
        ("select * from read_csv('/etc/passwd')", "query.not_allowed"),
        ("select housing, getenv('HOME') from wealth_profile", "query.not_allowed"),
        ("drop table wealth_profile", "usage"),
        ("select '\x00' from wealth_profile", "usage"),
        ("select housing::date from wealth_profile", "usage"),
    ],
)
def test_what_is_refused_is_on_record_under_the_id_that_is_told(
    explore, mesh_folder, sql, reason
):
    with pytest.raises(MeshError) as caught:
        explore.query(PRODUCT, sql)
    (query_id,) = re.findall(r"\(on record as (\S+)\)", caught.value.remedy)
    *before, last = records(mesh_folder, query_id)
    assert (last.action, last.decision, last.rule) == ("refuse", "refused", reason)
    assert last.released is None
    assert "release" not in {r.action for r in before}
    everything = Mesh.open(mesh_folder).audit(DOMAIN)[DOMAIN]
    assert [r.run for r in everything] == [query_id] * (len(before) + 1)
    assert getattr(caught.value, "reason", caught.value.code) == reason


def test_a_consumer_without_a_grant_is_refused_and_recorded(explore, mesh_folder):
    with pytest.raises(PolicyError) as caught:
        explore.sample(PRODUCT, consumer="marketing_analytics")
    assert caught.value.reason.partition(".")[0] in {"access", "permission"}
    with pytest.raises(PolicyError) as caught:
        explore.sample("auto_finance.credit_profile", consumer="ml_coe")
    assert caught.value.reason == "access.not_allowed"
    with pytest.raises(PolicyError) as caught:
        explore.sample(PRODUCT, consumer="ml_coe", study="another")
    assert caught.value.reason == "grant.missing"
    assert all(
        r.action == "refuse" for r in Mesh.open(mesh_folder).audit(DOMAIN)[DOMAIN]
    )


def test_whom_to_ask_for_must_be_clear(explore):
    with pytest.raises(UsageError, match="Nobody is named"):
        explore.sample("auto_finance.credit_profile")
    with pytest.raises(UsageError, match="no product"):
        explore.sample("asset_management.wealth")
    with pytest.raises(UsageError, match="at least one row"):
        explore.sample(PRODUCT, rows=0)


def test_a_grant_that_ends_while_a_query_runs_ends_it(
    explore, mesh_folder, monkeypatch
):

    def revoked_meanwhile(table):
        edit(mesh_folder, lambda c: set_grant(c, "decision", status="revoked"))
        return ipc_bytes(table)

    monkeypatch.setattr(exploring, "ipc_bytes", revoked_meanwhile)
    with pytest.raises(PolicyError) as caught:
        explore.query(PRODUCT, OPENED)
    assert caught.value.reason == "grant.not_approved"
    actions = [r.action for r in Mesh.open(mesh_folder).audit(DOMAIN)[DOMAIN]]
    assert actions == ["decide", "open", "refuse"]


def set_filter(content: dict[str, Any], row_filter: str) -> None:
    node = content["nodes"][NODE]
    for holder in (node["config"], node):
        if "mesh" in holder.get("meta", {}):
            holder["meta"]["mesh"]["row_filter"] = row_filter


def test_rows_that_the_filter_hides_are_not_there(explore, mesh_folder):
    edit(mesh_folder, lambda c: set_filter(c, "housing <> 'own'"))
    found = explore.query(PRODUCT, OPENED).to_pylist()
    assert [row["housing"] for row in found] == ["rent", "for_free"]
    edit(mesh_folder, lambda c: set_filter(c, "customer_id = 'nobody'"))
    with pytest.raises(PolicyError) as caught:
        explore.query(PRODUCT, OPENED)
    assert caught.value.reason == "cohort.too_small"


def test_masks_hide_values_from_everything_that_sql_can_do(explore, mesh_folder):
    truth = explore.query(
        PRODUCT, "select distinct housing, present_residence from wealth_profile"
    ).to_pylist()

    def change(content):
        set_column(content, "housing", mask="hash")
        set_column(content, "savings", mask="null")
        set_column(content, "present_residence", mask="bucket")

    edit(mesh_folder, change)
    sql = "select housing, savings, count(*) n from wealth_profile group by all"
    found = explore.query(PRODUCT, sql)
    assert found.masks == {"housing": "hash", "savings": "null"}
    rows = found.to_pylist()
    assert sorted(r["n"] for r in rows) == [108, 179, 713]
    assert {r["savings"] for r in rows} == {None}
    assert not {r["housing"] for r in rows} & {t["housing"] for t in truth}
    none = explore.query(
        PRODUCT, "select count(*) n from wealth_profile where housing = 'own'"
    )
    assert none.to_pylist() == [{"n": 0}]
    again = explore.sample(PRODUCT, columns=["housing"], rows=1_000).to_pylist()
    assert {r["housing"] for r in again} == {r["housing"] for r in rows}
    key = mesh_folder / f"domains/{DOMAIN}/ledger/mask.key"
    assert key.stat().st_mode & 0o777 == 0o600


def test_a_domain_may_give_fewer_rows_and_less_time(explore, mesh_folder):
    node = mesh_folder / f"domains/{DOMAIN}/node.yml"
    settings = node.read_text()
    node.write_text(settings + "\nquery: {max_rows: 7}\n")
    assert len(explore.sample(PRODUCT, rows=100)) == 7
    found = explore.query(PRODUCT, "select housing from wealth_profile")
    assert (len(found), found.truncated) == (7, True)
    node.write_text(settings + "\nquery: {seconds: 1}\n")
    slow = " cross join ".join(f"wealth_profile a{i}" for i in range(5))
    with pytest.raises(PolicyError) as caught:
        explore.query(PRODUCT, f"select count(*) from {slow}")
    assert caught.value.reason == "query.too_slow"


def test_a_table_that_does_not_fit_in_memory_is_not_read_whole(explore, monkeypatch):
    monkeypatch.setattr(exploring, "READ_BYTES", 1_000)
    with pytest.raises(PolicyError) as caught:
        explore.query(PRODUCT, OPENED)
    assert caught.value.reason == "query.too_large"
    monkeypatch.setattr(exploring, "READ_BYTES", 2**20)
    monkeypatch.setattr(exploring, "LARGEST_RESULT", 100)
    with pytest.raises(PolicyError, match="result"):
        explore.query(PRODUCT, OPENED)


def test_a_damaged_database_is_an_error_without_a_value(explore, mesh_folder):
    path = mesh_folder / f"domains/{DOMAIN}/data/{DOMAIN}.duckdb"
    data = bytearray(path.read_bytes())
    data[4096:20480] = bytes(16384)
    path.write_bytes(data)
    with pytest.raises(MeshError) as caught:
        explore.query(PRODUCT, OPENED)
    assert caught.value.code == "storage"
    assert "own" not in caught.value.problem.split()


def asking(body: dict[str, Any]) -> bytes:
    return encode(Ask(kind="query", run="r1", round=1, party=DOMAIN, body=body))


@pytest.fixture
def said(mesh_folder, monkeypatch) -> dict[str, Any]:
    """The body of a message that is allowed, as the library sends it."""
    seen: list[bytes] = []
    plain = Embedded.exchange

    def exchange(self, asks, seconds):
        seen.extend(asks.values())
        return plain(self, asks, seconds)

    monkeypatch.setattr(Embedded, "exchange", exchange)
    Mesh.open(mesh_folder).explore.query(PRODUCT, OPENED)
    return dict(decode(seen[-1]).body)


@pytest.mark.parametrize(
    "words",
    [
        {"sql": 5},
        {"sql": ["select 1"]},
        {"rows": 0},
        {"rows": True},
        {"rows": "10"},
        {"columns": None},
        {"columns": ["a", "a"]},
        {"columns": [1]},
        {"columns": ["x" * 300]},
        {"request": None},
    ],
)
def test_a_malformed_message_is_refused(mesh_folder, said, words):
    party = Party(mesh_folder / "domains" / DOMAIN)
    reply = decode(party.handle(asking(said | words), "ml_coe"))
    assert isinstance(reply, Refusal)
    assert reply.body["code"] == "message"


def test_what_a_message_says_of_columns_and_uses_counts_nothing(mesh_folder, said):
    party = Party(mesh_folder / "domains" / DOMAIN)
    lying = said["request"] | {
        "uses": ["train_vertical"],
        "columns": {"housing": "feature"},
        "algorithm": "logistic_regression",
    }
    body = said | {"request": lying, "sql": "select telephone from wealth_profile"}
    reply = decode(party.handle(asking(body), "ml_coe"))
    assert reply.body["reason"] == "column.not_granted"
    body = said | {"request": lying}
    assert not isinstance(decode(party.handle(asking(body), "ml_coe")), Refusal)
    reply = decode(party.handle(asking(said), "marketing_analytics"))
    assert reply.body["reason"] == "consumer.mismatch"


def test_an_answer_that_was_changed_on_its_way_is_not_believed(explore, monkeypatch):
    plain = Embedded.exchange

    def exchange(self, asks, seconds):
        answers = plain(self, asks, seconds)
        return {n: d[:-16] + bytes(8) + d[-8:] for n, d in answers.items()}

    monkeypatch.setattr(Embedded, "exchange", exchange)
    with pytest.raises(MessageError):
        explore.sample(PRODUCT)


def test_a_frame_needs_pandas_and_says_so(explore, monkeypatch):
    found = explore.sample(PRODUCT, rows=2)
    monkeypatch.setattr("fl_plugin.mesh.exploring.find_spec", lambda _: None)
    with pytest.raises(UsageError, match="pandas"):
        found.to_pandas()
    assert len(found.to_pylist()) == len(found) == 2


def fl(capsys, root: Path, *words: str) -> tuple[int, str, str]:
    code = main([*words, "--project", str(root)])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_the_verbs_write_files_json_and_csv(mesh_folder, tmp_path, capsys):
    for name, read in (("r.parquet", parquet.read_table), ("r.arrow", read_arrow)):
        path = tmp_path / name
        assert fl(capsys, mesh_folder, "sample", PRODUCT, "--output", str(path))[0] == 0
        assert read(path).column_names == GRANTED
    code, out, _ = fl(capsys, mesh_folder, "query", PRODUCT, "--sql", OPENED, "--json")
    answer = json.loads(out)
    assert code == 0
    assert answer["rows"][0] == {"housing": "own", "n": 713}
    assert records(mesh_folder, answer["query_id"])[-1].released == answer["released"]
    code, out, err = fl(
        capsys, mesh_folder, "sample", PRODUCT, "--rows", "1", "--format", "csv"
    )
    assert out.splitlines()[0] == ",".join(f'"{name}"' for name in GRANTED)
    assert re.fullmatch(r"query \S+\n", err)


@pytest.mark.parametrize(
    "words",
    [
        ("--format", "parquet"),
        ("--format", "arrow"),
        ("--format", "csv", "--output", "x.parquet"),
        ("--output", "x.xlsx"),
        ("--format", "xlsx"),
        ("--rows", "0"),
    ],
)
def test_a_wrong_wish_is_told_before_the_domain_is_asked(mesh_folder, capsys, words):
    code, out, err = fl(capsys, mesh_folder, "sample", PRODUCT, *words)
    assert (code, out) == (2, "")
    assert "hint: " in err
    assert Mesh.open(mesh_folder).audit(DOMAIN)[DOMAIN] == ()


def test_values_cannot_steer_a_terminal(mesh_folder, capsys):
    path = mesh_folder / f"domains/{DOMAIN}/data/{DOMAIN}.duckdb"
    with duckdb.connect(path) as file:
        file.execute("update wealth_profile set housing = 'o\x1b[2Jwn'")
    code, out, _ = fl(capsys, mesh_folder, "sample", PRODUCT)
    assert code == 0
    assert "\x1b" not in out
    assert "o [2Jwn" in out


def read_arrow(path: Path) -> Any:
    with path.open("rb") as file:
        return ipc.open_file(file).read_all()


def test_the_page_on_exploring_says_what_happens(mesh_folder, capsys, monkeypatch):
    monkeypatch.chdir(mesh_folder)
    text = DOCS.read_text(encoding="utf-8")
    shown = 0
    for block in re.findall(r"```console\n\$ fl (.+?)```", text, flags=re.DOTALL):
        command, _, expected = block.partition("\n")
        assert main(shlex.split(command)) == 0
        out = re.sub(r"\S+-query-\S+", "<query id>", capsys.readouterr().out)
        if expected:
            assert out == expected
            shown += 1
    assert shown == 2
    (python,) = re.findall(r"```python\n(.+?)```", text, flags=re.DOTALL)
    printed = StringIO()
    with redirect_stdout(printed):
        exec(python, {})  # noqa: S102 our own page
    said = [line[2:] for line in python.splitlines() if line.startswith("# ")]
    assert printed.getvalue().splitlines() == said
