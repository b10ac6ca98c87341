"""What a party refuses of a run that was planned in order and then bent, by word.

A made mesh of three domains; each test sends one message that a coordinator of ours
does not send, and finds that the same message unbent is taken.
"""

import json
from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pytest

from fl_plugin.algorithms.installed import find_algorithm
from fl_plugin.coordinator.fitting import Candidate, Fitting, prepare
from fl_plugin.coordinator.opening import open_parties
from fl_plugin.coordinator.run import ROWS as COUNTED
from fl_plugin.coordinator.splitting import holdout_of
from fl_plugin.engines.embedded import Embedded
from fl_plugin.errors import MeshError, MessageError, PolicyError
from fl_plugin.messages import Ask, Refusal, Reply, decode, encode
from fl_plugin.party.kinds.assign import LEAST_ROWS, MOST_JOBS
from fl_plugin.plan.wire import features_json
from tests.made_mesh import CONSUMER, make_mesh
from tests.opened import Planned
from tests.small_mesh import ROWS, small

pytestmark = pytest.mark.slow
DOMAINS = ("ash", "birch", "cedar")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return make_mesh(tmp_path_factory.mktemp("mesh"), small(DOMAINS))


class Run(Planned):
    """A run as a coordinator of ours begins it."""

    def __init__(self, root, engine, name="run-1"):
        super().__init__(root, engine, name)
        self.engine = engine

    def open(self):
        self.opened = open_parties(self.plan, self.federation)
        return self

    def prepare(self):
        self.split = holdout_of(self.plan, self.opened.min_cohort, self.federation)
        schema = self.opened.schema(self.plan)
        (self.prepared,) = prepare(
            [self.split], schema, self.plan.preparation, self.federation
        )
        return self

    @property
    def fitting(self):
        algorithm = find_algorithm(self.plan.algorithm)
        prepared = {self.split: self.prepared}
        return Fitting(algorithm, prepared, self.plan.seed, self.federation)

    def assign(self, **parameters):
        told = {**self.plan.parameters, **parameters}
        self.fitting.assign([Candidate(split=self.split, parameters=told)])
        return self

    def assigned_as(self):
        """Return the message that assigns one job, for a test to bend."""
        with patch.object(self.federation, "ask") as ask:
            self.assign()
        (kind, body, arrays), _ = ask.call_args
        return kind, body, arrays

    def say(self, party, kind, body, arrays=None, *, number):
        """Send one party one message; return what it says."""
        ask = Ask(
            kind=kind,
            run=self.federation.run,
            round=number,
            party=party,
            body=body,
            arrays=arrays or {},
        )
        inner = self.engine._parties[party]
        return decode(inner.handle(encode(ask), CONSUMER))


@pytest.fixture
def run(root):
    with Embedded([root / "domains" / d for d in DOMAINS], CONSUMER) as engine:
        yield Run(root, engine)


def bent(run, **changes):
    """Have a run opened with words of its opening changed."""
    plain = run.federation.ask

    def ask(kind, body, *rest, **words):
        if kind == "open":
            body = {p: {**told, **changes} for p, told in body.items()}
        return plain(kind, body, *rest, **words)

    run.federation.ask = ask
    run.open()


def test_parameters_beside_the_decided_ones_are_refused(run):
    run.open().prepare()
    run.assign(l2=1.0)
    with pytest.raises(PolicyError) as caught:
        run.assign(l2=2.0)
    assert caught.value.reason == "parameter.not_decided"


@pytest.mark.parametrize("value", ["1.0", True, 1, None, [1.0]])
def test_a_decided_value_of_another_type_is_another_value(run, value):
    run.open().prepare()
    with pytest.raises(MeshError):
        run.assign(l2=value)


def test_a_parameter_that_was_not_asked_for_is_refused(run):
    run.open().prepare()
    with pytest.raises(MessageError, match="parameters"):
        run.assign(max_rounds=5)


def test_exact_edges_are_refused_where_the_node_does_not_allow_them(run):
    exact = run.plan.preparation.model_copy(update={"edges": "exact"})
    with pytest.raises(PolicyError) as caught:
        bent(run, preparation=exact.model_dump(mode="json"))
    assert caught.value.reason == "edges.exact"


def test_exact_edges_are_taken_where_the_node_allows_them(tmp_path):
    root = make_mesh(tmp_path, small(DOMAINS, node={"exact_quantiles": True}))
    with Embedded([root / "domains" / d for d in DOMAINS], CONSUMER) as engine:
        run = Run(root, engine)
        exact = run.plan.preparation.model_copy(update={"edges": "exact"})
        bent(run, preparation=exact.model_dump(mode="json"))
    assert set(run.opened.bodies) == set(DOMAINS)


def test_an_old_round_is_refused_and_the_newest_is_answered_as_before(run):
    run.open()
    run.federation.ask("count", {}, expected=COUNTED)
    newest = run.federation.round
    run.federation.ask("count", {}, expected=COUNTED)
    again = run.say("ash", "count", {"mask": 0}, number=newest)
    other = run.say("ash", "count", {"mask": 1}, number=newest)
    old = run.say("ash", "count", {"mask": 5}, number=1)
    later = run.say("ash", "count", {"mask": 5}, number=newest + 5)
    assert [type(r) for r in (again, other, old, later)] == [
        Reply,
        Refusal,
        Refusal,
        Reply,
    ]


def test_a_mask_is_used_once_and_for_ever_later_sums_only(run):
    run.open()
    run.federation.ask("count", {}, expected=COUNTED)  # mask 0
    number = run.federation.round
    said = []
    for mask in (0, 3, 3, 2, 4):
        number += 1
        said.append(type(run.say("ash", "count", {"mask": mask}, number=number)))
    assert said == [Refusal, Reply, Refusal, Refusal, Reply]


@pytest.mark.parametrize("mask", [None, "0", True, 0.0, -1])
def test_a_mask_s_number_that_is_none_is_refused(run, mask):
    run.open()
    run.federation.ask("count", {}, expected=COUNTED)
    reply = run.say("ash", "count", {"mask": mask}, number=run.federation.round + 1)
    assert isinstance(reply, Refusal)
    assert reply.body["code"] == "message"


def test_masks_of_parties_that_were_asked_different_things_do_not_cancel(run):
    run.open()
    run.federation.ask("count", {}, expected=COUNTED)
    number = run.federation.round + 1
    told = {
        "ash": {"mask": 1},
        "birch": {"mask": 1},
        "cedar": {"mask": 1, "beside": 1},
    }
    replies = [run.say(p, "count", body, number=number) for p, body in told.items()]
    assert all(isinstance(r, Reply) for r in replies)
    width = COUNTED["rows"].width
    words = [int.from_bytes(r.arrays["rows"].tobytes(), "little") for r in replies]
    total = sum(words) % 2 ** (8 * width)
    assert total != 3 * ROWS
    alike = [
        run.say(p, "count", {"mask": 2}, number=number + 1).arrays["rows"]
        for p in DOMAINS
    ]
    words = [int.from_bytes(a.tobytes(), "little") for a in alike]
    assert sum(words) % 2 ** (8 * width) == 3 * ROWS


@pytest.mark.parametrize(
    "predicts",
    [
        {"kind": "regression", "classes": []},
        {"kind": "count", "classes": []},
        {"kind": "multiclass", "classes": ["x", "y", "z"]},
        {"kind": "none", "classes": []},
        {"kind": "binary", "classes": []},
        {"kind": "binary", "classes": [False, True, False]},
        {"kind": "binary", "classes": [False, 1]},
        {"kind": "odds", "classes": []},
        None,
    ],
)
def test_a_target_of_another_kind_than_the_algorithm_learns_is_refused(run, predicts):
    with pytest.raises(MeshError) as caught:
        bent(run, predicts=predicts)
    assert caught.value.code in {"message", "refused"}


def test_too_many_jobs_are_refused(run):
    run.open().prepare()
    kind, body, arrays = run.assigned_as()
    (job,) = body["jobs"]
    with pytest.raises(MessageError, match="jobs"):
        run.federation.ask(kind, {"jobs": [job] * (MOST_JOBS + 1)}, arrays)
    run.federation.ask(kind, body, arrays)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("scales", np.array([1.0, 0.0])),
        ("scales", np.array([1.0, np.nan])),
        ("scales", np.ones(3)),
        ("means", np.ones(2, dtype=np.int64)),
        ("present", np.array([0, 1])),
        ("rows", np.array([-1])),
        ("rows", np.array([2**60])),
        ("classes", np.array([1, 2, 3])),
        ("edge_counts", np.array([300, 0])),
        ("edges", np.array([np.inf])),
    ],
)
def test_a_preparation_that_is_not_of_the_schema_is_refused(run, name, value):
    run.open().prepare()
    kind, body, arrays = run.assigned_as()
    assert f"0.{name}" in arrays
    with pytest.raises(MessageError):
        run.federation.ask(kind, body, {**arrays, f"0.{name}": value})


@pytest.mark.parametrize(
    "portions",
    [[0.0, 1.0], [1.0, -0.5], [1.5, 1.0], [1, 1], ["1.0", 1.0], [1.0], [], None, 1.0],
)
def test_portions_that_are_none_are_refused(run, portions):
    run.open().prepare()
    kind, body, arrays = run.assigned_as()
    job = {**body["jobs"][0], "portions": portions}
    with pytest.raises(MessageError, match="portions"):
        run.federation.ask(kind, {"jobs": [job]}, arrays)


def test_a_total_below_the_party_s_own_rows_is_refused(run):
    run.open().prepare()
    kind, body, arrays = run.assigned_as()
    few = {**arrays, "0.rows": np.array([50]), "0.present": np.array([50, 50])}
    few["0.classes"], few["0.target"] = np.array([25, 25]), np.array([0.5, 0.5])
    with pytest.raises(MessageError, match="fewer rows than this one"):
        run.federation.ask(kind, body, few)


def test_a_cohort_below_the_party_s_own_floor_is_refused(run):
    run.open()
    floor = run.opened.min_cohort
    features = features_json((*run.opened.features, *run.opened.protected))
    run.federation.ask("agree", {"features": features, "min_cohort": floor})
    for bad in (floor - 1, 0, -1, None, str(floor), float(floor), True):
        with pytest.raises(MessageError):
            run.federation.ask("agree", {"features": features, "min_cohort": bad})


def test_an_identity_that_has_changed_is_refused_until_a_person_says_so(root, tmp_path):
    fresh = make_mesh(tmp_path, small(DOMAINS))
    with Embedded([fresh / "domains" / d for d in DOMAINS], CONSUMER) as engine:
        first = Run(fresh, engine).open()
        known = {p.domain: p.identity for p in first.plan.parties}
    peers = fresh / "domains/ash/ledger/peers.json"
    assert json.loads(peers.read_text())["cedar"] == known["cedar"]
    (fresh / "domains/cedar/ledger/identity.pem").unlink()
    with Embedded([fresh / "domains" / d for d in DOMAINS], CONSUMER) as engine:
        with pytest.raises(PolicyError) as caught:
            Run(fresh, engine, "run-2").open()
        assert caught.value.reason == "identity.changed"
        assert "cedar" in caught.value.problem
        for domain in ("ash", "birch", "cedar"):
            file = fresh / f"domains/{domain}/ledger/peers.json"
            left = json.loads(file.read_text())
            left.pop("cedar", None)
            file.write_text(json.dumps(left))
        Run(fresh, engine, "run-3").open()


def test_another_s_identity_under_a_known_name_is_refused(run):
    run.open()
    stolen = {p.domain: p.identity for p in run.plan.parties}
    stolen["cedar"] = stolen["birch"]
    with pytest.raises(PolicyError) as caught:
        bent(run, identities=stolen)
    assert caught.value.reason == "identity.changed"


def peers_of(root):
    return json.loads((root / "domains/ash/ledger/peers.json").read_text())


def test_who_takes_no_part_is_not_written_down(run, root):
    """A coordinator could fill the list with names until it cannot be read."""
    run.open()
    told = {p.domain: p.identity for p in run.plan.parties}
    bent(run, identities={**told, "made_up": told["birch"]})
    assert set(peers_of(root)) <= set(DOMAINS)


def test_a_list_of_domains_that_is_full_is_refused_and_stays_readable(
    tmp_path, monkeypatch
):
    fresh = make_mesh(tmp_path, small(DOMAINS))
    monkeypatch.setattr("fl_plugin.party.identity._LARGEST", 100)
    folders = [fresh / "domains" / d for d in DOMAINS]
    known = pytest.raises(PolicyError, match="knows as many other domains")
    with Embedded(folders, CONSUMER) as engine, known as caught:
        Run(fresh, engine).open()
    assert caught.value.reason == "identity.too_many"
    assert not (fresh / "domains/ash/ledger/peers.json").exists()


def test_too_few_rows_for_so_many_features_are_refused_in_the_clear(tmp_path):
    """Else rows could be solved for: X'X of n rows has rank n."""
    rows = LEAST_ROWS - 20
    plain = {"privacy": {"secure_aggregation": False}}
    optional = {"secure_aggregation": "optional"}
    root = make_mesh(
        tmp_path / "few", small(DOMAINS, rows=rows, study=plain, node=optional)
    )
    with Embedded([root / "domains" / d for d in DOMAINS], CONSUMER) as engine:
        run = Run(root, engine).open().prepare()
        with pytest.raises(PolicyError) as caught:
            run.assign()
    assert caught.value.reason == "cohort.too_few_for_features"
    root = make_mesh(tmp_path / "masked", small(DOMAINS, rows=rows))
    with Embedded([root / "domains" / d for d in DOMAINS], CONSUMER) as engine:
        Run(root, engine).open().prepare().assign()  # three times as many are seen


def test_a_run_that_says_it_is_masked_is_not_opened_without_terms(run):
    with pytest.raises(MessageError):
        bent(run, terms=None)
    with pytest.raises(MessageError):
        bent(run, identities=None)


def test_terms_of_another_run_or_cohort_are_refused(run):
    told = {
        "version": "data-mesh secure aggregation v1",
        "modulus_bits": 64,
        "run": run.federation.run,
        "parties": list(DOMAINS),
        "mode": "stop",
        "threshold": 3,
    }
    bent(run, terms=told)
    changes = (
        {"run": "run-0"},
        {"parties": ["ash", "birch", "dogwood"]},
        {"parties": ["ash", "birch", "cedar", "dogwood"], "threshold": 4},
        {"modulus_bits": 32},
        {"threshold": 1},
        {"mode": "trust"},
        {"mode": "recover", "threshold": 1},
    )
    for change in changes:
        again = replace(run.federation)
        run.federation = again
        with pytest.raises(MessageError):
            bent(run, terms={**told, **change})
