"""A vertical run: how rows were matched, who has what, what an attacker would find."""

from collections.abc import Iterator
from dataclasses import dataclass

from fl_plugin.registry.run_record import RunRecord
from fl_plugin.registry.run_vertical import RankedFigure, Vertical
from fl_plugin.report.taking_part import looked_up
from fl_plugin.report.wording import NOTHING, counted, percent, short, size, title

_ATTACK, _AUC, _UNTRAINED = "attack_", "_auc", "_untrained"
_BYTES = "bytes_"
# Reckoned at another size of a value than `Vertical.moved`, which the page shows.
_MOVED = "raw_tables_moved"
# An attack that finds labels no better than this is as good as a guess.
GUESS = 0.05
ATTACKS = {
    "norm": "by the size of returned gradients",
    "direction": "by the direction of returned gradients",
    "all_epochs": "by gradients gathered over all epochs",
    "completion": "by completing the model with a few known labels",
    "completion_untrained": "the same before training: what features alone tell",
}
_ATTACKED = {
    "protected": "Attacks that the label's domain tried itself on what left it.",
    "shared": "Attacks that the coordinator, which has the labels, tried itself on "
    "what it sends to the domains that have not; the worst of these.",
}
WAYS = {
    "federated": "the federated model",
    "own": "the label domain's own columns alone",
    "popularity": "what is true most often in training",
    "chance": "chance",
}
MEASURES = {
    "hr_at_5": "hit rate at 5",
    "hr_at_10": "hit rate at 10",
    "ndcg_at_10": "NDCG at 10",
}


@dataclass(frozen=True)
class DomainPart:
    """What one domain has of a vertical run."""

    name: str
    role: str
    columns: str
    lost: str
    part: str


@dataclass(frozen=True)
class AttackRow:
    """One attack on the labels: its AUC, .5 is a guess."""

    domain: str
    how: str
    auc: str
    tone: str
    short: str


@dataclass(frozen=True)
class RankRow:
    """One way to rank: its figures with their intervals."""

    way: str
    figures: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class RankingView:
    """How high held-out rows stand among each user's candidates."""

    sentence: str
    names: tuple[str, ...]
    rows: tuple[RankRow, ...]


@dataclass(frozen=True, kw_only=True)
class VerticalView:
    """The section on a vertical run."""

    sentence: str
    labels: str
    domains: tuple[DomainPart, ...]
    attacked: str
    attacks: tuple[AttackRow, ...]
    figures: tuple[tuple[str, str], ...]
    moved: str
    ranking: RankingView | None


def vertical_view(run: RunRecord) -> VerticalView | None:
    """Return the section of a vertical run; None of a horizontal one."""
    told = run.vertical
    if told is None:
        return None
    return VerticalView(
        sentence=_looked_up(told) if looked_up(run) else _sentence(told),
        labels=_labels(run, told),
        domains=tuple(_domain(name, told) for name in sorted(told.columns)),
        attacked=_ATTACKED[told.labels],
        attacks=tuple(_attacks(told)),
        figures=tuple(_figures(told)),
        moved=_moved(told),
        ranking=_ranking(told),
    )


def _ranking(told: Vertical) -> RankingView | None:
    found = told.ranking
    if found is None:
        return None
    known = set.intersection(*(set(way) for way in found.figures.values()))
    judged = sorted(known, key=lambda name: (_place(name), name))
    rows = [
        RankRow(words, tuple(_interval(found.figures[way][name]) for name in judged))
        for way, words in WAYS.items()
        if way in found.figures
    ]
    return RankingView(
        sentence=f"{found.users} users; each held-out row that is true is ranked among "
        f"{found.candidates:,.0f} candidates of its user, itself included. Means over "
        "users with 95 % intervals.",
        names=tuple(MEASURES.get(name, name) for name in judged),
        rows=tuple(rows),
    )


def _place(name: str) -> int:
    return list(MEASURES).index(name) if name in MEASURES else len(MEASURES)


def _interval(figure: RankedFigure) -> str:
    return f"{figure.value:.3f} ({figure.low:.3f} to {figure.high:.3f})"


def _looked_up(told: Vertical) -> str:
    owner = title(told.label_domain)
    how = (
        "by private set intersection"
        if told.matched.how == "private"
        else "by hashes under a salt that the domains share and the coordinator has not"
    )
    return (
        f"Each row of {owner} needs a row of every other domain. {told.matched.rows} "
        "rows have all that they need. They were matched by "
        f"{told.matched.key}, {how}: each other domain learns which of its own keys "
        f"{owner} has, and how often each comes."
    )


def _sentence(told: Vertical) -> str:
    how = (
        "by private set intersection: no domain learns a key of another, nor which of "
        "its own rows another has, unless all have it"
        if told.matched.how == "private"
        else "by hashes under a salt that the domains share and the coordinator has not"
    )
    return (
        f"Each domain has other columns of the same rows. {told.matched.rows} rows "
        f"were matched by {told.matched.key}, {how}."
    )


def _labels(run: RunRecord, told: Vertical) -> str:
    owner = title(told.label_domain)
    if told.labels == "shared":
        return (
            f"The contract of {owner} shares the label {run.target}: the coordinator "
            "had it and computed the loss."
        )
    return (
        f"The label {run.target} is protected by the contract of {owner}: it computed "
        "the loss itself, and nobody else saw a label or a prediction."
    )


def _domain(name: str, told: Vertical) -> DomainPart:
    return DomainPart(
        title(name),
        "has the label" if name == told.label_domain else "has columns only",
        counted(told.columns[name], "column"),
        told.matched.lost.get(name, NOTHING),
        told.parts.get(name, ""),
    )


def _attacks(told: Vertical) -> Iterator[AttackRow]:
    for domain, figures in sorted(told.figures.items()):
        for name, value in sorted(figures.items()):
            if not (name.startswith(_ATTACK) and name.endswith(_AUC)):
                continue
            how = name.removeprefix(_ATTACK).removesuffix(_AUC)
            if value is None:
                continue
            without = figures.get(f"{_ATTACK}{how}{_UNTRAINED}{_AUC}")
            tone, words = _verdict(how, value, without)
            yield AttackRow(
                title(domain),
                ATTACKS.get(how, how.replace("_", " ")),
                f"{value:.3f}",
                tone,
                words,
            )


def _verdict(how: str, value: float, without: float | None) -> tuple[str, str]:
    """Return tone and words; what is found without training, training did not tell."""
    if how.endswith(_UNTRAINED):
        return "", "what features alone tell"
    if abs(value - 0.5) <= GUESS:
        return "good", "no better than a guess"
    if without is not None and value - without <= GUESS:
        return "good", "no better than without training"
    return "warn", "finds labels"


def _figures(told: Vertical) -> Iterator[tuple[str, str]]:
    for domain, figures in sorted(told.figures.items()):
        for name, value in sorted(figures.items()):
            if not name.startswith(_ATTACK) and name != _MOVED:
                words = name.replace("_", " ")
                is_size = name.startswith(_BYTES) and value is not None
                figure = size(int(value)) if is_size and value else short(value)
                yield f"{title(domain)}: {words}", figure


def _moved(told: Vertical) -> str:
    if told.moved is None:
        return ""
    if told.moved < 1:
        return (
            f"{percent(told.moved)} of the bytes of the matched columns, at 4 a value"
        )
    return f"{told.moved:,.1f} times the bytes of the matched columns, at 4 a value"
