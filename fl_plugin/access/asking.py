"""Asking: one grant file for each domain, all of them or none."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from fl_plugin.access.grant_file import GrantFile, grants_in
from fl_plugin.access.grant_text import free_name, grant_text
from fl_plugin.access.home import Home, home_of
from fl_plugin.access.rules import insist
from fl_plugin.access.wanted import Wanted
from fl_plugin.access.who import who_refusals
from fl_plugin.access.writing import create_all
from fl_plugin.access.yaml_words import address
from fl_plugin.catalog.grant_state import GrantState, state_of
from fl_plugin.errors import BuildError, MeshError, PolicyError
from fl_plugin.manifest.types import Grant, Manifest

DEFAULT_DAYS = 90
Outcome = Literal["written", "asked already", "granted already", "to be confirmed"]
_ANSWERS: tuple[Outcome, ...] = ("granted already", "asked already", "to be confirmed")


@dataclass(frozen=True, kw_only=True)
class Asking:
    """Who asks, and how.

    Args:
        by: The address of the person who asks.
        days: For how long; None for 90, or the contract's most where that is less.
        renew: Ask although a grant holds.
    """

    by: str
    days: int | None = None
    renew: bool = False


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What became of the request to one domain.

    Args:
        grant: The grant's name.
        file: Where it stands, from the mesh's folder.
        older: Requests for the same study that still wait, with other words.
    """

    domain: str
    grant: str
    outcome: Outcome
    file: str
    days: int
    wanted: Wanted
    older: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Found:
    """A grant that this consumer has for this study, and how it stands."""

    file: GrantFile
    state: GrantState

    @property
    def grant(self) -> Grant:
        return self.state.grant


def ask(
    root: Path,
    manifest: Manifest,
    wanted: Sequence[Wanted],
    asking: Asking,
    now: datetime,
) -> tuple[Asked, ...]:
    """Write a request to each domain that has none yet.

    Raises:
        UsageError: The address is none, or a file of that name appeared meanwhile.
        PolicyError: A contract does not offer what is wanted, or not for so long, or
            not to this consumer.
        ContractError: A domain's files are not valid.
        StorageError: A file cannot be written; none was.
    """
    by = address(asking.by)
    texts: dict[Path, str] = {}
    answers = []
    for one in wanted:
        home = home_of(root, one.product.domain)
        insist(one.terms.refusals(), home.name)
        who = who_refusals(one.consumer, one.terms, home.node(), now)
        insist(who, home.name)
        days = _days(one, asking.days)
        before = tuple(_before(home, manifest, one, now))
        answer = _answered(one, before, renew=asking.renew)
        if answer is None:
            name = free_name(one, _taken(home))
            path = home.grants / f"{name}.yml"
            texts[path] = grant_text(one, name, by, days, now.date())
            answer = Asked(
                domain=home.name,
                grant=name,
                outcome="written",
                file=str(path.relative_to(root)),
                days=days,
                wanted=one,
                older=tuple(
                    f.grant.name for f in before if f.grant.status == "requested"
                ),
            )
        answers.append(answer)
    create_all(texts)
    return tuple(answers)


def _days(wanted: Wanted, days: int | None) -> int:
    most = wanted.product.contract.approval.max_days
    if days is not None and days > most:
        raise PolicyError(
            f"{wanted.product.name} is granted for at most {most} days.",
            remedy=f"Ask for less: --days {most}",
            reason="grant.too_long",
            domain=wanted.product.domain,
        )
    return days or min(DEFAULT_DAYS, most)


def _taken(home: Home) -> set[str]:
    """Return the names that a new grant cannot have: in a file, or still built."""
    try:
        built = {grant.name for grant in home.manifest().grants.values()}
    except BuildError:
        built = set()
    stems = {path.stem for path in home.grants.glob("*.y*ml")}
    return {*grants_in(home).grants, *stems, *built}


def _before(
    home: Home, manifest: Manifest, wanted: Wanted, now: datetime
) -> Iterator[_Found]:
    """Yield what this consumer has asked of the product for this study before."""
    found = grants_in(home)
    for problem in found.problems.values():
        raise problem  # a grant that cannot be read may be the very one
    node, revoked = home.node(), home.revoked()
    for file in found.grants.values():
        try:
            product = file.product(manifest)
            grant = file.grant(product)
        except MeshError:
            continue  # `access check` tells
        if (
            product.unique_id == wanted.product.unique_id
            and grant.study == wanted.study
            and grant.consumer == wanted.consumer
        ):
            state = state_of(grant, product, now, node=node, revoked=revoked)
            yield _Found(file, state)


def _answered(wanted: Wanted, before: Sequence[_Found], *, renew: bool) -> Asked | None:
    """Return the answer where nothing has to be written: the best there is."""
    outcomes = {_outcome(wanted, found, renew=renew): found for found in before}
    for outcome in _ANSWERS:
        if outcome in outcomes:
            found = outcomes[outcome]
            return Asked(
                domain=wanted.product.domain,
                grant=found.grant.name,
                outcome=outcome,
                file=found.file.shown_path,
                days=found.grant.days or 0,
                wanted=wanted,
            )
    return None


def _outcome(wanted: Wanted, found: _Found, *, renew: bool) -> Outcome | None:
    grant = found.grant
    if grant.status == "requested" and _asks_the_same(wanted, grant):
        return "asked already"
    if renew or not _covers(wanted, grant):
        return None
    if found.state.live:
        return "granted already"
    return "to be confirmed" if found.state.reason == "grant.policy_changed" else None


def _asks_the_same(wanted: Wanted, grant: Grant) -> bool:
    return (
        grant.purpose == wanted.purpose
        and set(grant.uses) == set(wanted.uses)
        and set(grant.columns) == set(wanted.columns)
        and grant.epsilon == wanted.epsilon
    )


def _covers(wanted: Wanted, grant: Grant) -> bool:
    if wanted.epsilon is None or grant.epsilon is None:
        as_private = wanted.epsilon is grant.epsilon
    else:
        as_private = wanted.epsilon <= grant.epsilon
    return (
        as_private
        and grant.purpose == wanted.purpose
        and set(wanted.uses) <= set(grant.uses)
        and set(wanted.columns) <= set(grant.columns)
    )
