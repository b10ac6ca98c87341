"""A node passes on what its coordinator has signed, once; nothing else, and says so."""

import json
from dataclasses import replace

import pytest
from flwr.app import ConfigRecord, Error, RecordDict

from fl_plugin import Mesh
from fl_plugin.flower.asking import Answer, Question, answer_in, question_in
from fl_plugin.flower.passing_on import PassingOn
from fl_plugin.flower.shim import fingerprint, shim
from fl_plugin.messages import Ask, Refusal, decode, encode
from fl_plugin.party.party import Party
from fl_plugin.signing.keys import create_key
from fl_plugin.software import release
from tests.made_mesh import CONSUMER, make_mesh
from tests.small_mesh import small


@pytest.fixture
def root(tmp_path):
    return make_mesh(tmp_path / "mesh", small(("ash",)))


@pytest.fixture
def key(tmp_path):
    return create_key(tmp_path / "caller.pem")


@pytest.fixture
def told():
    return []


@pytest.fixture
def node(root, key, told):
    return PassingOn(Party(root / "domains" / "ash"), key.public, told.append)


def ask(run="run-1", round_=1):
    return encode(
        Ask(run=run, round=round_, party="ash", kind="head", body={}, arrays={})
    )


def question(key, **words):
    found = Question("ash", CONSUMER, release(), ask())
    return replace(found, **words).signed(key)


def replied(node, asked, app=None):
    found = node.reply(asked.record(), fingerprint() if app is None else app)
    return found if isinstance(found, Error) else answer_in(found)


def rules(root):
    return [r.rule for r in Mesh.open(root).audit("ash")["ash"]]


def test_the_coordinators_question_reaches_the_party(node, key):
    found = replied(node, question(key))
    assert found.problem == ""
    decode(found.data)


def test_no_app_but_the_meshs_own(root, node, key):
    found = replied(node, question(key), app="0" * 64)
    assert isinstance(found, Error)
    assert rules(root) == ["app.unlisted"]


def test_the_app_is_the_same_wherever_it_is_built():
    """Both sides must run the same version: its fingerprint is part of it."""
    shim.cache_clear()
    first = shim()
    shim.cache_clear()
    assert shim() == first
    assert b"fl_plugin" not in first  # it holds no code of the product


@pytest.mark.parametrize(
    "words",
    [
        {"party": "birch"},
        {"caller": "marketing"},
        {"software": "0.0.1"},
        {"data": b"another question"},
        {"key": "ed25519:" + "A" * 43 + "="},
        {"signature": ""},
    ],
)
def test_a_word_that_was_changed_on_the_way_is_noticed(root, node, key, words):
    found = replied(node, replace(question(key), **words))
    assert found.code == "question.unsigned"
    assert found.data == b""
    assert rules(root) == ["question.unsigned"]


def test_a_question_to_another_party_is_not_passed_on(root, node, key):
    assert replied(node, question(key, party="birch")).code == "question.unsigned"
    assert rules(root) == ["question.unsigned"]


def test_another_coordinator_may_not_speak_for_the_consumer(root, node, tmp_path):
    stranger = create_key(tmp_path / "stranger.pem")
    found = replied(node, question(stranger))
    assert found.code == "caller.unknown"
    assert stranger.public in found.problem
    assert rules(root) == ["caller.unknown"]


def test_the_domain_may_name_the_coordinators_itself(root, node, key, tmp_path):
    stranger = create_key(tmp_path / "stranger.pem")
    settings = root / "domains" / "ash" / "node.yml"
    words = json.loads(settings.read_text())
    words["callers"] = {CONSUMER: [stranger.public]}
    settings.write_text(json.dumps(words))
    assert replied(node, question(stranger)).problem == ""
    assert replied(node, question(key)).code == "caller.unknown"


def test_a_node_that_is_not_in_order_says_no_more(root, node, key, told):
    (root / "domains" / "ash" / "node.yml").write_text("domain: [")
    found = replied(node, question(key))
    assert (found.problem, found.code) == ("The node of ash is not in order.", "node")
    assert "node.yml" in told[0]


def test_versions_are_compared(node, key):
    found = replied(node, question(key, software="0.0.1"))
    assert found.code == "software.differs"


def test_a_question_that_is_played_again_tells_nothing_new(root, node, key):
    old = Question("ash", CONSUMER, release(), ask("run-2", 7)).signed(key)
    first, again = replied(node, old), replied(node, old)
    assert first.data == again.data
    assert isinstance(decode(again.data), Refusal)  # no such run is open
    assert rules(root) == ["run.unknown"] * len(rules(root))


def test_records_of_another_shape_hold_no_question():
    record = question_in(Answer(b"x").record())
    assert record is None
    assert answer_in(Question("ash", "c", "1", b"").record()) is None
    words = {**vars(Answer(b"x")), "data": "x", "unique": ""}
    assert answer_in(RecordDict({"mesh": ConfigRecord(words)})) is None
    assert answer_in(RecordDict({})) is None
