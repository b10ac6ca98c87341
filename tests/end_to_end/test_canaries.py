"""Nothing leaves: values planted in every row are never found outside the domain.

Every key and every amount of every lender is replaced by a value that occurs nowhere
else. After each scenario, failures included, they are looked for in every message, in
everything printed, in every ledger, in the registry and in the catalog: as text, as
JSON, in base64 and as the bytes of a float or an integer. A planted leak shows that
the search would find one.
"""

import base64
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pytest

from fl_plugin import Mesh, MeshError
from fl_plugin.engines.embedded import Embedded
from fl_plugin.messages import Reply, decode, encode
from tests.canaries import Search, spellings_of_number, spellings_of_text

LENDERS = ("auto_finance", "commercial_banking", "consumer_banking")
pytestmark = pytest.mark.slow


def plant(root: Path) -> dict[str, list[bytes]]:
    """Replace keys and amounts by canaries; return every way each may be written."""
    needles: dict[str, list[bytes]] = {}
    for number, domain in enumerate(LENDERS):
        random = np.random.default_rng(number)
        with duckdb.connect(root / f"domains/{domain}/data/{domain}.duckdb") as file:
            relation = "main.credit_profile_v1"
            tables = file.execute(
                "select schema_name, table_name from duckdb_tables() "
                "where table_name like 'credit_profile%'"
            ).fetchall()
            relation = ".".join(tables[0])
            keys = file.execute(f"select customer_id from {relation}").fetchall()
            texts = [f"CANARY{random.bytes(9).hex()}" for _ in keys]
            amounts = random.choice(10**8, len(keys), replace=False) + 7 * 10**8
            file.execute("create temp table planted (old text, new text, amount int)")
            file.executemany(
                "insert into planted values (?, ?, ?)",
                [
                    (k[0], t, int(a))
                    for k, t, a in zip(keys, texts, amounts, strict=True)
                ],
            )
            file.execute(
                f"update {relation} set customer_id = p.new, amount = p.amount "
                "from planted p where customer_id = p.old"
            )
        needles[domain] = [w for t in texts for w in spellings_of_text(t)]
        needles[domain] += [w for a in amounts for w in spellings_of_number(int(a))]
    return needles


@dataclass(frozen=True, kw_only=True)
class Planted:
    """A mesh in whose rows canaries are.

    Args:
        root: Its folder.
        search: For the canaries.
        wire: Every byte that has crossed a party's boundary.
    """

    root: Path
    search: Search
    wire: list[bytes]


@contextmanager
def planting(root: Path) -> Iterator[Planted]:
    """Plant canaries in a mesh, and listen to it."""
    seen: list[bytes] = []
    plain = Embedded.exchange

    def exchange(self, asks, seconds):
        answers = plain(self, asks, seconds)
        seen.extend([*asks.values(), *answers.values()])
        return answers

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Embedded, "exchange", exchange)
        yield Planted(root=root, search=Search(plant(root)), wire=seen)


@pytest.fixture
def planted(mesh_folder: Path) -> Iterator[Planted]:
    with planting(mesh_folder) as found:
        yield found


@pytest.fixture(scope="module")
def trained(built_mesh: Path, tmp_path_factory) -> Planted:
    """A mesh in which one run has succeeded, and has told nothing."""
    root = tmp_path_factory.mktemp("trained") / "mesh"
    shutil.copytree(built_mesh, root, symlinks=True)
    with planting(root) as found:
        Mesh.open(root).train("credit_risk")
    assert leaks(found.search, root, *found.wire) == 0
    return found


def files_outside(root: Path) -> Iterator[bytes]:
    """Yield every file but the domains' own databases, archives opened."""
    for path in sorted(root.rglob("*")):
        if ".duckdb" in path.name or not path.is_file():
            continue
        if "seeds" in path.parts or path.is_symlink():
            continue
        yield path.read_bytes()
        if path.suffix == ".skops":
            with zipfile.ZipFile(path) as archive:
                yield from (archive.read(name) for name in archive.namelist())


def leaks(search: Search, root: Path, *more: bytes) -> int:
    return sum(search.found(text) for text in (*files_outside(root), *more))


def attempt(work: Callable[[], object]) -> bytes:
    """Do it; return what an error would show a user."""
    try:
        work()
    except MeshError as error:
        return f"{error}\n{error.problem}\n{error.remedy}".encode()
    return b""


def expire(root: Path) -> None:
    manifest = root / "domains/auto_finance/target/manifest.json"
    text = manifest.read_text()
    manifest.write_text(
        text.replace('"expires": "2027-10-30"', '"expires": "2026-11-05"')
    )


def drop_column(root: Path) -> None:
    with duckdb.connect(root / "domains/auto_finance/data/auto_finance.duckdb") as file:
        table = file.execute(
            "select schema_name || '.' || table_name from duckdb_tables() "
            "where table_name like 'credit_profile%'"
        ).fetchall()[0][0]
        file.execute(f"create table copied as select * exclude (age) from {table}")
        file.execute(f"drop table {table}")
        file.execute(f"alter table copied rename to {table.partition('.')[2]}")


def damage(root: Path) -> None:
    path = root / "domains/commercial_banking/data/commercial_banking.duckdb"
    data = bytearray(path.read_bytes())
    data[4096:20480] = bytes(16384)
    path.write_bytes(data)


def one_class(root: Path) -> None:
    for domain in LENDERS:
        with duckdb.connect(root / f"domains/{domain}/data/{domain}.duckdb") as file:
            table = file.execute(
                "select schema_name || '.' || table_name from duckdb_tables() "
                "where table_name like 'credit_profile%'"
            ).fetchall()[0][0]
            file.execute(f"update {table} set is_bad = false")


def infinite(root: Path) -> None:
    manifest = root / "domains/auto_finance/target/manifest.json"
    manifest.write_text(manifest.read_text()[:-20])


SCENARIOS = {
    "a run that succeeds": lambda root: None,
    "an expired grant": expire,
    "a missing column": drop_column,
    "a damaged database": damage,
    "only one class": one_class,
    "a cut manifest": infinite,
    "a missing database": lambda root: (
        root / "domains/auto_finance/data/auto_finance.duckdb"
    ).unlink(),
}


@pytest.mark.parametrize("scenario", sorted(SCENARIOS))
def test_no_value_of_a_row_leaves_its_domain(scenario, planted, capfd):
    root = planted.root
    SCENARIOS[scenario](root)
    mesh = Mesh.open(root)
    shown = [
        attempt(lambda: mesh.plan("credit_risk")),
        attempt(lambda: mesh.train("credit_risk")),
        attempt(lambda: mesh.evaluate("credit_risk")),
    ]
    succeeded = scenario == "a run that succeeds"
    assert (not any(shown)) == succeeded
    printed = "".join(capfd.readouterr()).encode()
    assert planted.wire
    assert leaks(planted.search, root, *planted.wire, *shown, printed) == 0


def a_row(root: Path) -> tuple[str, int]:
    """Return the key and the amount of some row."""
    with duckdb.connect(root / "domains/auto_finance/data/auto_finance.duckdb") as file:
        table = file.execute(
            "select schema_name || '.' || table_name from duckdb_tables() "
            "where table_name like 'credit_profile%'"
        ).fetchall()[0][0]
        rows = file.execute(f"select customer_id, amount from {table} limit 1")
        key, amount = rows.fetchall()[0]
    return str(key), int(amount)


def test_a_leak_that_is_planted_in_a_message_is_found(trained):
    _, amount = a_row(trained.root)
    reply = decode(trained.wire[-1])
    leak = encode(
        Reply(
            kind=reply.kind,
            run=reply.run,
            round=reply.round,
            party=reply.party,
            arrays={"sums": np.array([1.0, float(amount)])},
        )
    )
    assert leaks(trained.search, trained.root, leak) == 1


def test_a_leak_that_is_planted_in_an_error_is_found(trained):
    _, amount = a_row(trained.root)
    error = f"cannot use {amount}".encode()
    assert leaks(trained.search, trained.root, error) == 1


LEAKS = {
    "registry": ("registry/note.txt", "the row of {key}".format),
    "ledger": (
        "domains/auto_finance/ledger/extra.log",
        lambda key: base64.b64encode(f"key {key} refused".encode()).decode(),
    ),
}


@pytest.mark.parametrize("where", LEAKS)
def test_a_leak_that_is_planted_in_a_file_is_found(where, trained):
    name, text = LEAKS[where]
    key, _ = a_row(trained.root)
    path = trained.root / name
    path.write_text(text(key=key))
    try:
        assert leaks(trained.search, trained.root) == 1
    finally:
        path.unlink()


def test_the_search_finds_every_spelling():
    search = Search(
        {"x": [*spellings_of_text("CANARYabcdef"), *spellings_of_number(712345678)]}
    )
    for shift in range(3):
        text = base64.b64encode(b"z" * shift + b"CANARYabcdef and more")
        assert search.found(text)
    assert search.found(np.array([3.0, 712345678.0]).tobytes())
    assert not search.found(b"nothing of the kind")
    assert sys.byteorder == "little"
