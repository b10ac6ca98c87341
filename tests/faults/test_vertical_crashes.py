"""A vertical run that is killed at any moment ends, resumed, with the same parts.

As `test_crashes.py`, over columns that lie apart. One run is killed many times, each
time it has gone on for a while: so its kills fall on matching, preparation, fit,
scoring and registration alike.
"""

import hashlib
import shutil
import signal

import pytest

from fl_plugin import Mesh
from fl_plugin.errors import BuildError
from fl_plugin.party.domain import Domain
from tests.faults.crashing import (
    AGAIN,
    COORDINATOR,
    MOMENTS,
    PARTY,
    Kill,
    outcome,
    trained,
)
from tests.faults.extent import extent_of
from tests.made_mesh import STUDY
from tests.vertical_mesh import vertical_mesh

pytestmark = pytest.mark.slow
KILLED = -signal.SIGKILL
LEAST_KILLS, MOST_KILLS = 2, 60
NETWORK = {
    "name": "split_network",
    "epochs": 1,
    "batch_size": 128,
    "bottom_layers": "4",
    "top_layers": "4",
    "label_layers": "4",
    "cut": 2,
}
TREES = {"name": "vertical_boosting", "max_iter": 2, "max_leaf_nodes": 3}
LOOSE = {"max_rounds": 12, "tolerance": 0.1}
ALGORITHMS = {
    "split network": {"algorithm": NETWORK},
    "split network, labels shared": {"algorithm": NETWORK, "sharing": "shared"},
    "strict boosting": {"algorithm": TREES},
    "boosting of released bins": {"algorithm": {**TREES, "mode": "bins"}},
    "linear regression": {
        "algorithm": {"name": "vertical_linear_regression", **LOOSE},
        "target": "regression",
    },
    "logistic regression": {
        "algorithm": {"name": "vertical_logistic_regression", **LOOSE}
    },
}
# The others share their messages with one of these, or are killed as they end.
USUAL = ["split network", "strict boosting", "logistic regression"]
# What a vertical run does beside what all runs do.
VERTICAL = {
    "answer a matching": "fl_plugin.alignment.party:MatchingParty.answer",
    "agree with peers": "fl_plugin.privacy.channel:PeerChannel.accept",
    "prepare columns": f"{PARTY}.kinds.arrange:Arrange.answer",
    "answer a turn": f"{PARTY}.kinds.turn:Turn.answer",
    "keep a large message": "fl_plugin.ledger.bodies:Bodies.put",
    "keep the part": f"{PARTY}.kinds.keep:keep",
    "judge": f"{PARTY}.kinds.assess:Assess.answer",
    "draw in a library": "fl_plugin.privacy.made:Made.once",
    "match rows": f"{COORDINATOR}.vertical_run:match_rows",
}
OFTEN = {**MOMENTS, **AGAIN, **VERTICAL}
# The end of a run, in its order; each kill falls on what the one before has left.
ENDING = [
    (name, after)
    for name in ("keep the part", "judge", "register the model")
    for after in (False, True)
]
CLOSING = [
    ("close the parties", False),
    ("end a session", False),
    ("forget a run", True),
    ("end a session", True),
    ("close the parties", True),
    ("forget the journal", False),
    ("forget the journal", True),
    ("write how the run stands", False),
]


class Meshes:
    """Copies of one vertical mesh, and what an undisturbed run over it gives."""

    def __init__(self, folder, words):
        self.folder = folder
        self.original = vertical_mesh(folder / "original", **words).root
        for domain in (self.original / "domains").iterdir():
            Domain(domain).identity.sign(b"")  # its key makes noise: one for all copies
        undisturbed = self.copy()
        assert trained(undisturbed) == 0
        self.expected = found(undisturbed)

    def copy(self):
        number = len(list(self.folder.iterdir()))
        return shutil.copytree(self.original, self.folder / str(number))


def pytest_generate_tests(metafunc):
    """Try every algorithm, and many seeds, where all of it is asked for."""
    extent = extent_of(metafunc.config)
    if "meshes" in metafunc.fixturenames:
        every = list(ALGORITHMS) if extent.whole else USUAL
        metafunc.parametrize("meshes", every, indirect=True, scope="module")
    if "number" in metafunc.fixturenames:
        metafunc.parametrize("number", range(extent.vertical))


@pytest.fixture(scope="module")
def meshes(request, tmp_path_factory):
    return Meshes(tmp_path_factory.mktemp("vertical"), ALGORITHMS[request.param])


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    words = ALGORITHMS["split network, labels shared"]
    return Meshes(tmp_path_factory.mktemp("shared"), words)


def found(root):
    """Return what a run gives; each domain has its part, and no other one."""
    (entry,) = Mesh.open(root).models.entries
    assert entry.run.vertical is not None
    for domain, digest in entry.run.vertical.parts.items():
        (part,) = (root / "domains" / domain / "models" / STUDY).iterdir()
        assert f"sha256:{hashlib.sha256(part.read_bytes()).hexdigest()}" == digest
    return outcome(root)


def drawn(dice):
    """Return a kill at some moment, and one that comes if the run does not see it."""
    name, after = dice.choice(sorted(OFTEN)), dice.random() < 0.5
    return (
        Kill(target=OFTEN[name], after=after, time=dice.randint(1, 9)),
        Kill(target=MOMENTS["send messages"], time=dice.randint(3, 12)),
    )


def test_a_run_that_is_killed_again_and_again_ends_with_the_same_parts(
    meshes, number, figure, extent
):
    seed = f"vertical {number}"
    dice, root = extent.dice(seed), meshes.copy()
    kills: list[tuple[Kill, ...]] = []
    ended = False
    while not ended and len(kills) < MOST_KILLS:
        kills.append(drawn(dice))
        code = trained(root, *kills[-1])
        assert code in {KILLED, 0}, (seed, kills)
        ended = code == 0
    assert len(kills) > LEAST_KILLS, (seed, kills)
    assert trained(root) == 0, (seed, kills)
    assert found(root) == meshes.expected, (seed, kills)
    figure("kills of vertical runs, each resumed to the same bytes", len(kills) - 1)
    shutil.rmtree(root)


def test_kills_while_a_run_ends_leave_the_parts_of_its_model(shared):
    root = shared.copy()
    for name, after in (*ENDING, *CLOSING):
        kill = Kill(target=OFTEN[name], after=after)
        assert trained(root, kill) in {KILLED, 0}, kill
    assert trained(root) == 0
    assert found(root) == shared.expected


def test_a_salt_that_was_changed_meanwhile_is_found_before_anything_leaves(tmp_path):
    root = vertical_mesh(tmp_path / "mesh", algorithm=NETWORK).root
    salts = [d / "matching.salt" for d in (root / "domains").iterdir()]
    for salt in salts:
        salt.touch(mode=0o600)
        salt.write_bytes(b"s" * 32)

    def stop(kind, number):
        if kind == "turn":
            raise KeyboardInterrupt

    mesh = Mesh.open(root)
    with pytest.raises(KeyboardInterrupt):
        mesh.train(STUDY, listener=stop)
    (state,) = mesh.runs
    assert state.standing == "interrupted"
    before = {d: len(records) for d, records in mesh.audit().items()}
    for salt in salts:
        salt.write_bytes(b"t" * 32)
    with pytest.raises(BuildError, match="cannot be done again"):
        Mesh.open(root).resume(state.run)
    for domain, records in mesh.audit().items():
        assert {r.action for r in records[before[domain] :]} <= {"refuse", "close"}
