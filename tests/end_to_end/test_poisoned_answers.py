"""A domain that sends wrong answers: named and refused, in the clear and under masks.

The messages are changed on their way, as a patched node would send them. Where a loss
stops the run, it ends; under `recover` the others go on without the domain.
"""

import re
from dataclasses import replace

import numpy as np
import pytest

from fl_plugin.coordinator.losses import Loss
from fl_plugin.errors import MeshError, MessageError, TrainingError
from fl_plugin.messages import Refusal, Reply
from tests.faulty import Poisoning, with_arrays
from tests.made_mesh import make_mesh
from tests.small_mesh import FIVE, small, trained_over

pytestmark = pytest.mark.slow
BAD = "cedar"
PRIVACY = {
    "plain": {"secure_aggregation": False},
    "stop": {"on_dropout": "stop"},
    "recover": {"on_dropout": "recover"},
}


def first(change):
    """Return a change of the first array of a message."""

    def changed(reply: Reply) -> Reply:
        name = sorted(reply.arrays)[0]
        return replace(reply, arrays={**reply.arrays, name: change(reply.arrays[name])})

    return changed


def renamed(reply: Reply) -> Reply:
    name = sorted(reply.arrays)[0]
    rest = {n: a for n, a in reply.arrays.items() if n != name}
    return replace(reply, arrays={**rest, f"{name}.x": reply.arrays[name]})


def without_the_first(reply: Reply) -> Reply:
    name = sorted(reply.arrays)[0]
    rest = {n: a for n, a in reply.arrays.items() if n != name}
    return replace(reply, arrays=rest)


ARRAYS = {
    "no arrays": lambda reply: replace(reply, arrays={}),
    "one missing": without_the_first,
    "one renamed": renamed,
    "one more": with_arrays(extra=np.zeros(3)),
    "one of another job": with_arrays(**{"7.x": np.zeros(3)}),
    "floats": first(lambda a: np.zeros(a.shape)),
    "NaN": first(lambda a: np.full(a.shape, np.nan)),
    "infinity": first(lambda a: np.full(a.shape, -np.inf)),
    "signed words": first(lambda a: a.astype(np.int64)),
    "one entry more": first(lambda a: np.resize(a, (len(a) + 1, *a.shape[1:]))),
    "one entry less": first(lambda a: a[:-1]),
    "an axis more": first(lambda a: a[None]),
    "all in one row": first(lambda a: np.resize(a, a.size + 8)),
    "nothing in it": first(lambda a: a[:0]),
    "a number alone": first(lambda a: np.zeros((), dtype=a.dtype)),
    "narrower words": first(
        lambda a: (
            np.zeros((*a.shape, 4), np.uint8)
            if a.dtype == np.uint64
            else np.zeros((*a.shape[:-1], a.shape[-1] + 1), np.uint8)
        )
    ),
}
WHOLE = {
    "another round": lambda reply: replace(reply, round=reply.round + 1),
    "another run": lambda reply: replace(reply, run="run-0"),
    "another kind": lambda reply: replace(reply, kind="count"),
    "another party's": lambda reply: replace(reply, party="ash"),
}


@pytest.fixture(scope="module", params=sorted(PRIVACY))
def mesh(request, tmp_path_factory):
    study = {"privacy": PRIVACY[request.param]}
    made = small(study=study, node={"secure_aggregation": "optional"})
    return request.param, make_mesh(tmp_path_factory.mktemp("mesh"), made)


def run(root, kind, change):
    """Train over a poisoned engine; return who did it, and what came of it."""
    made = []

    def wrap(engine):
        made.append(Poisoning(engine, kind, BAD, change))
        return made[0]

    try:
        return made, trained_over(root, wrap)
    except MeshError as error:
        return made, error


def blamed(mode, made, found):
    """Return who is out of the run, or is named by the error that has ended it."""
    assert made[0].changed  # else nothing was poisoned
    if mode == "recover":
        trained, federation = found
        assert all(isinstance(loss, Loss) for loss in federation.lost.values())
        assert all(np.isfinite(a).all() for a in trained.fits[0].fitted.model.values())
        return set(federation.lost)
    assert isinstance(found, MessageError)
    assert found.remedy
    return set(re.findall(rf"\b({'|'.join(FIVE)})\b", found.problem))


@pytest.mark.parametrize("payload", sorted(ARRAYS))
def test_arrays_that_were_not_asked_for_are_refused_by_name(payload, mesh):
    mode, root = mesh
    assert blamed(mode, *run(root, "step", ARRAYS[payload])) == {BAD}


@pytest.mark.parametrize("kind", ["count", "prepare", "evaluate"])
@pytest.mark.parametrize("payload", ["one more", "one missing", "NaN", "nothing in it"])
def test_they_are_at_every_kind_of_sum(kind, payload, mesh):
    mode, root = mesh
    assert blamed(mode, *run(root, kind, ARRAYS[payload])) == {BAD}


@pytest.mark.parametrize("payload", sorted(WHOLE))
def test_an_answer_to_something_else_is_refused_by_name(payload, mesh):
    mode, root = mesh
    assert blamed(mode, *run(root, "step", WHOLE[payload])) == {BAD}


@pytest.mark.parametrize("word", [2**63 - 1, 2**63, 2**62, 2**64 - 2**61])
def test_words_beyond_their_bound_are_refused(word, mesh):
    """In the clear by name; under masks nobody can say whose they are."""
    mode, root = mesh

    def changed(array):
        if array.dtype == np.uint64:
            return array + np.uint64(word)  # what is beneath a mask moves as much
        return np.full_like(array, 127)

    made, found = run(root, "step", lambda r: replace(r, arrays=_all(r, changed)))
    assert made[0].changed
    assert isinstance(found, MessageError if mode == "plain" else TrainingError)
    if mode == "plain":
        assert BAD in found.problem
    else:
        assert "public bound" in found.problem


def _all(reply, change):
    return {n: change(a) for n, a in reply.arrays.items()}


def test_a_refusal_in_another_s_name_is_told_as_its_sender_s(mesh):
    _, root = mesh

    def change(reply):
        body = {"code": "refused", "problem": "No.", "remedy": "", "reason": "made up"}
        return Refusal(
            kind=reply.kind, run=reply.run, round=reply.round, party="ash", body=body
        )

    _, found = run(root, "step", change)
    assert isinstance(found, MeshError)
    assert found.problem.startswith(BAD)


@pytest.mark.parametrize(
    "head", [None, [], ["x", "y"], [1, 2], [1, "a", 3], {"sequence": 1}, [True, "a"]]
)
def test_a_head_of_a_ledger_that_is_none_is_not_kept(head, mesh):
    _, root = mesh
    _, (trained, federation) = run(
        root, "close", lambda r: replace(r, body={**r.body, "head": head})
    )
    assert set(federation.heads) == set(FIVE)
    assert type(federation.heads[BAD].sequence) is int
    assert trained.fits


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("keys", {}),
        ("keys", {"announcement": None}),
        ("keys", {"announcement": {"first": 0}}),
        ("keys", {"announcement": "x" * 1000}),
        ("share", {"shares": None}),
        ("share", {"shares": {"ash": "00"}}),
        ("share", {"shares": {d: 5 for d in FIVE if d != BAD}}),
        ("unmask", {}),
        ("unmask", {"shares": []}),
        ("unmask", {"shares": {"seeds": {}, "masks": {}}}),
        ("unmask", {"shares": {"seeds": dict.fromkeys(FIVE, "zz"), "masks": {}}}),
    ],
)
def test_keys_and_shares_that_are_none_lose_only_who_sent_them(
    kind, body, tmp_path_factory, recovering
):
    found = run(recovering, kind, lambda r: replace(r, body=body))
    assert blamed("recover", *found) == {BAD}


@pytest.fixture(scope="module")
def recovering(tmp_path_factory):
    made = small(study={"privacy": PRIVACY["recover"]})
    return make_mesh(tmp_path_factory.mktemp("recovering"), made)
