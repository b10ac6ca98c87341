"""Whether what a message opens is what was decided on, and can be done here."""

from collections.abc import Mapping
from typing import TypeVar

from fl_plugin.algorithms.described import Described
from fl_plugin.algorithms.installed import algorithms
from fl_plugin.errors import PolicyError
from fl_plugin.manifest.study_contract import PreparationPlan
from fl_plugin.manifest.uses import TRAIN_VERTICAL
from fl_plugin.party.table import Wanted
from fl_plugin.policy.rules.s05_purpose_use import SHARED_LABEL
from fl_plugin.policy.types import Facts, Request
from fl_plugin.vertical.installed import vertical_algorithms

_Installed = TypeVar("_Installed", bound=Described)


def check_edges(plan: PreparationPlan, facts: Facts, request: Request) -> None:
    """Refuse exact quantiles where the domain's settings do not allow them.

    Raises:
        PolicyError: They do not.
    """
    if plan.edges == "exact" and not facts.node.exact_quantiles:
        raise _refused(
            f"{facts.node.domain} gives no quantiles that may be values of single "
            "rows.",
            "Leave `preparation.edges` out, or ask the domain to set exact_quantiles.",
            "edges.exact",
            request,
        )


def only_granted(request: Request, wanted: Wanted) -> None:
    """Check that what is opened is what was decided on.

    Raises:
        PolicyError: It is not, or the algorithm is none of this domain's.
    """
    asked = {f.name: "protected" for f in wanted.protected}
    for key in (wanted.group, *wanted.match):
        if key is not None:
            asked[key] = "join_key"
    asked |= {f.name: "feature" for f in wanted.features}
    if wanted.target is not None:
        shared = request.columns.get(wanted.target) == SHARED_LABEL and request.match
        asked[wanted.target] = SHARED_LABEL if shared else "label"
    if dict(request.columns) != asked or bool(request.match) != bool(wanted.match):
        raise _refused(
            f"A message asks for other columns of {request.product} than its request.",
            "Start the run again from a plan.",
            "column.not_granted",
            request,
        )
    algorithm = _installed(request)
    learns = wanted.predicts.kind in algorithm.targets
    if not learns and not (request.match and wanted.target is None):
        raise _refused(
            f"{request.algorithm} does not learn a target of this kind.",
            "See what it learns: fl algorithms",
            "algorithm.not_allowed",
            request,
        )


def require_packages(request: Request) -> None:
    """Check that what a run needs is installed at this domain; no row is opened.

    Raises:
        UsageError: A package that the algorithm trains with is missing.
    """
    found = vertical_algorithms().get(request.algorithm) if request.match else None
    if found is None or TRAIN_VERTICAL not in request.uses:
        return
    found.of(request.parameters).require_packages()


def _installed(request: Request) -> type[Described]:
    """Return the algorithm; what its parameters need beside is asked for as well."""
    if not request.match:
        return _known(request, algorithms())
    algorithm = _known(request, vertical_algorithms())
    chosen = algorithm.of(request.parameters)
    protects = "label" in request.columns.values()
    needs = {*chosen.uses(), *(chosen.label_uses() if protects else ())}
    lacking = sorted(needs - set(request.uses))
    if lacking:
        raise _refused(
            f"{request.algorithm} with these parameters needs the use {lacking[0]}, "
            f"which the request for {request.product} does not name.",
            "Start the run again from a plan.",
            "use.not_allowed",
            request,
        )
    return algorithm


def _known(request: Request, known: Mapping[str, type[_Installed]]) -> type[_Installed]:
    algorithm = known.get(request.algorithm)
    if algorithm is None:
        raise _refused(
            f"The algorithm {request.algorithm} is not installed here.",
            "See what is: fl algorithms",
            "algorithm.not_allowed",
            request,
        )
    return algorithm


def _refused(problem: str, remedy: str, reason: str, request: Request) -> PolicyError:
    domain = request.product.partition(".")[0]
    return PolicyError(problem, remedy=remedy, reason=reason, domain=domain)
