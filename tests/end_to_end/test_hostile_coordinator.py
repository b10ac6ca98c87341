"""A party answers what its policy allows, whatever a coordinator sends."""

import numpy as np
import pytest

from fl_plugin import Mesh
from fl_plugin.coordinator.federation import Federation
from fl_plugin.coordinator.opening import open_parties
from fl_plugin.engines.embedded import Embedded
from fl_plugin.errors import MessageError, PolicyError
from fl_plugin.messages import Ask, Refusal, decode, encode
from fl_plugin.party.party import Party
from fl_plugin.plan.wire import features_json, request_json

pytestmark = pytest.mark.slow
ALL = [{"name": "all", "part": "train"}]


@pytest.fixture
def plan(mesh_folder):
    return Mesh.open(mesh_folder).plan("credit_risk")


@pytest.fixture
def federation(mesh_folder, plan):
    folders = [mesh_folder / "domains" / p.domain for p in plan.parties]
    with Embedded(folders, plan.consumer) as engine:
        yield Federation("run-1", engine)


def test_garbage_is_refused_not_raised(mesh_folder):
    party = Party(mesh_folder / "domains/auto_finance")
    for data in (b"", b"FLM1", b"\x80\x04.", b"FLM1" + b"\xff" * 100):
        reply = decode(party.handle(data, "ml_coe"))
        assert isinstance(reply, Refusal)
        assert reply.body["code"] == "message"


def test_work_before_the_opening_is_refused(federation):
    with pytest.raises(MessageError):
        federation.ask("count", {"splits": ALL})


def test_unknown_work_is_refused(federation, plan):
    open_parties(plan, federation)
    with pytest.raises(MessageError, match="no work of the kind"):
        federation.ask("rows", {})


def test_another_caller_cannot_use_an_open_run(mesh_folder, federation, plan):
    open_parties(plan, federation)
    party = federation.transport._parties["auto_finance"]
    ask = Ask(
        kind="count", run="run-1", round=9, party="auto_finance", body={"splits": ALL}
    )
    assert isinstance(decode(party.handle(encode(ask), "marketing_analytics")), Refusal)


def test_a_caller_that_is_not_the_consumer_is_refused(mesh_folder, plan):
    folders = [mesh_folder / "domains" / p.domain for p in plan.parties]
    with Embedded(folders, "marketing_analytics") as engine:
        federation = Federation("run-1", engine)
        with pytest.raises(PolicyError) as caught:
            open_parties(plan, federation)
    assert caught.value.reason.startswith("consumer.")


def test_more_columns_than_the_request_are_refused(federation, plan):
    bodies = {
        p.domain: {
            "request": request_json(p.request),
            "features": [
                *features_json(plan.features),
                {"name": "foreign_worker", "kind": "numeric", "categories": None},
            ],
            "target": plan.target,
            "seed": 0,
        }
        for p in plan.parties
    }
    with pytest.raises(PolicyError) as caught:
        federation.ask("open", bodies, each=True)
    assert caught.value.reason == "column.not_granted"


def test_two_messages_in_one_round_are_refused_and_one_is_repeated(federation, plan):
    open_parties(plan, federation)
    party = federation.transport._parties["auto_finance"]

    def ask(split):
        return encode(
            Ask(
                kind="count",
                run="run-1",
                round=50,
                party="auto_finance",
                body={"splits": [split]},
            )
        )

    first = party.handle(ask(ALL[0]), plan.consumer)
    assert party.handle(ask(ALL[0]), plan.consumer) == first
    other = {"name": "holdout", "part": "train", "share": 0.2}
    assert isinstance(decode(party.handle(ask(other), plan.consumer)), Refusal)


def test_a_selection_of_single_rows_is_refused(federation, plan):
    open_parties(plan, federation)
    narrow = {"name": "cv", "part": "test", "folds": 400, "repeat": 0, "fold": 1}
    with pytest.raises(MessageError):
        federation.ask("count", {"splits": [narrow]})


def test_keys_of_fewer_than_three_parties_are_refused(federation, plan):
    bodies = {
        p.domain: {
            "request": request_json(p.request),
            "features": features_json(plan.features),
            "target": plan.target,
            "seed": plan.seed,
        }
        for p in plan.parties
    }
    opened = federation.ask("open", bodies, each=True).bodies
    keys = {n: b["public_key"] for n, b in list(opened.items())[:2]}
    with pytest.raises(MessageError):
        federation.ask(
            "agree", {"features": features_json(plan.features), "public_keys": keys}
        )


def test_sums_are_not_given_before_the_keys_are_agreed(federation, plan):
    bodies = {
        p.domain: {
            "request": request_json(p.request),
            "features": features_json(plan.features),
            "target": plan.target,
            "seed": plan.seed,
        }
        for p in plan.parties
    }
    federation.ask("open", bodies, each=True)
    with pytest.raises(MessageError):
        federation.ask("count", {"splits": ALL})


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e300])
def test_points_that_are_no_numbers_are_refused(federation, plan, bad):
    opened = open_parties(plan, federation)
    numbers = sum(f.kind == "numeric" for f in opened.features)
    columns = numbers + sum(len(f.categories or ()) for f in opened.features)
    points = np.zeros((1, columns + 1))
    points[0, 0] = bad
    scales = np.ones((1, numbers))
    arrays = {"means": scales, "scales": scales, "points": points}
    with pytest.raises((MessageError, Exception)) as caught:
        federation.ask("step", {"splits": ALL, "rows": [1000]}, arrays)
    assert "Traceback" not in str(caught.value)


def test_what_one_party_sends_alone_is_not_its_sum(federation, plan):
    open_parties(plan, federation)
    seen = {}
    plain = federation.transport.exchange

    def exchange(asks):
        answers = plain(asks)
        seen.update(answers)
        return answers

    federation.transport.exchange = exchange
    total = federation.ask("count", {"splits": ALL}).counts()["rows"]
    assert 900 < int(total[0, 0]) <= 1000
    for answer in seen.values():
        alone = decode(answer).arrays["rows"].view(np.int64)
        assert not 0 <= int(alone[0, 0]) <= 1000


def test_a_grant_revoked_in_the_middle_ends_the_run(mesh_folder, federation, plan):
    open_parties(plan, federation)
    federation.ask("count", {"splits": ALL})
    path = mesh_folder / "domains/consumer_banking/target/manifest.json"
    path.write_text(path.read_text().replace('"approved"', '"revoked"'))
    with pytest.raises(PolicyError) as caught:
        federation.ask("count", {"splits": ALL})
    assert caught.value.domain == "consumer_banking"
    assert plan.allowed  # it was, when the run was planned
