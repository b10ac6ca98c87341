"""Rows on disk are the rows in memory: the same blocks, codes, folds and hashes."""

from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pytest

from fl_plugin.algorithms.base import Target
from fl_plugin.errors import BuildError, StorageError
from fl_plugin.manifest.types import Relation
from fl_plugin.party import labels, spooled
from fl_plugin.party.database import Database
from fl_plugin.party.rows import Rows, Wanted, read_rows
from fl_plugin.party.spool import Spool
from fl_plugin.party.spooled import Spooled
from fl_plugin.preparation.features import Feature

ROWS = 10_000
FEATURES = (
    Feature(name="a", kind="numeric"),
    Feature(name="flag", kind="categorical", categories=(False, True)),
    Feature(name="b", kind="numeric"),
    Feature(name="word", kind="categorical", categories=("w1", "w3", "absent")),
)
PROTECTED = (Feature(name="word", kind="categorical", categories=("w2",)),)
WANTED = Wanted(
    features=FEATURES,
    protected=PROTECTED,
    target="kind",
    predicts=Target(kind="multiclass", classes=("x", "y")),
    group="word",
    timed=True,
)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    path = tmp_path / "d.duckdb"
    with duckdb.connect(path) as file:
        file.execute(
            f"create table t as select i as id, "
            f"case when i % 7 = 0 then null else i * 0.5 end as a, i % 5 as b, "
            f"case when i % 11 = 0 then null else i % 2 = 0 end as flag, "
            f"case when i % 13 = 0 then null else 'w' || (i // 100) % 5 end as word, "
            f"case when i % 3 = 0 then 'x' else 'y' end as kind, "
            f"timestamp '2026-01-01' + to_minutes(i) as at from range({ROWS}) r(i)"
        )
    return Database(path, "north")


@pytest.fixture
def product(product_with):
    made = product_with(contract={"row_filter": None})
    relation = Relation(database="d", schema="main", identifier="t")
    column = next(iter(made.columns.values()))
    return replace(
        made,
        relation=relation,
        key=("id",),
        event_time="at",
        columns={**made.columns, "at": column},
    )


@pytest.fixture
def both(database, product, tmp_path, monkeypatch):
    monkeypatch.setattr(spooled, "CHUNK_BYTES", 2**14)
    spool = Spool(tmp_path, "run-1")
    tight = replace(database, memory=2**17)
    monkeypatch.setattr("fl_plugin.party.database.SHARE", 2**17 / 2**26)
    on_disk = read_rows(tight, product, WANTED, spool)
    in_memory = read_rows(database, product, WANTED, spool)
    assert isinstance(in_memory, Rows)
    assert isinstance(on_disk, Spooled)
    yield in_memory, on_disk
    spool.close()


def whole(raw, size, chosen=None):
    blocks = list(raw.blocks(size, chosen))
    assert all(0 < b.rows <= size for b in blocks)
    return (
        np.concatenate([b.numeric for b in blocks], axis=1),
        np.concatenate([np.array(b.codes) for b in blocks], axis=1),
        np.concatenate([b.target for b in blocks]),
        np.concatenate([b.hashes for b in blocks]),
    )


@pytest.mark.parametrize("size", [100, 1_024, 3_000, 65_536])
def test_every_row_is_the_same_and_in_its_place(both, size):
    in_memory, on_disk = (whole(rows.raw(FEATURES), size) for rows in both)
    for one, other in zip(in_memory, on_disk, strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype


@pytest.mark.parametrize("first", [0, 1_500, 9_999])
def test_chosen_rows_are_the_same(both, first):
    chosen = np.zeros(ROWS, dtype=np.bool_)
    chosen[first::3] = True
    in_memory, on_disk = (whole(rows.raw(FEATURES), 3_000, chosen) for rows in both)
    for one, other in zip(in_memory, on_disk, strict=True):
        np.testing.assert_array_equal(one, other)


def test_no_chosen_row_gives_no_block(both):
    _, on_disk = both
    none = np.zeros(ROWS, dtype=np.bool_)
    assert list(on_disk.raw(FEATURES).blocks(100, none)) == []


def test_what_decides_folds_and_figures_is_the_same(both):
    in_memory, on_disk = both
    assert len(in_memory) == len(on_disk) == ROWS
    for name in ("target", "hashes", "groups", "times"):
        one, other = getattr(in_memory, name), getattr(on_disk, name)
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(in_memory.codes(PROTECTED), on_disk.codes(PROTECTED))
    assert len(np.unique(on_disk.groups)) == 6
    assert not np.array_equal(on_disk.groups, on_disk.hashes)


@pytest.mark.parametrize("least", [1, 1_847, 1_848, ROWS])
def test_frequent_texts_are_the_same(both, least):
    in_memory, on_disk = (rows.frequent("word", least) for rows in both)
    assert in_memory == on_disk
    assert bool(on_disk) is (least < 1_848)
    assert both[1].frequent("flag", 1) == ()


def test_its_fingerprint_tells_tables_apart(database, product, tmp_path, monkeypatch):
    def fingerprint() -> str:
        spool = Spool(tmp_path, "run-1")
        rows = read_rows(tight, product, WANTED, spool)
        assert isinstance(rows, Spooled)
        return rows.fingerprint

    tight = replace(database, memory=2**17)
    monkeypatch.setattr("fl_plugin.party.database.SHARE", 2**17 / 2**26)
    first, again = fingerprint(), fingerprint()
    with duckdb.connect(database.path) as file:
        file.execute("update t set word = 'w9' where id = 9999")
    assert first == again != fingerprint()


def test_a_file_that_was_cut_is_an_error_without_a_value(both):
    _, on_disk = both
    with on_disk.path.open("r+b") as file:
        file.truncate(1_000)
    with pytest.raises(StorageError, match="spooled"):
        list(on_disk.raw(FEATURES).blocks())


def test_a_column_of_keys_is_no_category(database, product, tmp_path, monkeypatch):
    monkeypatch.setattr(labels, "MOST_VALUES", 4)
    monkeypatch.setattr("fl_plugin.party.database.SHARE", 2**17 / 2**26)
    with pytest.raises(BuildError, match="word"):
        read_rows(
            replace(database, memory=2**17), product, WANTED, Spool(tmp_path, "run-1")
        )
    assert list((tmp_path / "spool").iterdir()) == []


def test_a_target_that_is_missing_far_down_is_refused_and_nothing_stays(
    database, product, tmp_path, monkeypatch
):
    with duckdb.connect(database.path) as file:
        file.execute("update t set kind = null where id = 9998")
    monkeypatch.setattr("fl_plugin.party.database.SHARE", 2**17 / 2**26)
    with pytest.raises(BuildError, match="kind"):
        read_rows(
            replace(database, memory=2**17), product, WANTED, Spool(tmp_path, "run-1")
        )
    assert list((tmp_path / "spool").iterdir()) == []
