"""The plan of a run: everything that is known before a row is opened."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fl_plugin.algorithms.base import Target
from fl_plugin.errors import MeshError
from fl_plugin.manifest.study_contract import (
    EvaluationPlan,
    PreparationPlan,
    SamplingPlan,
    SearchPlan,
    StudyPrivacy,
)
from fl_plugin.manifest.study_match import MatchPlan
from fl_plugin.manifest.study_rounds import USUAL, RoundsPlan
from fl_plugin.policy.types import Decision, Request
from fl_plugin.preparation.features import Feature
from fl_plugin.privacy.dp.preparation import PublicColumn


@dataclass(frozen=True, kw_only=True)
class PartyPlan:
    """What one domain is asked for and what it answered (None: not asked yet).

    `failure` says why it could not decide; there is no decision then. `identity` is
    the public key that the domain signs its mask keys with, as it said itself.
    `features` are the columns of a vertical study that this domain has.
    """

    domain: str
    product: str
    version: int | None
    request: Request
    decision: Decision | None = None
    failure: MeshError | None = None
    identity: str = ""
    features: tuple[Feature, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A study made ready to run.

    Args:
        manifest: Fingerprint of the mesh manifest it was made from.
        features: In the order of the study; categories are None where the parties'
            union will be asked for.
        predicts: What kind of target it is, and its classes.
        protected: Columns by whose values the figures are told apart.
        prepares: Which design the algorithm learns from: "matrix" or "bins".
        sampling: Which training rows are learned from; None for all.
        public: Under differential privacy, how each feature is prepared from what the
            contracts say alone.
        bounds: Between which ends a number to predict lies, from the contracts or the
            study; None where nothing says.
        search: What is tried; None for one set of parameters.
        rounds: How long a round waits, and for how many domains.
        parties: One per product, in the order of the domains' names.
        match: Of a vertical study, how common rows are found.
        label_domain: Likewise, who has the target.
        labels: Likewise, "shared" or "protected", as that domain's contract says.
    """

    study: str
    label: str
    consumer: str
    actor: str
    purpose: str
    mode: str
    algorithm: str
    parameters: Mapping[str, Any]
    target: str | None
    predicts: Target
    features: tuple[Feature, ...]
    protected: tuple[Feature, ...]
    preparation: PreparationPlan
    prepares: str
    search: SearchPlan | None
    sampling: SamplingPlan | None
    privacy: StudyPrivacy
    evaluation: EvaluationPlan
    seed: int
    manifest: str
    parties: tuple[PartyPlan, ...]
    public: tuple[PublicColumn, ...] = ()
    rounds: RoundsPlan = USUAL
    match: MatchPlan | None = None
    label_domain: str = ""
    labels: str = ""
    bounds: tuple[float, float] | None = None

    @property
    def secure_aggregation(self) -> bool:
        """Whether sums are masked."""
        return self.privacy.secure_aggregation

    @property
    def allowed(self) -> bool:
        """Whether every domain has said yes."""
        return all(p.decision is not None and p.decision.allowed for p in self.parties)

    @property
    def refusals(self) -> tuple[Decision, ...]:
        """The decisions that say no."""
        found = (p.decision for p in self.parties)
        return tuple(d for d in found if d is not None and not d.allowed)
