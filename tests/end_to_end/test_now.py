"""Every release is decided by the domain's files as they are at that moment."""

import json
import os
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from fl_plugin import Mesh
from fl_plugin.coordinator.federation import Federation
from fl_plugin.coordinator.opening import open_parties
from fl_plugin.engines.embedded import Embedded
from fl_plugin.errors import MeshError
from fl_plugin.ledger.record import AuditEntry
from fl_plugin.ledger.store import Ledger
from fl_plugin.manifest.reader import read_manifest
from fl_plugin.party import standing, work
from fl_plugin.policy.approval import approval_digest
from tests.made_mesh import CONSUMER, STUDY, Made, make_mesh

DOMAINS = ("north", "south", "west")
STUDY_WORDS = {
    "algorithm": {"name": "logistic_regression"},
    "features": ["a"],
    "target": "bad",
    "evaluation": {"folds": 0},
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    tables = {}
    for place, domain in enumerate(DOMAINS):
        a = random.normal(size=400)
        tables[domain] = pa.table(
            {
                "row_id": np.arange(400) + place * 1_000,
                "a": a,
                "bad": a + random.logistic(size=400) > 0,
            }
        )
    roles = {"bad": ["label"], "row_id": ["join_key"]}
    return make_mesh(tmp_path, Made(tables=tables, study=STUDY_WORDS, roles=roles))


class Meddling:
    """Does something to a domain right before its third release."""

    def __init__(self, monkeypatch, meddle):
        self.releases = 0
        release = work._release

        def released(ask, session, answer, account):
            if ask.party == "south":
                self.releases += 1
                if self.releases == 3:
                    meddle()
            return release(ask, session, answer, account)

        monkeypatch.setattr(work, "_release", released)


def reads_of(monkeypatch) -> list[str]:
    found: list[str] = []
    read = standing.Watch.standing

    def counted(watch, request, again):
        def noted():
            found.append(request.product)
            return again()

        return read(watch, request, noted)

    monkeypatch.setattr(standing.Watch, "standing", counted)
    return found


def test_unchanged_files_are_read_once(root, monkeypatch):
    monkeypatch.setattr(standing, "SETTLED_NS", -(10**18))
    reads = reads_of(monkeypatch)
    Mesh.open(root).train(STUDY)
    assert sorted(reads) == sorted(set(reads))


def test_files_written_just_now_are_read_at_every_release(root, monkeypatch):
    monkeypatch.setattr(standing, "SETTLED_NS", 10**18)
    reads = reads_of(monkeypatch)
    Mesh.open(root).train(STUDY)
    assert len(reads) > 3 * len(set(reads))


def _without_the_consumer(root: Path) -> None:
    file = root / "domains/south/node.yml"
    words = json.loads(file.read_text())
    words["consumers"] = {}
    file.write_text(json.dumps(words))


def _without_its_grant(root: Path) -> None:
    file = root / "domains/south/target/manifest.json"
    manifest = json.loads(file.read_text())
    manifest["exposures"] = {}
    file.write_text(json.dumps(manifest))


def _same_size_and_time(root: Path) -> None:
    file = root / "domains/south/node.yml"
    state = file.stat()
    file.write_text(file.read_text().replace('"ml_coe"', '"ml_coX"'))
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert file.stat().st_size == state.st_size


def _another_in_its_place(root: Path) -> None:
    file = root / "domains/south/node.yml"
    aside = file.with_suffix(".new")
    aside.write_text(file.read_text().replace('"ml_coe"', '"ml_coX"'))
    aside.replace(file)


def _no_permission(root: Path) -> None:
    (root / "domains/south/permissions.yml").write_text("permissions: []\n")


def _higher_floor(root: Path) -> None:
    file = root / "mesh_policy.yml"
    text = file.read_text()
    assert "min_cohort: " in text
    before, _, rest = text.partition("min_cohort: ")
    file.write_text(f"{before}min_cohort: 100000{rest[len(rest.split()[0]) :]}")


def _gone(root: Path) -> None:
    (root / "domains/south/node.yml").unlink()


def _signatures_that_are_none(root: Path) -> None:
    (root / "domains/south/signatures.yml").write_text("nonsense: true\n")


@pytest.mark.parametrize(
    "meddle",
    [
        _without_the_consumer,
        _without_its_grant,
        _same_size_and_time,
        _another_in_its_place,
        _no_permission,
        _higher_floor,
        _gone,
        _signatures_that_are_none,
    ],
    ids=lambda f: f.__name__.strip("_"),
)
def test_an_edit_between_two_rounds_stops_the_very_next_release(
    root, monkeypatch, meddle
):
    monkeypatch.setattr(standing, "SETTLED_NS", -(10**18))
    meddling = Meddling(monkeypatch, lambda: meddle(root))
    with pytest.raises(MeshError):
        Mesh.open(root).train(STUDY)
    assert meddling.releases == 3
    assert not releases_after(root, "south", 2)


def releases_after(root: Path, domain: str, count: int) -> bool:
    path = root / "domains" / domain / "ledger/ledger.sqlite"
    with Ledger.open(path, write=False) as ledger:
        return len(ledger.show(action="release")) > count


@pytest.mark.parametrize("shift", [timedelta(days=200), timedelta(days=-3)])
def test_a_grant_that_expires_or_a_clock_put_back_stops_the_next_release(
    root, monkeypatch, shift
):
    monkeypatch.setattr(standing, "SETTLED_NS", -(10**18))

    class Shifted(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + shift

    def meddle():
        monkeypatch.setattr("fl_plugin.party.domain.datetime", Shifted)

    meddling = Meddling(monkeypatch, meddle)
    with pytest.raises(MeshError):
        Mesh.open(root).train(STUDY)
    assert meddling.releases == 3
    assert not releases_after(root, "south", 2)


def _revoked(root: Path) -> None:
    manifest = read_manifest(root / "domains/south/target/manifest.json")
    (grant,) = manifest.grants.values()
    entry = AuditEntry(
        action="revoke",
        decision="allowed",
        consumer=grant.consumer,
        actor="steward@bank.example",
        purpose=grant.purpose,
        study=grant.study,
        run="",
        released=approval_digest(grant),
    )
    with Ledger.open(root / "domains/south/ledger/ledger.sqlite") as ledger:
        ledger.append(entry)


def test_a_revocation_by_another_process_stops_the_next_release(root, monkeypatch):
    monkeypatch.setattr(standing, "SETTLED_NS", -(10**18))
    meddling = Meddling(monkeypatch, lambda: _revoked(root))
    with pytest.raises(MeshError, match="revoked"):
        Mesh.open(root).train(STUDY)
    assert meddling.releases == 3
    assert not releases_after(root, "south", 2)


def test_a_ledger_put_in_the_place_of_the_open_one_is_the_one_written(
    root, monkeypatch
):
    path = root / "domains/south/ledger/ledger.sqlite"

    def meddle():
        for file in path.parent.glob("ledger.sqlite*"):
            file.rename(file.with_name(f"old-{file.name}"))

    Meddling(monkeypatch, meddle)
    Mesh.open(root).train(STUDY)
    with Ledger.open(path, write=False) as ledger:
        assert ledger.show(action="release")


def test_no_ledger_stays_open_after_a_run(root):
    with Embedded([root / "domains" / d for d in DOMAINS], CONSUMER) as engine:
        run = Federation("run-1", engine)
        open_parties(Mesh.open(root).plan(STUDY), run)
        parties = engine._parties.values()
        assert all(party._books._ledger is not None for party in parties)
        run.ask("close", {})
        assert all(party._books._ledger is None for party in parties)
