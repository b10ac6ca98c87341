"""Domains that fall silent, at every kind of message: the others go on, or say why not.

Five domains under `on_dropout: recover` bear the loss of one: four must be left.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from fl_plugin import Mesh
from fl_plugin.coordinator.federation import Federation
from fl_plugin.coordinator.losses import Loss
from fl_plugin.coordinator.run import Trained
from fl_plugin.engines.embedded import Embedded
from fl_plugin.errors import MeshError, UnreachableError
from fl_plugin.preparation.splits import Split, row_hashes
from tests.faulty import Losing, kind_of
from tests.made_mesh import STUDY, Made, make_mesh
from tests.small_mesh import FIVE, SEED, small, some_rows, trained_over

pytestmark = pytest.mark.slow

LOST = "cedar"
STAGES = ("keys", "share", "accept", "count", "prepare", "assign", "step")
LATE = ("unmask", "evaluate", "compare")
EARLY = ("decide", "open", "agree")


TABLES = {name: some_rows(place) for place, name in enumerate(FIVE)}


def made(domains: Sequence[str] = FIVE, mode: str = "recover") -> Made:
    words = {"folds": 2, "repeats": 1}
    return small(domains, study={"evaluation": words, "privacy": {"on_dropout": mode}})


@pytest.fixture(scope="module")
def recovering(tmp_path_factory):
    return make_mesh(tmp_path_factory.mktemp("recovering"), made())


@pytest.fixture(scope="module")
def stopping(tmp_path_factory):
    return make_mesh(tmp_path_factory.mktemp("stopping"), made(mode="stop"))


@pytest.fixture(scope="module")
def survivors(tmp_path_factory) -> Trained:
    """What the four others find by themselves."""
    others = [d for d in FIVE if d != LOST]
    root = make_mesh(tmp_path_factory.mktemp("survivors"), made(others))
    trained, _ = run(root, {})
    return trained


def run(root, loses, **how) -> tuple[Trained, Federation]:
    """Train over an engine that loses parties."""
    return trained_over(root, lambda engine: Losing(engine, loses, **how))


def model_of(trained: Trained) -> Mapping[str, np.ndarray]:
    return trained.fits[0].fitted.model


@pytest.mark.parametrize("works", [False, True], ids=["unheard", "unanswered"])
@pytest.mark.parametrize("kind", STAGES + LATE)
def test_one_lost_domain_is_borne_at_every_kind_of_message(kind, works, recovering):
    trained, federation = run(recovering, {kind: [LOST]}, works=works)
    assert set(federation.lost) == {LOST}
    told = [e.round for e in federation.traffic if e.kind == kind]
    assert federation.lost[LOST] == Loss(
        round=told[0], why="did not answer", silent=True
    )
    assert all(np.isfinite(a).all() for a in model_of(trained).values())
    certificate = trained.fits[0].fitted.certificate
    assert certificate is not None
    assert certificate.distance_bound < 1e-9


@pytest.mark.parametrize("kind", ["keys", "share", "accept", "count", "prepare"])
def test_lost_before_anything_was_prepared_the_others_find_what_they_find_alone(
    kind, recovering, survivors
):
    trained, _ = run(recovering, {kind: [LOST]})
    mine, theirs = model_of(trained), model_of(survivors)
    for name in ("coefficients", "intercept"):
        np.testing.assert_allclose(mine[name], theirs[name], rtol=0, atol=1e-9)
    assert trained.fits[0].prepared.rows == survivors.fits[0].prepared.rows
    for name in ("roc_auc", "accuracy"):
        mine_, theirs_ = (t.judgement.holdout.value(name) for t in (trained, survivors))
        assert mine_ == pytest.approx(theirs_, abs=1e-9)


@pytest.mark.parametrize("after", [0, 1, 3])
def test_lost_in_the_fit_the_model_is_the_optimum_of_the_others_rows(after, recovering):
    """The scaling was learned with the lost domain; the coefficients without it."""
    trained, _ = run(recovering, {"step": [LOST]}, after=after)
    fit = trained.fits[0]
    x, y = training_rows([d for d in FIVE if d != LOST], fit)
    point = np.append(fit.fitted.model["coefficients"], fit.fitted.model["intercept"])
    assert gradient(point, x, y) < 1e-7
    everybody = training_rows(FIVE, fit)
    assert gradient(point, *everybody) > 1e-2


def training_rows(domains, fit):
    split = Split(name="holdout", part="train", share=0.2)
    designs, targets = [], []
    prepared = fit.prepared
    for domain in domains:
        table = TABLES[domain]
        keys = (b"\x01" + str(k).encode() for k in table["row_id"].to_pylist())
        chosen = split.select(row_hashes(keys), SEED)
        numbers = np.array([table[n].to_numpy() for n in ("a", "b")])
        scaled = (numbers - prepared.centers[:, None]) / prepared.scales[:, None]
        colors = np.array(table["color"].to_pylist())
        onehot = np.array([colors == c for c in ("blue", "red")], dtype=float)
        ones = np.ones(len(table))
        designs.append(np.vstack([scaled, onehot, ones])[:, chosen])
        targets.append(np.array(table["bad"].to_pylist())[chosen])
    return np.concatenate(designs, axis=1), np.concatenate(targets).astype(float)


def gradient(point, x, y):
    """Return the largest entry of the gradient of the penalised logistic loss."""
    chance = 1 / (1 + np.exp(-(point @ x)))
    penalty = np.append(point[:-1], 0.0)
    return np.abs(x @ (chance - y) + penalty).max()


@pytest.mark.parametrize("kind", [*STAGES, "unmask", "evaluate"])
def test_two_lost_domains_of_five_end_the_run_by_name_and_round(kind, recovering):
    lost = [LOST, "fir"]
    with pytest.raises(MeshError) as caught:
        run(recovering, {kind: lost})
    assert_clear(caught.value)
    assert all(name in caught.value.problem for name in lost)


def test_two_lost_after_the_last_sum_are_borne(recovering):
    _, federation = run(recovering, {"compare": [LOST, "fir"]})
    assert set(federation.lost) == {LOST, "fir"}


@pytest.mark.parametrize("second", ["endorse", "unmask", "share"])
def test_a_second_domain_lost_while_the_first_is_recovered_ends_the_run(
    second, recovering
):
    loses = (
        {"step": [LOST], second: ["fir"]}
        if second != "share"
        else {
            "keys": [LOST],
            "share": ["fir"],
        }
    )
    with pytest.raises(MeshError) as caught:
        run(recovering, loses)
    assert_clear(caught.value)
    assert "fir" in caught.value.problem
    assert LOST in caught.value.problem


@pytest.mark.parametrize("kind", EARLY)
def test_a_domain_lost_before_the_terms_stand_ends_the_run_by_name(kind, recovering):
    with pytest.raises(MeshError) as caught:
        run(recovering, {kind: [LOST]})
    assert_clear(caught.value)
    assert LOST in caught.value.problem


@pytest.mark.parametrize("kind", ["keys", "share", *STAGES[3:], "evaluate", "compare"])
def test_where_a_loss_stops_the_run_it_says_who_and_in_which_round(kind, stopping):
    with pytest.raises(UnreachableError) as caught:
        run(stopping, {kind: [LOST]})
    assert_clear(caught.value)
    assert LOST in caught.value.problem
    assert "round" in caught.value.problem


def assert_clear(error: MeshError) -> None:
    assert "Traceback" not in str(error)
    assert error.remedy
    assert "failed inside" not in error.problem


def test_a_domain_lost_at_the_close_changes_nothing(recovering):
    trained, _ = run(recovering, {"close": [LOST]})
    whole, _ = run(recovering, {})
    for name, array in model_of(whole).items():
        np.testing.assert_array_equal(model_of(trained)[name], array)


def test_two_of_seven_can_be_lost_one_after_the_other(tmp_path):
    root = make_mesh(tmp_path, made([*FIVE, "hazel", "larch"]))
    trained, federation = run(root, {"prepare": ["cedar"], "step": ["larch"]})
    assert set(federation.lost) == {"cedar", "larch"}
    assert federation.lost["cedar"].round < federation.lost["larch"].round
    certificate = trained.fits[0].fitted.certificate
    assert certificate is not None
    assert certificate.distance_bound < 1e-9


def test_who_was_lost_stands_in_the_record_and_in_the_report(recovering, monkeypatch):
    plain = Embedded.exchange
    silent: set[str] = set()

    def exchange(self, asks, seconds):
        if kind_of(asks) == "step":
            silent.add(LOST)
        return plain(self, {p: a for p, a in asks.items() if p not in silent}, seconds)

    monkeypatch.setattr(Embedded, "exchange", exchange)
    done = Mesh.open(recovering).train(STUDY)
    assert done.record.privacy.dropout.startswith("recover")
    (note,) = [n for n in done.record.notes if LOST in n]
    assert "round" in note
    assert LOST in done.record.privacy.dropout
    assert note in done.report.read_text().replace("&#x27;", "'")
