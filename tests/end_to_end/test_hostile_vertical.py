"""What a domain refuses of a vertical run that was opened in order and then bent.

The coordinator may ask anything at any time. Each test asks once more, or too early, or
for what the run was not opened for, and reads the refusal.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fl_plugin.coordinator.carrying import carry
from fl_plugin.coordinator.closing import close
from fl_plugin.coordinator.decisions import with_decisions
from fl_plugin.coordinator.federation import Federation
from fl_plugin.coordinator.matching import match_rows
from fl_plugin.coordinator.vertical_opening import open_matched, task_json
from fl_plugin.engines.embedded import Embedded
from fl_plugin.errors import MessageError, PolicyError, RegistryError, TrainingError
from fl_plugin.manifest.reader import read_manifest
from fl_plugin.plan.draft import draft
from fl_plugin.privacy.terms import Terms
from fl_plugin.vertical.base import VerticalTask
from fl_plugin.vertical.installed import find_vertical
from tests.made_mesh import CONSUMER, STUDY
from tests.vertical_mesh import BANK, SHOP, TELCO, vertical_mesh

pytestmark = pytest.mark.slow
DOMAINS = (BANK, SHOP, TELCO)
FLOOR = 25
LATE = "before the step it depends on"
FIGURES = {"bins": 64, "threshold": 0.5}


@dataclass
class Run:
    """A run whose rows are matched, as a coordinator of ours brings it there."""

    root: Path
    engine: Embedded
    name: str
    uses: tuple[str, ...] | None = None

    def __post_init__(self):
        manifest = read_manifest(self.root / "target/manifest.json")
        self.federation = Federation(self.name, self.engine)
        planned = draft(manifest.studies[STUDY], manifest, "tester", self.uses)
        self.plan = with_decisions(planned, self.federation)
        open_matched(self.plan, self.federation)
        match_rows(self.plan, self.federation, FLOOR)
        self.algorithm = find_vertical(self.plan.algorithm).of(self.plan.parameters)

    def ask(self, kind: str, **body: Any) -> Any:
        return self.federation.ask(kind, body).bodies

    def arrange(self, share: float = 0.2) -> None:
        told = self.ask("arrange", holdout=share)
        self.widths = {p: body["width"] for p, body in told.items()}
        self.rows = told[BANK]["train"], told[BANK]["test"]
        self.ask("arrange", **self.task_json)

    @property
    def task_json(self) -> dict[str, Any]:
        return task_json(self.plan, self.widths)

    def task(self, rows: int) -> VerticalTask:
        return VerticalTask(
            target=self.plan.predicts,
            widths=self.widths,
            label_party=BANK,
            rows=rows,
            labels=self.plan.labels,
            seed=self.plan.seed,
        )

    def fit(self) -> "Run":
        self.arrange()
        rounds = self.algorithm.rounds(self.task(self.rows[0]))
        self.fitted = carry("turn", rounds, self.federation)
        self.parts = {p: b["part"] for p, b in self.ask("keep").items()}
        return self

    def scored(self) -> "Run":
        self.ask("score", **self.task_json)
        rounds = self.algorithm.scoring(self.task(self.rows[1]), self.fitted.part)
        carry("turn", rounds, self.federation)
        return self

    def assess(self, **words: Any) -> Any:
        return self.federation.ask_each("assess", {BANK: {**FIGURES, **words}})[BANK]

    def recall(self, digests: dict[str, str], of: str) -> Any:
        bodies = {p: {"of": of, "part": digests[p]} for p in DOMAINS}
        return self.federation.ask("score", bodies, each=True).bodies


@pytest.fixture(scope="module")
def mesh(tmp_path_factory):
    algorithm = {"name": "vertical_boosting", "mode": "bins", "max_iter": 1}
    folder = tmp_path_factory.mktemp("mesh") / "mesh"
    root = vertical_mesh(folder, algorithm=algorithm).root
    with Embedded([root / "domains" / d for d in DOMAINS], CONSUMER) as engine:
        yield root, engine


@pytest.fixture
def begin(mesh):
    opened: list[Run] = []

    def begun(name: str, uses: tuple[str, ...] | None = None) -> Run:
        opened.append(Run(mesh[0], mesh[1], name, uses))
        return opened[-1]

    yield begun
    for run in opened:
        close(run.federation)


@pytest.fixture(scope="module")
def waiting(mesh):
    """A run whose columns are prepared, and whose fit may begin."""
    run = Run(mesh[0], mesh[1], "waiting")
    told = run.ask("arrange", holdout=0.2)
    run.widths = {p: body["width"] for p, body in told.items()}
    yield run
    close(run.federation)


def test_a_run_as_ours_goes_to_its_end(begin):
    run = begin("good").fit().scored()
    assert run.assess().body["holdout"]


def test_rows_are_held_out_by_one_share_in_a_run(begin):
    """Counts at two shares tell whether a customer whose draw lies between is there."""
    run = begin("shares")
    run.ask("arrange", holdout=0.2)
    with pytest.raises(MessageError, match=LATE):
        run.ask("arrange", holdout=0.2001)


def test_nor_is_another_share_tried_after_one_that_holds_too_few_out(begin):
    run = begin("too-few")
    with pytest.raises(TrainingError, match="Too few rows"):
        run.ask("arrange", holdout=0.001)
    with pytest.raises(MessageError, match=LATE):
        run.ask("arrange", holdout=0.2)


def test_rows_are_not_chosen_anew_once_a_fit_is_over(begin):
    """Rows that were trained on would be judged on, or the other way round."""
    run = begin("anew").fit()
    with pytest.raises(MessageError, match=LATE):
        run.ask("arrange", holdout=0.4)
    with pytest.raises(MessageError, match=LATE):
        run.ask("arrange", **run.task_json)


@pytest.mark.parametrize("bad", [None, [], {}, 1, "nobody"])
def test_words_that_are_none_are_refused_in_words(waiting, bad):
    for word in ("label_party", "labels", "widths", "predicts"):
        with pytest.raises(MessageError, match="malformed"):
            waiting.ask("arrange", **{**waiting.task_json, word: bad})
    classes = {"kind": "binary", "classes": [bad, bad]}
    with pytest.raises(MessageError, match="malformed"):
        waiting.ask("arrange", **{**waiting.task_json, "predicts": classes})


def test_a_mode_of_a_cohort_that_is_none_is_refused_in_words():
    told = {**Terms.stopping("r", ["a", "b", "c"]).message, "mode": {}}
    with pytest.raises(MessageError, match="mode is not allowed"):
        Terms.read(told)


def test_figures_are_told_once_whatever_the_threshold(begin):
    """Counts above two thresholds that hardly differ would tell single labels."""
    run = begin("figures").fit().scored()
    run.assess()
    for words in ({}, {"threshold": 0.5001}, {"bins": 65}):
        with pytest.raises(MessageError, match=LATE):
            run.assess(**words)


def test_rows_are_scored_once_in_a_run(begin):
    run = begin("twice").fit().scored()
    with pytest.raises(MessageError, match=LATE):
        run.ask("score", **run.task_json)
    rounds = run.algorithm.scoring(run.task(run.rows[1]), run.fitted.part)
    with pytest.raises(MessageError):
        carry("turn", rounds, run.federation)


def test_a_part_is_kept_once_and_never_over_that_of_another_run(begin):
    first = begin("kept").fit()
    with pytest.raises(MessageError, match=LATE):
        first.ask("keep")
    close(first.federation, keep=True)
    digests = kept(first.root, "kept")
    with pytest.raises(RegistryError, match="has a part of a run of this name"):
        begin("kept")
    assert kept(first.root, "kept") == digests


def test_a_salt_that_a_domain_has_is_not_left_out(mesh, begin, monkeypatch):
    """Without one, whoever knows a key knows about where that customer's row stands."""
    salt = mesh[0] / "domains" / SHOP / "matching.salt"
    salt.touch(mode=0o600)
    salt.write_bytes(b"s" * 32)
    try:
        with pytest.raises(MessageError, match="shop has a salt, and the coordinator"):
            match_unsalted(begin, monkeypatch)
    finally:
        salt.unlink()


def match_unsalted(begin, monkeypatch):
    """Begin a run whose coordinator says that no domain has a salt."""
    with monkeypatch.context() as patched:
        patched.setattr("fl_plugin.coordinator.matching._salted", lambda _: False)
        begin("unsalted")


def kept(root, run):
    """Return the bytes of every domain's part of a run."""
    folders = [root / "domains" / d / "models" / STUDY for d in DOMAINS]
    return [(folder / f"{run}.part").read_bytes() for folder in folders]


def test_a_run_that_trains_scores_no_rows_by_an_older_model(begin):
    """It was opened for figures of rows held out, not for predictions of all rows."""
    first = begin("older").fit()
    close(first.federation, keep=True)
    run = begin("newer", ("train_vertical", "evaluate", "release_bins"))
    with pytest.raises(PolicyError, match="that the use predict opens") as refused:
        run.recall(first.parts, "older")
    assert refused.value.reason == "use.not_requested"


def test_a_run_that_may_do_both_does_either(begin):
    """No fit over rows that were chosen to be scored, no figures of trained rows."""
    first = begin("first").fit()
    close(first.federation, keep=True)
    uses = ("train_vertical", "evaluate", "predict", "release_bins")
    run = begin("both", uses)
    run.recall(first.parts, "first")
    for share in (0.2, 0.4):
        with pytest.raises(MessageError, match=LATE):
            run.ask("arrange", holdout=share)
    with pytest.raises(MessageError, match=LATE):
        run.ask("arrange", widths={})
    with pytest.raises(MessageError, match=LATE):
        run.recall(first.parts, "first")


def test_a_model_that_is_recalled_is_not_judged_on_the_rows_it_learned(begin):
    first = begin("learned").fit()
    close(first.federation, keep=True)
    run = begin("judged", ("train_vertical", "evaluate", "predict", "release_bins"))
    told = run.recall(first.parts, "learned")
    run.widths = {p: body["width"] for p, body in told.items()}
    run.rows, run.fitted = (0, told[BANK]["rows"]), first.fitted
    run.scored()
    with pytest.raises(MessageError, match=LATE):
        run.assess()


def test_predictions_of_held_out_rows_are_not_delivered(begin):
    uses = ("train_vertical", "evaluate", "predict", "release_bins")
    run = begin("deliver", uses).fit().scored()
    with pytest.raises(MessageError, match=LATE):
        run.federation.ask_each("deliver", {BANK: {"threshold": 0.5}})
