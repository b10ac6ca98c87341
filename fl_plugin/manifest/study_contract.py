"""The words of a study: what a consumer wants to learn, from what, and how."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from fl_plugin.manifest.contract import ContractBlock
from fl_plugin.manifest.words import ColumnName, Name, Positive


class AlgorithmChoice(ContractBlock):
    """An algorithm by name, and its parameters: `{name: ..., l2: 1.0}`."""

    name: Name
    parameters: dict[Name, float | int | bool] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _gather_parameters(cls, block: Any) -> Any:
        if not isinstance(block, dict) or "parameters" in block:
            return block
        rest = {word: value for word, value in block.items() if word != "name"}
        return {"name": block.get("name"), "parameters": rest}


class StudyPrivacy(ContractBlock):
    """What a study does so that no domain's part can be told from the sum."""

    secure_aggregation: bool = True
    epsilon: Positive | None = None


class EvaluationPlan(ContractBlock):
    """How a model is judged.

    Args:
        holdout: Share of rows never trained on.
        folds: Of the cross-validation.
        repeats: Of the whole cross-validation.
        threshold: Score above which a row counts as positive.
        bins: Of the score histogram that the AUC is computed from.
    """

    holdout: Annotated[float, Field(gt=0, lt=1)] = 0.2
    folds: Annotated[int, Field(ge=2, le=100)] = 5
    repeats: Annotated[int, Field(ge=1, le=100)] = 5
    threshold: Annotated[float, Field(gt=0, lt=1)] = 0.5
    bins: Annotated[int, Field(ge=16, le=1_048_576)] = 1024


class PreparationPlan(ContractBlock):
    """How columns become numbers, fitted over all domains' training rows."""

    numeric: Literal["standard"] = "standard"
    impute: Literal["mean"] = "mean"


class StudyContract(ContractBlock):
    """A study's `mesh` block: what a consumer wants to learn, and for what."""

    consumer: Name
    purpose: Name
    mode: Literal["horizontal", "vertical"]
    algorithm: AlgorithmChoice
    target: ColumnName
    features: Annotated[tuple[ColumnName, ...], Field(min_length=1, max_length=10_000)]
    privacy: StudyPrivacy = StudyPrivacy()
    evaluation: EvaluationPlan = EvaluationPlan()
    preparation: PreparationPlan = PreparationPlan()
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0

    @model_validator(mode="after")
    def _features_once_without_target(self) -> Self:
        if self.target in self.features:
            raise ValueError("the target must not be one of the features")
        if len(set(self.features)) != len(self.features):
            raise ValueError("features must not name a column twice")
        return self
