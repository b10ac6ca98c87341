"""The words of a study: what a consumer wants to learn, from what, and how."""

from math import prod
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from fl_plugin.manifest.contract import ContractBlock
from fl_plugin.manifest.study_match import MatchPlan
from fl_plugin.manifest.study_rounds import USUAL, RoundsPlan
from fl_plugin.manifest.words import ColumnName, Name, Positive, Units

MOST_CANDIDATES = 64
# As a party answers: see preparation/splits.py. More would cut out single rows.
MOST_HELD_OUT = 0.5
MOST_FOLDS = 20
MOST_REPEATS = 20
Value = float | int | bool | Name | Units
_ONLY_HORIZONTAL = {"fairness", "folds", "importances", "repeats", "stratified"}
_ONLY_LOOKUPS = {"group", "holdout_by"}  # and horizontal studies
Candidates = Annotated[tuple[Value, ...], Field(min_length=1, max_length=64)]


class AlgorithmChoice(ContractBlock):
    """An algorithm by name, and its parameters: `{name: ..., l2: 1.0}`."""

    name: Name
    parameters: dict[Name, Value] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _gather_parameters(cls, block: Any) -> Any:
        if not isinstance(block, dict) or "parameters" in block:
            return block
        rest = {word: value for word, value in block.items() if word != "name"}
        return {"name": block.get("name"), "parameters": rest}


class StudyPrivacy(ContractBlock):
    """What a study does so that no domain's part can be told from the sum.

    Args:
        secure_aggregation: Whether sums are masked between the domains.
        on_dropout: What a domain that falls silent does to the run: it stops it, or
            the others go on without it (masks are then recovered from shares).
        epsilon: Of differential privacy, for the whole run; None for exact sums.
        delta: The chance that epsilon does not hold; None for the contracts' own.
        evaluation: Share of the budget (of mu squared) that the figures of the held-out
            rows cost; 0 for exact figures, where every domain allows these.
    """

    secure_aggregation: bool = True
    on_dropout: Literal["stop", "recover"] = "stop"
    epsilon: Positive | None = None
    delta: Annotated[float, Field(gt=0, lt=1)] | None = None
    evaluation: Annotated[float, Field(ge=0, lt=1)] = 0.1

    @model_validator(mode="after")
    def _delta_with_epsilon(self) -> Self:
        if self.delta is not None and self.epsilon is None:
            raise ValueError("a delta without an epsilon protects nothing: name both")
        return self


class EvaluationPlan(ContractBlock):
    """How a model is judged.

    Args:
        holdout: Share of rows never trained on.
        holdout_by: Which rows: those that a keyed hash draws; the latest ones by the
            products' `event_time`; or of each value of `group` its last ones.
        folds: Of the cross-validation; 0 for none.
        repeats: Of the whole cross-validation.
        stratified: Whether every fold has its share of each class.
        group: A column whose equal values stay in one fold; in a vertical study with
            `match.keys`, whose rows are ranked against each other.
        threshold: Score above which a row counts as positive.
        bins: Of the score histogram that the AUC is computed from.
        fairness: Columns with the role `protected`, by whose values the figures are
            told apart.
        importances: How many times each feature is permuted among the rows held out,
            to see how much worse the main figure gets; 0 for not at all.
    """

    holdout: Annotated[float, Field(gt=0, le=MOST_HELD_OUT)] = 0.2
    holdout_by: Literal["hash", "time", "last"] = "hash"
    folds: Annotated[int, Field(ge=0, le=MOST_FOLDS)] = 5
    repeats: Annotated[int, Field(ge=1, le=MOST_REPEATS)] = 5
    stratified: bool = False
    group: ColumnName | None = None
    threshold: Annotated[float, Field(gt=0, lt=1)] = 0.5
    bins: Annotated[int, Field(ge=16, le=1_048_576)] = 1024
    fairness: Annotated[tuple[ColumnName, ...], Field(max_length=16)] = ()
    importances: Annotated[int, Field(ge=0, le=20)] = 0

    @model_validator(mode="after")
    def _no_single_fold(self) -> Self:
        if self.folds == 1:
            raise ValueError("folds must be 0, for none, or at least 2")
        return self

    @model_validator(mode="after")
    def _last_of_a_group(self) -> Self:
        if self.holdout_by == "last" and self.group is None:
            raise ValueError(
                "holdout_by: last needs the group whose last rows they are"
            )
        return self


class SearchPlan(ContractBlock):
    """Which parameters are tried, each by the same cross-validation.

    Args:
        parameters: Parameter to the values that are tried; all combinations are.
        method: Every candidate on all rows, or successive halving: all on a share of
            the rows, the better ones on ever more (Jamieson & Talwalkar 2016).
        factor: Of successive halving: one in so many goes on.
        metric: The figure that decides; None for the target's main one.
    """

    parameters: Annotated[dict[Name, Candidates], Field(min_length=1, max_length=8)]
    method: Literal["grid", "halving"] = "grid"
    factor: Annotated[int, Field(ge=2, le=10)] = 3
    metric: Name | None = None

    @model_validator(mode="after")
    def _not_too_many(self) -> Self:
        if prod(map(len, self.parameters.values())) > MOST_CANDIDATES:
            raise ValueError(f"a search has at most {MOST_CANDIDATES} candidates")
        return self


class PreparationPlan(ContractBlock):
    """How columns become numbers, fitted over all domains' training rows.

    Where a word is None its default depends on what the algorithm learns from: a
    matrix of numbers, or bins.

    Args:
        numeric: How numbers are scaled: by mean and standard deviation, by median and
            quartiles, or not at all. Matrix: standard; bins: none.
        impute: What replaces a missing number. Matrix: mean; bins: none, since trees
            have a way for missing values.
        fill_value: What replaces it where `impute` is constant.
        indicators: Whether a column says of each imputed feature that it was missing.
        categorical: One column per category, or one of codes. Matrix: onehot; bins:
            ordinal.
        min_count: Categories with fewer training rows, in all domains together, become
            one infrequent category; None keeps all.
        max_bins: How many bins hold a numeric feature's values.
        edges: Whether medians, quartiles and bin edges may be exact, which makes some
            of them a value of one row, or lie between groups of rows.
        monotonic: Of a numeric feature, whether the prediction may only rise (1) or
            only fall (-1) with it.
    """

    numeric: Literal["standard", "robust", "none"] | None = None
    impute: Literal["mean", "median", "constant", "none"] | None = None
    fill_value: float = 0.0
    indicators: bool = False
    categorical: Literal["onehot", "ordinal"] | None = None
    min_count: Annotated[int, Field(ge=2, le=1_000_000_000)] | None = None
    max_bins: Annotated[int, Field(ge=2, le=255)] = 255
    edges: Literal["k_anonymous", "exact"] = "k_anonymous"
    monotonic: dict[ColumnName, Literal[-1, 0, 1]] = Field(default_factory=dict)


class SamplingPlan(ContractBlock):
    """Which training rows are learned from where classes are of very unequal size.

    Args:
        undersample: At most so many rows of any class for each row of the rarest one;
            which rows stay is drawn by the keyed hash. Test rows are never left out.
    """

    undersample: Annotated[float, Field(ge=1, le=1_000_000)]


class StudyContract(ContractBlock):
    """A study's `mesh` block: what a consumer wants to learn, and for what."""

    consumer: Name
    purpose: Name
    mode: Literal["horizontal", "vertical"]
    algorithm: AlgorithmChoice
    target: ColumnName | None = None
    features: Annotated[tuple[ColumnName, ...], Field(min_length=1, max_length=10_000)]
    privacy: StudyPrivacy = StudyPrivacy()
    evaluation: EvaluationPlan = EvaluationPlan()
    preparation: PreparationPlan = PreparationPlan()
    sampling: SamplingPlan | None = None
    search: SearchPlan | None = None
    match: MatchPlan | None = None
    rounds: RoundsPlan = USUAL
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0

    @model_validator(mode="after")
    def _features_once_without_target(self) -> Self:
        if self.target in self.features:
            raise ValueError("the target must not be one of the features")
        if len(set(self.features)) != len(self.features):
            raise ValueError("features must not name a column twice")
        return self

    @model_validator(mode="after")
    def _vertical_matches_rows(self) -> Self:
        if (self.mode == "vertical") != (self.match is not None):
            raise ValueError("`match` belongs to mode: vertical, and it needs one")
        if self.match is None:
            if self.evaluation.holdout_by == "last":
                raise ValueError("holdout_by: last belongs to `match.keys`")
            return self
        if self.target is None:
            raise ValueError("a vertical study needs a target")
        if {*self.match.columns} & {*self.features, self.target}:
            raise ValueError("the key is neither a feature nor the target")
        self._check_judged(self.match)
        return self

    def _check_judged(self, match: MatchPlan) -> None:
        judged, told = self.evaluation, self.evaluation.model_fields_set
        alien = told & (_ONLY_HORIZONTAL | (set() if match.keys else _ONLY_LOOKUPS))
        if alien or self.search or self.sampling or self.privacy.epsilon is not None:
            raise ValueError(
                "a vertical study is judged by its held-out rows: it has no folds, "
                "fairness, importances, search, sampling or epsilon; `group` and "
                "`holdout_by` only with `match.keys`"
            )
        if self.privacy.on_dropout == "recover":
            raise ValueError(
                "a vertical study stops where a domain falls silent, whose columns "
                "nobody else has: it has no on_dropout: recover"
            )
        if match.keys and judged.holdout_by == "time":
            raise ValueError("with `match.keys`, rows are held out by hash, or `last`")
        if judged.group is not None and judged.group not in match.columns:
            raise ValueError("with `match.keys`, the group is one of the keys")

    @model_validator(mode="after")
    def _roles_apart(self) -> Self:
        # A column is asked for in one role; domains decide on that one.
        learned = {self.target, *self.features}
        judged = {"fairness": self.evaluation.fairness, "group": ()}
        if self.evaluation.group is not None:
            judged["group"] = (self.evaluation.group,)
        for word, names in judged.items():
            both = next((name for name in names if name in learned), None)
            if both is not None:
                raise ValueError(
                    f"evaluation.{word} names {both}, which the model learns from: it "
                    "is one or the other"
                )
        return self

    @model_validator(mode="after")
    def _quorum_bears_losses(self) -> Self:
        bears = self.privacy.on_dropout == "recover" and self.privacy.secure_aggregation
        if self.rounds.quorum is not None and not bears:
            raise ValueError(
                "rounds.quorum belongs to privacy.on_dropout: recover: any other run "
                "needs all of its domains"
            )
        return self

    @model_validator(mode="after")
    def _search_judges_by_folds(self) -> Self:
        if self.search is not None and self.evaluation.folds == 0:
            raise ValueError("a search needs evaluation.folds of 2 or more")
        return self
