"""What changes in a mesh that dbt has built, and who hears of it."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from fl_plugin import Mesh
from tests.unit.changes import receiver as servers

pytestmark = pytest.mark.slow
DOMAIN = "consumer_banking"
ATOM = "{http://www.w3.org/2005/Atom}"


def program(name, folder, *words):
    environment = os.environ | {
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }
    done = subprocess.run(
        [Path(sys.executable).with_name(name), *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{name} {words}\n{done.stdout}{done.stderr}"
    return done.stdout


def dbt(folder, *words):
    return program("dbt", folder, "--no-version-check", "--quiet", *words)


def edit(path, *pairs):
    text = path.read_text()
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    path.write_text(text)


@pytest.fixture
def mesh(mesh_folder):
    """The built mesh, looked at for the first time now."""
    for outbox in (mesh_folder / "domains").glob("*/outbox"):
        shutil.rmtree(outbox)  # what a developer's own looks have left
    return Mesh.open(mesh_folder)


def kinds(news, domain=DOMAIN):
    return [e.kind for e in news.events if e.domain == domain]


def test_a_product_is_registered_once_and_each_change_of_it_told_once(mesh):
    folder = mesh.root / "domains" / DOMAIN
    contract = folder / "models" / "products" / "credit_profile.yml"

    first = mesh.changes.look()
    assert kinds(first)[:2] == ["product.added", "study.added"]
    assert len({e.id for e in first.events}) == len(first.events)
    assert first.problems == {}

    dbt(folder, "parse")
    dbt(mesh.root, "parse")
    assert mesh.changes.look().events == (), "to register again is no event"

    edit(contract, ("min_cohort: 25", "min_cohort: 20"))
    dbt(folder, "parse")
    (policy,) = mesh.changes.look().events
    assert (policy.kind, policy.direction) == ("policy.changed", "loosened")
    assert "g_credit_risk_ml_coe" in policy.remedy
    assert "ml-coe@bank.example" in policy.concerns

    edit(contract, ("data_type: integer", "data_type: bigint"))
    dbt(folder, "parse")
    (broken,) = mesh.changes.look().events
    assert broken.kind == "schema.breaking"
    assert "age" in broken.columns

    told = mesh.changes.events(f"{DOMAIN}:0", domain=DOMAIN).events
    assert [e.sequence for e in told] == list(range(1, len(told) + 1))


def test_new_data_are_told_once(mesh):
    folder = mesh.root / "domains" / DOMAIN
    mesh.changes.look()
    dbt(folder, "build")
    (event,) = mesh.changes.look().events
    assert event.kind == "product.updated"
    dbt(folder, "test")
    assert mesh.changes.look().events == (), "a test is no build"


def test_the_catalog_carries_a_feed_that_a_reader_can_follow(mesh):
    program("fl", mesh.root, "catalog", "build")
    site = mesh.root / "target" / "catalog"
    feed = Xml.parse(site / "changes.atom").getroot()  # noqa: S314 our own
    entries = feed.findall(f"{ATOM}entry")
    assert len(entries) == len(mesh.changes.events().events) >= 10
    nodes = json.loads((site / "manifest.json").read_text())["nodes"]
    for entry in entries:
        (link,) = entry.findall(f"{ATOM}link")
        page, _, node = link.attrib["href"].partition("#!/model/")
        assert (site / page).is_file()
        assert node in nodes
    docs = json.loads((site / "manifest.json").read_text())["docs"]
    overview = docs["doc.data_mesh.__overview__"]["block_contents"]
    assert "](changes.atom)" in overview
    assert "](changes.atom)" in (site / "static_index.html").read_text()


def test_a_subscriber_hears_of_a_change_and_of_no_row(mesh):
    folder = mesh.root / "domains" / DOMAIN
    with servers.listening() as receiver:
        facts = {"url": receiver.url, "kinds": ["policy.changed"]}
        text = json.dumps({"subscribers": {"ml_coe": facts}})
        (folder / "notifications.yml").write_text(text)
        program("fl", mesh.root, "notify", "send")
        assert receiver.requests == []
        edit(
            folder / "models" / "products" / "credit_profile.yml",
            ("retention_days: 730", "retention_days: 365"),
        )
        dbt(folder, "parse")
        program("fl", mesh.root, "notify", "send")
        program("fl", mesh.root, "notify", "send")
        (request,) = receiver.requests
    data = json.loads(request["body"])["data"]
    assert (data["kind"], data["direction"]) == ("policy.changed", "tightened")

    with (folder / "seeds" / "raw_applications.csv").open() as file:
        keys = {row["customer_id"].encode() for row in csv.DictReader(file)}
    written = [p for p in (folder / "outbox").rglob("*") if p.is_file()]
    assert len(written) > 3
    for content in (request["body"], *(p.read_bytes() for p in written)):
        assert not any(key in content for key in keys)
