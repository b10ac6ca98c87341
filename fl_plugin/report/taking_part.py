"""Who took part to the end, and whether domains' own models stand beside the common."""

from fl_plugin.registry.run_record import RunRecord

# Sums over all domains: a domain that still takes part answers each as often as any.
_OF_ALL = frozenset({"count", "cut", "prepare", "step", "evaluate"})


def lost(run: RunRecord) -> tuple[str, ...]:
    """Return the domains that fell silent and without which a run went on."""
    if not run.privacy.dropout.startswith("recover"):
        return ()
    sent = {
        (item.domain, item.kind): item.rounds
        for item in run.left_domain
        if item.kind in _OF_ALL
    }
    most: dict[str, int] = {}
    for (_, kind), times in sent.items():
        most[kind] = max(most.get(kind, 0), times)
    return tuple(
        sorted(
            domain
            for domain in {used.domain for used in run.products}
            if any(sent.get((domain, kind), 0) < times for kind, times in most.items())
        )
    )


def looked_up(run: RunRecord) -> bool:
    """Return whether the label's rows looked theirs up in the other domains."""
    return any(item.kind == "expand" for item in run.left_domain)


def noised_figures(run: RunRecord) -> bool:
    """Return whether the figures of the rows held out hold noise of their own."""
    return any(item.kind == "judge" for item in run.left_domain)


def why_not_compared(run: RunRecord) -> str:
    """Return why no domain's own model was looked at; empty where any may have been."""
    if any(result.own or result.difference for result in run.domains):
        return ""
    if run.privacy.epsilon is not None:
        return (
            "Not compared: what a domain's own model gives would be one more answer "
            "about its rows, which the budget does not cover."
        )
    if run.cross_validation is None:
        return (
            "Not compared: that takes folds, and the study asks for none "
            "(`evaluation: {folds: 5}`)."
        )
    return "" if run.domains else "The domains' own models were not compared."
