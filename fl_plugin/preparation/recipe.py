"""What a study's words about preparation come to, for the algorithm that it names."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from fl_plugin.errors import ContractError, MessageError
from fl_plugin.manifest.study_contract import PreparationPlan
from fl_plugin.preparation.features import Schema

MAX_CATEGORIES = 255  # the last bin of 256 is for missing values


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Every word decided. See `PreparationPlan` for what the words mean."""

    numeric: str
    impute: str
    fill_value: float
    indicators: bool
    categorical: str
    min_count: int | None
    max_bins: int
    edges: str
    monotonic: Mapping[str, int]

    @classmethod
    def of(cls, plan: PreparationPlan, schema: Schema) -> "Recipe":
        """Return what the plan comes to.

        Raises:
            ContractError: Its words contradict each other, or the algorithm.
        """
        bins = schema.prepares == "bins"
        recipe = cls(
            numeric=plan.numeric or ("none" if bins else "standard"),
            impute=plan.impute or ("none" if bins else "mean"),
            fill_value=float(plan.fill_value),
            indicators=plan.indicators,
            categorical=plan.categorical or ("ordinal" if bins else "onehot"),
            min_count=plan.min_count,
            max_bins=plan.max_bins,
            edges=plan.edges,
            monotonic=dict(plan.monotonic),
        )
        recipe.check(schema)
        return recipe

    @classmethod
    def read(cls, raw: Mapping[str, Any], schema: Schema) -> "Recipe":
        """Return the recipe that a message holds.

        Raises:
            MessageError: It is none.
        """
        try:
            plan = PreparationPlan.model_validate(dict(raw))
            recipe = cls.of(plan, schema)
        except (ValueError, TypeError, ContractError):
            raise _malformed() from None
        if asdict(recipe) != dict(raw):
            raise _malformed()
        return recipe

    def check(self, schema: Schema) -> None:
        """Refuse words that contradict each other, or the algorithm.

        Raises:
            ContractError: They do.
        """
        if self.impute == "none" and (schema.prepares == "matrix" or self.indicators):
            raise ContractError(
                "The study's preparation leaves missing numbers missing (impute: "
                "none), which its algorithm or its indicators cannot use.",
                remedy="Use impute: mean, median or constant.",
            )
        if self.edges != schema.edges:
            raise ContractError(
                "The study's quantiles and the domains' policies do not agree.",
                remedy="Use edges: k_anonymous, or ask every domain to allow exact.",
            )
        if 0 in schema.sizes:
            raise ContractError(
                "A categorical feature of the study has no category in any domain.",
                remedy="Leave it out, or list its values in the product's contract.",
            )
        unknown = set(self.monotonic) - {f.name for f in schema.numbers}
        if unknown or (any(self.monotonic.values()) and schema.prepares != "bins"):
            raise ContractError(
                "The study's monotonic names a column that is no numeric feature, or "
                "its algorithm has no such constraint.",
                remedy="Name numeric features of the study, with a boosting algorithm.",
            )


def _malformed() -> MessageError:
    return MessageError(
        "A message's preparation is not one that a study can ask for.",
        remedy="Check that every node runs the same version of fl_plugin.",
    )
