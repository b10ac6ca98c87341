"""The features of a study, and what both halves of a preparation know of them."""

from dataclasses import dataclass, field
from functools import cached_property

from fl_plugin.algorithms.base import Category, Target

__all__ = ["Category", "Feature", "Schema"]


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One feature of a study.

    Args:
        name: The column.
        kind: "numeric" or "categorical".
        categories: Of a categorical feature, in the order of its codes; None while
            the parties' union is still to be made.
    """

    name: str
    kind: str
    categories: tuple[Category, ...] | None = None


@dataclass(frozen=True)
class Schema:
    """What is known before a row is touched; all of it is public.

    Args:
        features: In the study's order.
        target: What is to be predicted.
        prepares: "matrix" or "bins": what the algorithm learns from; "cuts" where only
            order statistics are wanted, and nothing else is answered.
        min_cohort: k: no order statistic is told apart within fewer rows.
        edges: "k_anonymous", or "exact" where every domain's policy allows it. A party
            refuses questions that look closer than its own schema says.
    """

    features: tuple[Feature, ...]
    target: Target = field(default_factory=Target)
    prepares: str = "matrix"
    min_cohort: int = 1
    edges: str = "k_anonymous"

    @cached_property
    def numbers(self) -> tuple[Feature, ...]:
        """The numeric features; they come first in every design."""
        return tuple(f for f in self.features if f.kind == "numeric")

    @cached_property
    def vocabularies(self) -> tuple[Feature, ...]:
        """The categorical features."""
        return tuple(f for f in self.features if f.kind == "categorical")

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """Per vocabulary, how many categories it has."""
        return tuple(len(f.categories or ()) for f in self.vocabularies)
