"""Builds domains and the mesh over them, in the order that they need, again and again.

Each domain is built by dbt in its own folder, side by side, since no domain reads
another. What builds is registered; then the root project reads all of them, and the
catalog describes what there is. A domain that fails stops nobody else.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from fl_plugin.building.dbt import LOG, find_dbt, run_dbt
from fl_plugin.building.failures import (
    FailedNode,
    failed_nodes,
    first_words,
    run_number,
)
from fl_plugin.building.registration import register, unreadable
from fl_plugin.catalog.site import build_site
from fl_plugin.errors import BuildError, MeshError, UsageError
from fl_plugin.manifest.validation import closest, shown

MESH, CATALOG = "the mesh", "the catalog"
HOUR = 3600.0


@dataclass(frozen=True, kw_only=True)
class Built:
    """One part of the mesh after a build.

    Args:
        part: A domain, "the mesh" or "the catalog".
        state: "skipped" where it needs what another part did not give.
        note: What there is to say of it, in one sentence.
        failed: What dbt could not build.
        log: Everything that dbt said, where it failed.
    """

    part: str
    state: Literal["built", "failed", "skipped"]
    seconds: float
    note: str = ""
    failed: tuple[FailedNode, ...] = ()
    log: Path | None = None


Listener = Callable[[Built], None]


@dataclass(frozen=True, kw_only=True)
class Order:
    """What to build.

    Args:
        domains: By name; all of them unless any is named.
        domain_only: Leave the root project and the catalog as they are.
        jobs: Domains that are built at the same time.
        limit: Seconds after which one run of dbt is ended.
    """

    domains: tuple[str, ...] = ()
    domain_only: bool = False
    jobs: int = 2
    limit: float = HOUR


def build(root: Path, order: Order, listener: Listener) -> tuple[Built, ...]:
    """Build what is ordered and return what became of each part, in order.

    Args:
        root: The mesh's folder.
        order: What to build.
        listener: Told each part as it ends.

    Raises:
        UsageError: There is no such domain.
        BuildError: dbt is not installed.
        ContractError: A domain cannot be registered.
    """
    folders = _folders(root, order.domains)
    program = find_dbt()

    def one(folder: Path) -> Built:
        built = _domain(program, folder, order.limit)
        listener(built)
        return built

    with ThreadPoolExecutor(max_workers=order.jobs) as pool:
        parts = list(pool.map(one, folders))
    if order.domain_only:
        return tuple(parts)
    for domain in domains_of(root):
        register(root, domain)
    for step in (_mesh, _catalog):
        parts.append(step(program, root, parts, order.limit))
        listener(parts[-1])
    return tuple(parts)


def domains_of(root: Path) -> dict[str, Path]:
    """Return the domains' folders by name."""
    found = sorted(root.glob("domains/*/dbt_project.yml"))
    return {path.parent.name: path.parent for path in found}


def failure_of(parts: Sequence[Built]) -> MeshError | None:
    """Return the error that a build amounts to, naming what failed first."""
    failed = [part for part in parts if part.state == "failed"]
    if not failed:
        return None
    first = failed[0]
    others = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
    what = first.failed[0].name if first.failed else first.note
    log = f"Read {first.log}, mend it, and run" if first.log else "Mend it, and run"
    return BuildError(
        f"{first.part} is not built: {what}{others}.",
        remedy=f"{log} `fl build` again; what was built before is still there.",
    )


def _folders(root: Path, names: tuple[str, ...]) -> list[Path]:
    known = domains_of(root)
    for name in names:
        if name not in known:
            raise UsageError(
                f"There is no domain {shown(name)!r}.",
                remedy=closest(name, known)
                if known
                else "Make one: fl new domain NAME",
            )
    return [known[name] for name in dict.fromkeys(names or known)]


def _domain(program: str, folder: Path, limit: float) -> Built:
    return _built(folder.name, program, folder, ("build",), limit)


def _mesh(program: str, root: Path, parts: Sequence[Built], limit: float) -> Built:  # noqa: ARG001 - one shape for all steps
    missing = unreadable(root)
    deps = _built(MESH, program, root, ("deps",), limit)
    if deps.state == "failed":
        return deps
    verb = "parse" if missing else "build"
    done = _built(MESH, program, root, (verb,), limit)
    done = replace(done, seconds=done.seconds + deps.seconds)
    if missing and done.state == "built":
        names = ", ".join(sorted(Path(path).stem for path in missing))
        note = f"only read, not written as tables: {names} has no database yet"
        return replace(done, note=note)
    return done


def _catalog(program: str, root: Path, parts: Sequence[Built], limit: float) -> Built:  # noqa: ARG001 - as above
    start = time.monotonic()
    if parts[-1].state != "built" or parts[-1].note:
        note = "the mesh has to be built first; the last catalog is still there"
        return Built(part=CATALOG, state="skipped", seconds=0.0, note=note)
    try:
        site = build_site(root)
    except MeshError as error:
        spent = time.monotonic() - start
        return Built(part=CATALOG, state="failed", seconds=spent, note=error.problem)
    spent = time.monotonic() - start
    note = f"{site.products} products, {site.studies} studies: {site.index}"
    return Built(part=CATALOG, state="built", seconds=spent, note=note)


def _built(
    part: str, program: str, folder: Path, words: tuple[str, ...], limit: float
) -> Built:
    before = run_number(folder / "target")
    start = time.monotonic()
    try:
        ran = run_dbt(program, folder, words, limit)
    except BuildError as error:
        spent = time.monotonic() - start
        return Built(part=part, state="failed", seconds=spent, note=error.problem)
    if ran.ok:
        return Built(part=part, state="built", seconds=ran.seconds)
    failed = failed_nodes(folder / "target", before)
    return Built(
        part=part,
        state="failed",
        seconds=ran.seconds,
        note="" if failed else first_words(ran.output),
        failed=failed,
        log=folder / LOG,
    )
