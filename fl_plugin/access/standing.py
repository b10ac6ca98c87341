"""Every grant of the mesh, as it counts today, and the command that moves it on."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Literal

from fl_plugin.access.grant_file import GrantFile, grants_in
from fl_plugin.access.home import Home, chosen
from fl_plugin.access.rules import terms_of
from fl_plugin.access.wanted import EXPLORATION
from fl_plugin.catalog.grant_state import GrantState, state_of
from fl_plugin.errors import BuildError, MeshError
from fl_plugin.manifest.reader import read_manifest
from fl_plugin.manifest.types import Grant, Manifest, Product
from fl_plugin.manifest.validation import shown
from fl_plugin.manifest.vocabulary import load_vocabulary
from fl_plugin.policy.types import Node

Word = Literal[
    "requested",
    "half-approved",
    "live",
    "unbuilt",
    "expired",
    "stopped",
    "rejected",
    "revoked",
    "invalid",
]
WORDS: tuple[Word, ...] = Word.__args__  # type: ignore[attr-defined] # typing's own
_OPEN = ("requested", "half-approved")
_ENDED = ("expired", "rejected", "revoked")


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One grant as it counts today.

    Args:
        state: One of `WORDS`.
        says: The state in a few words, with what it depends on.
        approved_by: Who has approved; while it waits, the first steward alone.
        needed: How many must.
        days_left: Until it ends; None where it does not hold.
        next: The command that moves it on; empty where nothing has to be done.
    """

    domain: str
    grant: str
    state: Word
    says: str
    study: str = ""
    consumer: str = ""
    product: str = ""
    requested_by: str = ""
    approved_by: tuple[str, ...] = ()
    needed: int = 0
    expires: date | None = None
    days_left: int | None = None
    file: str = ""
    next: str = ""


@dataclass(frozen=True)
class _Desk:
    """What is known of one domain while its grants are looked at."""

    home: Home
    manifest: Manifest
    node: Node
    revoked: frozenset[str]
    now: datetime

    def state(self, grant: Grant, product: Product) -> GrantState:
        return state_of(grant, product, self.now, node=self.node, revoked=self.revoked)


def standings(
    root: Path, now: datetime, domain: str | None = None
) -> tuple[Standing, ...]:
    """Return every grant of the mesh or of one domain, in order of domain and name.

    Raises:
        UsageError: There is no such domain.
        BuildError: Neither the domain nor the mesh's catalog is built.
    """
    found = [s for home in chosen(root, domain) for s in _of(home, now)]
    followed = {_about(s) for s in found if s.state not in _ENDED}
    return tuple(
        replace(s, next="") if s.state in _ENDED and _about(s) in followed else s
        for s in found
    )


def _about(standing: Standing) -> tuple[str, ...]:
    return (standing.product, standing.study, standing.consumer)


def _of(home: Home, now: datetime) -> Iterator[Standing]:
    found = grants_in(home)
    desk = _Desk(home, _manifest(home), home.node(), home.revoked(), now)
    for path, problem in found.problems.items():
        yield _invalid(home, Path(path).stem, path, problem)
    gone = {
        grant.name: grant
        for grant in desk.manifest.grants.values()
        if grant.domain == home.name and grant.name not in found.grants
    }
    for name in sorted({*found.grants, *gone}):
        if name in found.grants:
            yield _standing(desk, found.grants[name])
        else:
            yield _without_file(desk, gone[name])


def _manifest(home: Home) -> Manifest:
    """Return what the domain decides by; where it is built elsewhere, the catalog."""
    try:
        return home.manifest()
    except BuildError:
        whole = home.root / "target" / "manifest.json"
        if not whole.is_file():
            raise
        return read_manifest(whole, load_vocabulary(home.root))


def _standing(desk: _Desk, file: GrantFile) -> Standing:
    try:
        product = file.product(desk.manifest)
        grant = file.grant(product)
    except MeshError as problem:
        return _invalid(desk.home, file.name, file.shown_path, problem)
    state = desk.state(grant, product)
    built = desk.manifest.grants.get(f"{desk.home.name}.{grant.name}")
    counts = built is not None and desk.state(built, product).live
    word, says = _word(state), _says(state)
    if state.live != counts:
        word, says = "unbuilt", _unbuilt(state)
    return _row(desk, state, word, says, file.shown_path)


def _without_file(desk: _Desk, grant: Grant) -> Standing:
    product = desk.manifest.products.get(grant.products[0])
    if product is None:
        gone = BuildError("It stands in no file.", remedy=_build(desk.home))
        return _invalid(desk.home, grant.name, "", gone)
    state = desk.state(grant, product)
    says = "stands in no file of models/grants, but in the last build"
    return _row(desk, state, "unbuilt", says, "")


def _row(desk: _Desk, state: GrantState, word: Word, says: str, file: str) -> Standing:
    grant = state.grant
    held = grant.expires if state.live else None
    return Standing(
        domain=desk.home.name,
        grant=grant.name,
        state=word,
        says=says,
        study=grant.study,
        consumer=grant.consumer,
        product=state.product.name,
        requested_by=grant.requested_by,
        approved_by=grant.approved_by if grant.status != "rejected" else (),
        needed=terms_of(grant, state.product).needed,
        expires=grant.expires,
        days_left=(held - desk.now.date()).days if held else None,
        file=file,
        next=_next(word, desk.home, state),
    )


def _word(state: GrantState) -> Word:
    status = state.grant.status
    if status == "requested":
        return "half-approved" if state.grant.approved_by else "requested"
    if status == "rejected":
        return "rejected"
    if status == "revoked" or state.reason == "grant.revoked":
        return "revoked"
    if state.live:
        return "live"
    return "expired" if state.reason == "grant.expired" else "stopped"


def _says(state: GrantState) -> str:
    grant = state.grant
    needed = terms_of(grant, state.product).needed
    if grant.status != "requested":
        return state.words
    if grant.approved_by:
        return f"approved by {len(grant.approved_by)} of {needed}"
    return f"waits for {needed} steward{'' if needed == 1 else 's'}"


def _unbuilt(state: GrantState) -> str:
    if state.live:
        return "approved; counts after a build"
    return f"{state.words} in the file; the last build still allows it"


def _next(word: Word, home: Home, state: GrantState) -> str:
    grant = state.grant
    named = f"{home.name} {grant.name} --by STEWARD"
    if word in _OPEN:
        return f"fl access approve {named}"
    if word == "unbuilt":
        return _build(home)
    if word == "stopped":
        return f"fl access confirm {named}"
    return _ask_again(home, grant) if word == "expired" else ""


def _ask_again(home: Home, grant: Grant) -> str:
    if grant.study == EXPLORATION:
        return f"fl access request --product {grant.products[0]} --by ADDRESS ..."
    return f"fl access request {grant.study} --domain {home.name} --by ADDRESS"


def _build(home: Home) -> str:
    return f"cd domains/{home.name} && dbt build"


def _invalid(home: Home, name: str, file: str, problem: MeshError) -> Standing:
    return Standing(
        domain=home.name,
        grant=shown(name),
        state="invalid",
        says=problem.problem,
        file=file,
        next=problem.remedy,
    )
