"""A node is its domain's user, the coordinator another one, with no domain's folder.

Run by root, each is a user of its own; by anybody else, all are the same one.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from fl_plugin import Mesh
from fl_plugin.errors import PolicyError
from tests.made_mesh import CONSUMER, STUDY, make_mesh
from tests.small_mesh import small

pytestmark = pytest.mark.slow
DOMAINS = ("ash", "birch", "cedar")
CENTRE = "centre"
# Numbers that no account has.
NOBODY = 54_329
APART = dict(zip((*DOMAINS, CENTRE), range(54_321, 54_325), strict=True))
ALIKE = dict.fromkeys(APART, os.geteuid())
USERS = {"one user": ALIKE} | ({"a user each": APART} if os.geteuid() == 0 else {})


def program(user):
    """Return the words that start this program as a user."""
    if user == os.geteuid():
        return [sys.executable, "-m", "fl_plugin"]
    return [sys.executable, "-m", "tests.faults.as_user", str(user)]


def give(folder, user, mode):
    """Make a folder, and all in it, a user's."""
    folder.chmod(mode)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, user, user)


@contextmanager
def node(mesh, domain, users):
    """Run the node of a domain, whose folder is its user's alone; give its socket."""
    with tempfile.TemporaryDirectory(prefix="fl-") as place, ExitStack() as held:
        give(Path(place), users[domain], 0o755)
        folder, path = mesh / "domains" / domain, Path(place) / "node"
        settings = json.loads((folder / "node.yml").read_text())
        settings["callers"] = {CONSUMER: [name_of(users[CENTRE])]}
        (folder / "node.yml").write_text(json.dumps(settings))
        give(folder, users[domain], 0o700)
        words = [*program(users[domain]), "node", "--domain", domain]
        words += ["--project", os.fspath(mesh), "--socket", os.fspath(path)]
        process = held.enter_context(
            subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        )
        held.callback(process.terminate)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield path


def name_of(user):
    found = subprocess.run(
        ["id", "-nu", str(user)], capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or str(user)


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return make_mesh(tmp_path_factory.mktemp("mesh"), small(DOMAINS))


@pytest.fixture(scope="module")
def expected(original, tmp_path_factory):
    root = shutil.copytree(original, tmp_path_factory.mktemp("embedded") / "mesh")
    return Mesh.open(root).train(STUDY).record


@pytest.mark.parametrize("users", USERS.values(), ids=USERS)
def test_a_coordinator_without_any_folder_of_a_domain(original, expected, users):
    with ExitStack() as held:
        # Where any user may go.
        place = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="fl-")))
        place.chmod(0o755)
        mesh = shutil.copytree(original, place / "mesh")
        mesh.chmod(0o755)
        centre = place / CENTRE
        shutil.copytree(original, centre, ignore=shutil.ignore_patterns("domains"))
        sockets = {d: held.enter_context(node(mesh, d, users)) for d in DOMAINS}
        nodes = {d: {"socket": os.fspath(path)} for d, path in sockets.items()}
        (centre / "nodes.yml").write_text(json.dumps({"nodes": nodes}))
        give(centre, users[CENTRE], 0o700)
        words = [*program(users[CENTRE]), "train", STUDY, "--engine", "processes"]
        words += ["--project", os.fspath(centre)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        (record,) = centre.rglob("run.json")
        digest = json.loads(record.read_text())["model_digest"]
        owners = {p.stat().st_uid for p in centre.rglob("*")}
        assert not (centre / "domains").exists()
    assert digest == expected.model_digest
    assert owners == {users[CENTRE]}


def test_a_user_that_no_domain_has_named_is_turned_away(original, tmp_path):
    mesh = shutil.copytree(original, tmp_path / "mesh")
    with node(mesh, DOMAINS[0], ALIKE | {CENTRE: NOBODY}) as path:
        told = {"nodes": {DOMAINS[0]: {"socket": os.fspath(path)}}}
        (mesh / "nodes.yml").write_text(json.dumps(told))
        with pytest.raises(PolicyError, match="may not speak for the consumer"):
            Mesh.open(mesh).train(STUDY, engine="processes")
