"""What CI runs over the grants: which of them break a rule, one sentence each.

A request is no error, nor is a grant that has run out: neither opens anything.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from fl_plugin.access.edits import edit_refusals
from fl_plugin.access.grant_file import GrantFile, grants_in
from fl_plugin.access.home import GRANTS_FOLDER, Home, chosen
from fl_plugin.access.rules import partial_refusals, terms_of
from fl_plugin.catalog.grant_state import state_of
from fl_plugin.errors import MeshError
from fl_plugin.manifest.reader import read_manifest
from fl_plugin.manifest.types import Grant, Manifest, Product
from fl_plugin.policy.approval import approval_statement
from fl_plugin.policy.people import whom_to_ask
from fl_plugin.policy.rule import Refusal
from fl_plugin.policy.types import Node


@dataclass(frozen=True, kw_only=True)
class Broken:
    """A grant that breaks a rule: the stable reason, the sentence, what to do."""

    domain: str
    grant: str
    file: str
    reason: str
    sentence: str
    remedy: str


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What was looked at, and what is broken."""

    domains: tuple[str, ...]
    grants: int
    broken: tuple[Broken, ...]


@dataclass(frozen=True, kw_only=True)
class _Desk:
    """One domain while its grants are looked at."""

    home: Home
    manifest: Manifest
    node: Node
    revoked: frozenset[str]
    base: Manifest | None
    now: datetime


def check(
    root: Path, now: datetime, domain: str | None = None, base: Path | None = None
) -> Checked:
    """Look at every grant of the mesh, or of one domain, by the domains' own rules.

    Args:
        root: The mesh's folder; its domains are parsed (`dbt parse`).
        now: Decides what has run out; UTC.
        domain: This domain only.
        base: A manifest.json of before, of the domain or of the whole mesh: a grant
            that was edited after its approval is then found as well.

    Raises:
        UsageError: There is no such domain.
        BuildError: A domain, or the base, has no readable manifest.
    """
    before = read_manifest(base) if base is not None else None
    desks = [
        _Desk(
            home=home,
            manifest=home.manifest(),
            node=home.node(),
            revoked=home.revoked(),
            base=before,
            now=now,
        )
        for home in chosen(root, domain)
    ]
    names = {(d.home.name, n) for d in desks for n in _names(d)}
    return Checked(
        domains=tuple(d.home.name for d in desks),
        grants=len(names),
        broken=tuple(b for desk in desks for b in _broken(desk)),
    )


def _names(desk: _Desk) -> set[str]:
    return {*grants_in(desk.home).grants, *(g.name for g in _own(desk))}


def _own(desk: _Desk) -> list[Grant]:
    """Return the grants that the domain decides by."""
    own = [g for g in desk.manifest.grants.values() if g.domain == desk.home.name]
    return sorted(own, key=lambda grant: grant.name)


def _broken(desk: _Desk) -> Iterator[Broken]:
    found = grants_in(desk.home)
    for path, problem in found.problems.items():
        yield _of_error(desk, Path(path).stem, path, problem)
    for file in found.grants.values():
        yield from _of_file(desk, file)
    for grant in _own(desk):
        if grant.name not in found.grants:
            yield _told(desk, grant.name, "", _elsewhere(desk, grant))


def _of_file(desk: _Desk, file: GrantFile) -> Iterator[Broken]:
    """Yield the first thing that is wrong with a grant."""
    try:
        product = file.product(desk.manifest)
        grant = file.grant(product)
    except MeshError as problem:
        yield _of_error(desk, file.name, file.shown_path, problem)
        return
    for refusal in _refusals(desk, grant, product):
        yield _told(desk, grant.name, file.shown_path, refusal)
        return


def _refusals(desk: _Desk, grant: Grant, product: Product) -> Iterator[Refusal]:
    key = f"{desk.home.name}.{grant.name}"
    if desk.manifest.grants.get(key) != grant:
        yield Refusal(
            "grant.not_parsed",
            f"The manifest of {desk.home.name} does not say what the file of "
            f"{grant.name} says.",
            f"Read it again: cd domains/{desk.home.name} && dbt parse",
        )
    if desk.base is not None:
        yield from edit_refusals(grant, desk.base.grants.get(key), product)
    if grant.status == "requested":
        yield from partial_refusals(grant, product)
    if grant.status != "approved" or _has_run_out(desk, grant):
        return
    yield from terms_of(grant, product).refusals()
    state = state_of(grant, product, desk.now, node=desk.node, revoked=desk.revoked)
    if not state.live:
        yield Refusal(state.reason, state.sentence, state.remedy)
    yield from _forged(desk, grant, product)


def _has_run_out(desk: _Desk, grant: Grant) -> bool:
    return grant.expires is not None and grant.expires <= desk.now.date()


def _forged(desk: _Desk, grant: Grant, product: Product) -> Iterator[Refusal]:
    """Yield signatures that do not hold, also where the domain asks for none."""
    for address, signature in grant.signatures.items():
        key = desk.node.principals.key_of(address)
        if key and not approval_statement(grant, address).holds(key, signature):
            yield Refusal(
                "grant.signature",
                f"The signature of {address} under {grant.name} on {product.name} "
                "does not hold: something was changed after it.",
                f"Ask {whom_to_ask(product)}; git shows the change.",
            )


def _elsewhere(desk: _Desk, grant: Grant) -> Refusal:
    return Refusal(
        "grant.elsewhere",
        f"The grant {grant.name} counts for {desk.home.name} and stands in no file of "
        f"{GRANTS_FOLDER}.",
        f"Move it there, or read again what is: cd domains/{desk.home.name} && "
        "dbt parse",
    )


def _told(desk: _Desk, name: str, file: str, refusal: Refusal) -> Broken:
    return Broken(
        domain=desk.home.name,
        grant=name,
        file=file,
        reason=refusal.reason,
        sentence=refusal.sentence,
        remedy=refusal.remedy,
    )


def _of_error(desk: _Desk, name: str, file: str, problem: MeshError) -> Broken:
    refusal = Refusal("grant.not_valid", problem.problem, problem.remedy)
    return _told(desk, name, file, refusal)
