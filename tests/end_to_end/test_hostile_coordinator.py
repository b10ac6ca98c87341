"""A party answers what its policy allows, whatever a coordinator sends."""

import numpy as np
import pytest

from fl_plugin import Mesh
from fl_plugin.algorithms.installed import find_algorithm
from fl_plugin.coordinator.federation import Federation
from fl_plugin.coordinator.fitting import Candidate, Fitting, prepare
from fl_plugin.coordinator.opening import open_parties
from fl_plugin.coordinator.run import ROWS
from fl_plugin.coordinator.splitting import holdout_of
from fl_plugin.engines.embedded import Embedded
from fl_plugin.errors import MeshError, MessageError, PolicyError
from fl_plugin.messages import Ask, Refusal, decode, encode
from fl_plugin.party.party import Party
from fl_plugin.plan.wire import features_json, request_json
from fl_plugin.privacy.terms import Terms

pytestmark = pytest.mark.slow


@pytest.fixture
def plan(mesh_folder):
    return Mesh.open(mesh_folder).plan("credit_risk")


@pytest.fixture
def federation(mesh_folder, plan):
    folders = [mesh_folder / "domains" / p.domain for p in plan.parties]
    with Embedded(folders, plan.consumer) as engine:
        yield Federation("run-1", engine)


def opening(plan, run="run-1", **changes):
    """Return what a coordinator says to each party when it opens a run."""
    return {
        p.domain: {
            "request": request_json(p.request),
            "features": features_json(plan.features),
            "preparation": plan.preparation.model_dump(mode="json"),
            "target": plan.target,
            "predicts": {"kind": "binary", "classes": [False, True]},
            "seed": plan.seed,
            "identities": {q.domain: q.identity for q in plan.parties},
            "terms": Terms.stopping(run, [q.domain for q in plan.parties]).message,
            **changes,
        }
        for p in plan.parties
    }


def count(federation):
    return int(federation.ask("count", {}, expected=ROWS).sums["rows"][0])


def test_garbage_is_refused_not_raised(mesh_folder):
    party = Party(mesh_folder / "domains/auto_finance")
    for data in (b"", b"FLM1", b"\x80\x04.", b"FLM1" + b"\xff" * 100):
        reply = decode(party.handle(data, "ml_coe"))
        assert isinstance(reply, Refusal)
        assert reply.body["code"] == "message"


def test_work_before_the_opening_is_refused(federation):
    with pytest.raises(MessageError):
        federation.ask("count", {}, expected=ROWS)


def test_unknown_work_is_refused(federation, plan):
    open_parties(plan, federation)
    with pytest.raises(MessageError, match="no work of the kind"):
        federation.ask("rows", {})


def test_another_caller_cannot_use_an_open_run(federation, plan):
    open_parties(plan, federation)
    count(federation)
    party = federation.transport._parties["auto_finance"]
    ask = encode(
        Ask(
            kind="count",
            run="run-1",
            round=federation.round + 1,
            party="auto_finance",
            body={"mask": 1},
        )
    )
    assert isinstance(decode(party.handle(ask, "marketing_analytics")), Refusal)
    assert not isinstance(decode(party.handle(ask, plan.consumer)), Refusal)


def test_another_caller_cannot_open_a_run_in_its_place(federation, plan):
    opening = []
    exchange = federation.transport.exchange

    def overhear(asks, *more, **named):
        opening.append(dict(asks))
        return exchange(asks, *more, **named)

    federation.transport.exchange = overhear
    open_parties(plan, federation)
    party = federation.transport._parties["auto_finance"]
    (ask,) = [
        a["auto_finance"] for a in opening if decode(a["auto_finance"]).kind == "open"
    ]
    refusal = decode(party.handle(ask, "marketing_analytics"))
    assert refusal.body["code"] == "message"  # not even decided on
    count(federation)


def test_a_caller_that_is_not_the_consumer_is_refused(mesh_folder, plan):
    folders = [mesh_folder / "domains" / p.domain for p in plan.parties]
    with Embedded(folders, "marketing_analytics") as engine:
        federation = Federation("run-1", engine)
        with pytest.raises(PolicyError) as caught:
            open_parties(plan, federation)
    assert caught.value.reason.startswith("consumer.")


def test_more_columns_than_the_request_are_refused(federation, plan):
    more = {"name": "foreign_worker", "kind": "numeric", "categories": None}
    bodies = opening(plan, features=[*features_json(plan.features), more])
    with pytest.raises(PolicyError) as caught:
        federation.ask("open", bodies, each=True)
    assert caught.value.reason == "column.not_granted"


def test_the_opening_that_the_others_change_is_taken_as_it_is(federation, plan):
    """Else the refusals beside this test could have another cause."""
    opened = federation.ask("open", opening(plan), each=True).bodies
    assert set(opened) == {p.domain for p in plan.parties}


def test_two_messages_in_one_round_are_refused_and_one_is_repeated(federation, plan):
    open_parties(plan, federation)
    count(federation)
    party = federation.transport._parties["auto_finance"]

    def ask(number):
        return encode(
            Ask(
                kind="count",
                run="run-1",
                round=50,
                party="auto_finance",
                body={"mask": number},
            )
        )

    first = party.handle(ask(1), plan.consumer)
    assert not isinstance(decode(first), Refusal)
    assert party.handle(ask(1), plan.consumer) == first
    assert isinstance(decode(party.handle(ask(2), plan.consumer)), Refusal)


def test_a_selection_of_single_rows_is_refused(federation, plan):
    opened = open_parties(plan, federation)
    narrow = {"name": "cv", "part": "train", "folds": 400, "repeat": 0, "fold": 1}
    one = np.ones(1, dtype=np.int64)
    arrays = {"0.sums": one, "0.categories": one}
    with pytest.raises(MessageError):
        federation.ask("prepare", {"splits": [narrow]}, arrays)
    split = holdout_of(plan, opened.min_cohort, federation)
    assert prepare([split], opened.schema(plan), plan.preparation, federation)


def test_keys_of_fewer_than_three_parties_are_refused(federation, plan):
    two = [p.domain for p in plan.parties][:2]
    terms = Terms.stopping("run-1", two).message
    with pytest.raises(MessageError):
        federation.ask("open", opening(plan, terms=terms), each=True)


def test_a_cohort_of_two_is_refused_by_policy_even_if_the_request_says_so(
    federation, plan
):
    two = [p.domain for p in plan.parties][:2]
    bodies = opening(plan, terms=Terms.stopping("run-1", two).message)
    for body in bodies.values():
        body["request"] = {**body["request"], "parties": 2}
    with pytest.raises(PolicyError) as caught:
        federation.ask("open", bodies, each=True)
    assert caught.value.reason == "privacy.too_few_parties"


def test_sums_are_not_given_before_the_keys_are_agreed(federation, plan):
    federation.ask("open", opening(plan), each=True)
    with pytest.raises(MessageError, match="keys or shares are missing"):
        federation.ask("count", {"mask": 0})


def test_sums_are_not_given_without_a_mask(federation, plan):
    open_parties(plan, federation)
    count(federation)
    federation.secure = None
    with pytest.raises(MessageError, match="mask is missing"):
        federation.ask("count", {}, expected=ROWS)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e300])
def test_points_that_are_no_numbers_are_refused(federation, plan, bad):
    opened = open_parties(plan, federation)
    split = holdout_of(plan, opened.min_cohort, federation)
    prepared = prepare([split], opened.schema(plan), plan.preparation, federation)
    algorithm = find_algorithm(plan.algorithm)
    fitting = Fitting(algorithm, {split: prepared[0]}, plan.seed, federation)
    fitting.assign([Candidate(split=split, parameters=plan.parameters)])
    points = np.zeros(prepared[0].task(parties=3, seed=0).width + 1)
    points[0] = bad
    number = federation.secure.next()
    arrays = {"0.point": points, "0.curved": np.ones(1, dtype=np.int64)}
    with pytest.raises(MeshError) as caught:
        federation.ask("step", {"jobs": [0], "mask": number}, arrays)
    assert caught.value.code in {"message", "training"}
    assert "Traceback" not in str(caught.value)


def test_what_one_party_sends_alone_is_not_its_sum(federation, plan):
    open_parties(plan, federation)
    seen = {}
    plain = federation.transport.exchange

    def exchange(asks, seconds):
        answers = plain(asks, seconds)
        seen.update(answers)
        return answers

    federation.transport.exchange = exchange
    assert 900 < count(federation) <= 1000
    width = ROWS["rows"].width
    for answer in seen.values():
        sent = decode(answer).arrays["rows"].tobytes()
        assert len(sent) == width
        assert not 0 <= int.from_bytes(sent, "little", signed=True) <= 1000


def test_a_grant_revoked_in_the_middle_ends_the_run(mesh_folder, federation, plan):
    open_parties(plan, federation)
    count(federation)
    path = mesh_folder / "domains/consumer_banking/target/manifest.json"
    path.write_text(path.read_text().replace('"approved"', '"revoked"'))
    with pytest.raises(PolicyError) as caught:
        count(federation)
    assert caught.value.domain == "consumer_banking"
    assert plan.allowed  # it was, when the run was planned
