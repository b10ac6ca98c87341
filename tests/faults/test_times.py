"""Bad times: clocks that move, tables that change, runs that race, nodes of old."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import duckdb
import pytest

from fl_plugin import Mesh
from fl_plugin.engines.node import Node
from fl_plugin.errors import BuildError, PolicyError
from tests.faults.books import books
from tests.faults.telling import told
from tests.made_mesh import MODEL, STUDY, make_mesh
from tests.small_mesh import THREE, small

pytestmark = pytest.mark.slow
MIDST = 8  # a round after the opening, before the end
SECOND, HOUR, YEAR = timedelta(seconds=1), timedelta(hours=1), timedelta(days=365)
PRIVATE = {
    "algorithm": {"name": "private_logistic_regression"},
    "privacy": {"epsilon": 1.0, "evaluation": 0.1},
}


class Clock(datetime):
    """The clock of a host: it stands, until somebody sets it."""

    began = datetime.now(UTC)
    off = timedelta()

    @classmethod
    def now(cls, tz=None):
        return cls.began.astimezone(tz) + cls.off


@pytest.fixture
def clock(monkeypatch):
    """Every domain's clock, and the one of its ledger: they are one host's."""
    for module in ("ledger.store", "party.domain"):
        monkeypatch.setattr(f"fl_plugin.{module}.datetime", Clock)
    monkeypatch.setattr(Clock, "off", timedelta())
    return Clock


def reason(train) -> str:
    """Return the reason for which a run was refused; empty where it was done."""
    try:
        train()
    except PolicyError as error:
        return error.reason
    return ""


def once(act):
    """Return a listener that does something in the midst of a run."""

    def listener(_kind, number):
        if number == MIDST:
            act()

    return listener


# How far the clock moves, and why a run is refused then; in a year the grant expires.
MOVES = [
    (SECOND, ""),
    (HOUR, ""),
    (YEAR, "grant.expired"),
    (-SECOND, "clock.moved_back"),
    (-HOUR, "clock.moved_back"),
    (-YEAR, "clock.moved_back"),
]


@pytest.mark.parametrize(("move", "why"), MOVES)
def test_a_clock_that_moves_between_two_runs(root, clock, move, why):
    mesh = Mesh.open(root)
    mesh.train(STUDY)
    clock.off = move
    assert reason(lambda: mesh.train(STUDY)) == why
    for ledger in books(root):
        assert bool(ledger.show(action="refuse")) == bool(why)


@pytest.mark.parametrize(("move", "why"), MOVES)
def test_a_clock_that_moves_in_the_midst_of_a_run(root, clock, expected, move, why):
    mesh = Mesh.open(root)

    def act():
        clock.off = move

    assert reason(lambda: mesh.train(STUDY, listener=once(act))) == why
    digests = [e.run.model_digest for e in mesh.models.entries]
    assert digests == ([] if why else [expected.model_digest])
    for ledger in books(root):
        releases = [r.round or 0 for r in ledger.show(action="release")]
        assert max(releases) < MIDST or not why
        assert not ledger.open_runs()


def test_a_clock_that_was_ahead_for_a_while_is_behind_its_ledger(root, clock):
    """What was written then stands: until the time comes, nothing is released."""
    mesh = Mesh.open(root)
    clock.off = HOUR
    mesh.train(STUDY)
    clock.off = timedelta()
    assert reason(lambda: mesh.train(STUDY)) == "clock.moved_back"
    clock.off = HOUR + SECOND
    assert reason(lambda: mesh.train(STUDY)) == ""


def built_again(root: Path) -> None:
    """Change every row, as a build between two rounds would."""
    file = root / "domains/birch/data/birch.duckdb"
    with duckdb.connect(file) as connection:
        words = f"create or replace table {MODEL} as select * replace (-a as a)"
        connection.execute(f"{words} from {MODEL}")


def test_a_table_built_again_while_its_party_lives_is_read_as_it_was(root, expected):
    """Rows are read once per run, under one transaction: the build changes the next."""
    mesh = Mesh.open(root)
    run = mesh.train(STUDY, listener=once(lambda: built_again(root)))
    assert run.record.model_digest == expected.model_digest
    assert mesh.train(STUDY).record.model_digest != expected.model_digest


def test_a_table_built_again_while_its_party_is_down_ends_the_run(root):
    def stop():
        raise KeyboardInterrupt

    mesh = Mesh.open(root)
    with pytest.raises(KeyboardInterrupt):
        mesh.train(STUDY, listener=once(stop))
    (state,) = mesh.runs
    assert state.standing == "interrupted"
    built_again(root)
    with pytest.raises(BuildError, match=r"birch.* was built again while the run was"):
        mesh.resume(state.run)
    assert mesh.run_state(state.run).standing == "failed"
    assert not mesh.models.entries
    for ledger in books(root):
        assert not ledger.open_runs()


@pytest.fixture
def private(tmp_path, extent):
    """A mesh whose budget is enough for all racers but one."""
    made = replace(
        small(THREE, rows=400, study=PRIVATE),
        product={
            "dp": {"epsilon": extent.racers - 1, "delta": 1e-6, "period_days": 90}
        },
        columns={c: {"bounds": [-4.0, 4.0]} for c in "ab"},
        epsilon=10.0,
    )
    return make_mesh(tmp_path / "private", made)


@pytest.mark.parametrize("engine", ["embedded", "processes"])
def test_runs_that_race_for_one_budget_never_exceed_it(private, engine, extent, figure):
    found, racers = [], extent.racers
    budget = racers - 1

    def race():
        found.append(told(private, "train", STUDY, "--engine", engine))

    threads = [threading.Thread(target=race) for _ in range(racers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = [f for f in found if f.code == 0]
    refused = [f for f in found if f.code == 3]
    assert len(found) == len(done) + len(refused) == racers, [f.error for f in found]
    assert len(done) <= budget
    assert all("budget" in f.error for f in refused)
    assert len(Mesh.open(private).models.entries) == len(done)
    for ledger in books(private):
        spent = [r.epsilon for r in ledger.show() if r.epsilon]
        assert len(done) <= sum(spent) <= budget
        assert not ledger.open_runs()
    figure(f"runs that raced for too small a budget ({engine}), never above", racers)


@contextmanager
def node(root: Path, domain: str, path: Path) -> Iterator[None]:
    serving = Node(root / "domains" / domain, path)
    thread = threading.Thread(target=serving.serve)
    thread.start()
    try:
        yield
    finally:
        serving.stop()
        thread.join()


def test_a_node_of_another_version_is_told_apart(root, tmp_path):
    path = tmp_path / "b.sock"
    (root / "nodes.yml").write_text(f"nodes: {{birch: {{socket: {path}}}}}\n")
    older = patch("fl_plugin.engines.node.release", return_value="0.0.1")
    with older, node(root, "birch", path):
        found = told(root, "train", STUDY, "--engine", "processes")
    assert found.code == 3, found.text
    assert "The node of birch runs version 0.0.1" in found.error
    assert "Install the same version on both sides." in found.error
    assert not Mesh.open(root).models.entries
