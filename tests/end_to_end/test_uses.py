"""A party does no work that its run was not decided on for, whoever asks.

A request names its uses, and contract and grant are held against those. So a message
may not ask for what another use opens: a grant to judge models would train them.
"""

from dataclasses import replace

import pytest

from fl_plugin.coordinator.decisions import with_decisions
from fl_plugin.coordinator.federation import Federation
from fl_plugin.coordinator.fitting import prepare
from fl_plugin.coordinator.opening import open_parties
from fl_plugin.coordinator.splitting import holdout_of
from fl_plugin.coordinator.vertical_opening import open_matched
from fl_plugin.engines.embedded import Embedded
from fl_plugin.errors import MessageError, PolicyError
from fl_plugin.manifest.reader import read_manifest
from fl_plugin.party.work import KINDS
from fl_plugin.plan.draft import draft
from tests.made_mesh import CONSUMER, STUDY, make_mesh
from tests.opened import Planned
from tests.small_mesh import small
from tests.vertical_mesh import BANK, SHOP, TELCO, USES, vertical_mesh

pytestmark = pytest.mark.slow
DOMAINS = ("ash", "birch", "cedar")
MATCHED = (BANK, SHOP, TELCO)
SUMS = sorted(name for name, kind in KINDS.items() if not kind.matched)
OF_ROWS = sorted(name for name, kind in KINDS.items() if kind.matched)


@pytest.fixture(scope="module")
def sums(tmp_path_factory):
    root = make_mesh(tmp_path_factory.mktemp("mesh"), small(DOMAINS))
    with Embedded([root / "domains" / d for d in DOMAINS], CONSUMER) as engine:
        yield root, engine


@pytest.fixture(scope="module")
def joined(tmp_path_factory):
    algorithm = {"name": "vertical_boosting", "mode": "bins", "max_iter": 1}
    root = vertical_mesh(
        tmp_path_factory.mktemp("mesh"), algorithm=algorithm, uses=(*USES, *SUMMED)
    ).root
    with Embedded([root / "domains" / d for d in MATCHED], CONSUMER) as engine:
        yield root, engine


SUMMED = ("train_horizontal", "aggregate")


def vertical_plan(root, uses=None):
    manifest = read_manifest(root / "target/manifest.json")
    return draft(manifest.studies[STUDY], manifest, "tester", uses)


def bent(plan, **words):
    """Return a plan whose requests say something else."""
    parties = (replace(p, request=replace(p.request, **words)) for p in plan.parties)
    return replace(plan, parties=tuple(parties))


def refusal(plan, engine):
    """Return why the domains refuse to open a plan."""
    with pytest.raises(PolicyError) as refused:
        open_matched(plan, Federation("run-1", engine))
    return refused.value.reason


def test_every_kind_of_work_is_opened_by_uses_of_its_own_mode():
    other = {"train_horizontal": True, "train_vertical": False, "predict": False}
    for kind in KINDS.values():
        assert kind.opened_by
        assert not [use for use in kind.opened_by if other.get(use) is kind.matched]


def test_a_grant_to_judge_does_not_train(sums):
    run = Planned(sums[0], sums[1], name="judging", uses=("evaluate",))
    opened = open_parties(run.plan, run.federation)
    split = holdout_of(run.plan, opened.min_cohort, run.federation)
    schema = opened.schema(run.plan)
    with pytest.raises(PolicyError, match="train_horizontal opens") as refused:
        prepare([split], schema, run.plan.preparation, run.federation)
    assert refused.value.reason == "use.not_requested"
    with pytest.raises(PolicyError) as refused:
        run.federation.ask("step", {"jobs": [0]})
    assert refused.value.reason == "use.not_requested"


@pytest.mark.parametrize("kind", ["evaluate", "compare", "judge"])
def test_a_grant_to_train_does_not_judge(sums, kind):
    run = Planned(sums[0], sums[1], name=f"training-{kind}", uses=("train_horizontal",))
    open_parties(run.plan, run.federation)
    with pytest.raises(PolicyError, match="evaluate opens") as refused:
        run.federation.ask(kind, {"jobs": [0]})
    assert refused.value.reason == "use.not_requested"


@pytest.mark.parametrize("kind", OF_ROWS)
def test_a_run_of_sums_does_no_work_on_matched_rows(sums, kind):
    run = Planned(sums[0], sums[1], name=f"sums-{kind}")
    open_parties(run.plan, run.federation)
    with pytest.raises(MessageError):
        run.federation.ask(kind, {})


@pytest.mark.parametrize("kind", [*SUMS, "agree", "keys", "unmask"])
def test_a_run_of_matched_rows_gives_no_sums_which_no_mask_would_hide(joined, kind):
    root, engine = joined
    federation = Federation(f"matched-{kind}", engine)
    open_matched(with_decisions(vertical_plan(root), federation), federation)
    with pytest.raises(MessageError):
        federation.ask(kind, {"min_cohort": 10, "features": [], "splits": [{}]})


def test_a_grant_to_score_does_not_train(joined):
    root, engine = joined
    federation = Federation("scoring", engine)
    plan = with_decisions(vertical_plan(root, ("predict",)), federation)
    open_matched(plan, federation)
    for kind in ("arrange", "keep", "assess"):
        with pytest.raises(PolicyError) as refused:
            federation.ask(kind, {"holdout": 0.3})
        assert refused.value.reason == "use.not_requested"


def test_what_tells_others_more_is_opened_by_a_use_of_its_own(joined):
    root, engine = joined
    plan = vertical_plan(root)
    assert refusal(bent(plan, match="keyed_hash"), engine) == "use.not_allowed"
    few = ("train_vertical", "evaluate")
    assert refusal(bent(plan, uses=few), engine) == "use.not_allowed"  # bins
    open_matched(plan, Federation("run-2", engine))


def test_a_plan_that_leaves_out_what_bare_gradients_need_opens_nothing(tmp_path):
    algorithm = {"name": "split_network", "defence": "none"}
    uses = (*USES, "release_gradients")
    root = vertical_mesh(tmp_path / "mesh", algorithm=algorithm, uses=uses).root
    with Embedded([root / "domains" / d for d in MATCHED], CONSUMER) as engine:
        federation = Federation("run-2", engine)
        plan = with_decisions(vertical_plan(root), federation)
        few = bent(plan, uses=("train_vertical", "evaluate"))
        assert refusal(few, engine) == "use.not_allowed"
        open_matched(plan, federation)


@pytest.mark.parametrize("use", SUMMED)
def test_a_request_is_for_one_mode(joined, use):
    root, engine = joined
    plan = vertical_plan(root)
    both = (*plan.parties[0].request.uses, use)
    assert refusal(bent(plan, uses=both), engine) == "use.mode"
    assert refusal(bent(plan, uses=both, match=""), engine) == "use.mode"
