"""What left the domains, and in which form."""

from collections.abc import Mapping
from typing import Any

from fl_plugin.algorithms.installed import find_algorithm
from fl_plugin.coordinator.losses import Loss
from fl_plugin.coordinator.private_run import mu_of
from fl_plugin.coordinator.traffic import Exchange
from fl_plugin.mesh.finished import Finished
from fl_plugin.plan.types import Plan
from fl_plugin.registry import run_record as rec

_WHAT = {
    "vocabulary": "values of text columns that at least min_cohort rows have",
    "count": "the number of rows",
    "cut": "numbers of rows whose keyed draw, or time, is below a value",
    "prepare": "numbers of rows and of values present; sums, squared deviations and "
    "numbers of rows below a value, column by column",
    "step": "",  # the algorithm says what
    "evaluate": "numbers of rows by prediction and outcome; sums of losses",
    "judge": "numbers of rows by prediction and outcome; sums of clipped losses; with "
    "noise",
    "compare": "rounded quality of models on the domain's own rows",
    "open": "a rounded number of rows, fingerprints, signed public keys",
}
_FORMS: Mapping[str, str] = {"vocabulary": "vocabulary", "compare": "number"}


def traffic_of(traffic: list[Exchange]) -> rec.TrafficRecord:
    """Return bytes and messages, in all and by domain."""
    domains = {}
    for party in sorted({e.party for e in traffic}):
        mine = [e for e in traffic if e.party == party]
        domains[party] = rec.Traffic(
            up=sum(e.bytes_up for e in mine),
            down=sum(e.bytes_down for e in mine),
            messages=2 * len(mine),
        )
    return rec.TrafficRecord(
        up=sum(d.up for d in domains.values()),
        down=sum(d.down for d in domains.values()),
        messages=sum(d.messages for d in domains.values()),
        domains=domains,
    )


def left_domains(done: Finished) -> tuple[rec.LeftDomain, ...]:
    """Return what each domain sent, by kind of work."""
    found = []
    masked = "masked sum" if done.plan.secure_aggregation else "number"
    step = find_algorithm(done.plan.algorithm).leaves
    for party in sorted({e.party for e in done.federation.traffic}):
        for kind, what in _WHAT.items():
            mine = [
                e
                for e in done.federation.traffic
                if e.party == party and e.kind == kind
            ]
            if not mine:
                continue
            form: Any = _FORMS.get(kind, "number" if kind == "open" else masked)
            found.append(
                rec.LeftDomain(
                    domain=party,
                    kind=kind,
                    what=what or step,
                    form=form,
                    bytes=sum(e.bytes_up for e in mine),
                    rounds=len(mine),
                )
            )
    return tuple(found)


def _figures_of(plan: Plan) -> str:
    """Return what protected the figures of the rows held out."""
    share = plan.parties[0].request.evaluation
    if not share:
        return (
            "The figures of the rows held out are exact sums, which epsilon does not "
            "cover."
        )
    return (
        f"Epsilon covers the figures of the rows held out as well: {share:.0%} of the "
        "budget is theirs, and the 95 % interval of each holds its noise."
    )


def privacy_of(plan: Plan, lost: Mapping[str, Loss]) -> rec.Privacy:
    """Return what protected the run, claiming no more than that.

    Args:
        plan: The run's.
        lost: The domains that fell out of it.
    """
    masked = plan.secure_aggregation
    epsilon, delta = plan.privacy.epsilon, plan.parties[0].request.delta
    private = epsilon is not None and delta is not None
    seen = (
        "the coordinator saw only sums over all domains, masked pairwise on the way by "
        "keys that each domain signed"
        if masked
        else "the coordinator saw each domain's own sums"
    )
    gone = [f"without {d} from round {at.round} on" for d, at in sorted(lost.items())]
    if private:
        statement = (
            f"Differential privacy: epsilon {epsilon:g}, delta {delta:g} for each row "
            f"that the model was trained on; {seen}. {_figures_of(plan)}"
        )
    else:
        how = "Exact, aggregated" if masked else "Exact, not masked"
        statement = (
            f"{how}: {seen}; no noise was added, so this is not differential privacy."
        )
    return rec.Privacy(
        secure_aggregation=masked,
        statement=statement,
        epsilon=epsilon,
        delta=delta if private else None,
        mode="differential privacy" if private else "exact",
        mechanism="discrete Gaussian" if private else "",
        sigma=1.0 / mu_of(plan) if private else None,
        dropout=", ".join((plan.privacy.on_dropout, *gone)) if masked else "",
        signed_keys=True if masked else None,
    )
