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

from fl_plugin.building.dbt import LOG, run_step
from fl_plugin.building.failures import (
    FailedNode,
    failed_nodes,
    first_words,
    run_number,
)
from fl_plugin.building.registration import linked, register, unreadable
from fl_plugin.catalog.site import build_site
from fl_plugin.dbt_program import find_dbt
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
        mesh_only: Leave the domains as they are: a study is new, say.
        jobs: Domains that are built at the same time.
        limit: Seconds after which one run of dbt is ended.
    """

    domains: tuple[str, ...] = ()
    domain_only: bool = False
    mesh_only: bool = False
    jobs: int = 2
    limit: float = HOUR


@dataclass(frozen=True, kw_only=True)
class Work:
    """What a step after the domains may look at.

    Args:
        parts: What became of everything before it.
    """

    root: Path
    program: str
    limit: float
    parts: Sequence[Built]


Step = Callable[[Work], Built]


def build(
    root: Path, order: Order, steps: Sequence[Step], listener: Listener
) -> tuple[Built, ...]:
    """Build the domains, then take the steps, and return what became of each part.

    Args:
        root: The mesh's folder.
        order: What to build.
        steps: What comes after the domains, in order.
        listener: Told each part as it ends.

    Raises:
        UsageError: There is no such domain.
        BuildError: dbt is not installed.
        ContractError: A domain cannot be registered.
    """
    folders = _folders(root, order)
    program = find_dbt()

    def one(folder: Path) -> Built:
        built = _built(folder.name, program, folder, ("build",), order.limit)
        listener(built)
        return built

    with ThreadPoolExecutor(max_workers=order.jobs) as pool:
        parts = list(pool.map(one, folders))
    for step in steps:
        work = Work(root=root, program=program, limit=order.limit, parts=tuple(parts))
        parts.append(step(work))
        listener(parts[-1])
    return tuple(parts)


def timed(part: str, work: Callable[[], str]) -> Built:
    """Do some work and return it as a part; the work returns its note."""
    start = time.monotonic()
    try:
        note = work()
    except MeshError as error:
        spent = time.monotonic() - start
        return Built(part=part, state="failed", seconds=spent, note=error.problem)
    return Built(part=part, state="built", seconds=time.monotonic() - start, note=note)


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


def _folders(root: Path, order: Order) -> list[Path]:
    if order.mesh_only and (order.domains or order.domain_only):
        raise UsageError(
            "The mesh alone cannot be built together with domains.",
            remedy="Leave out --mesh-only, or the domains and --domain-only.",
        )
    known = {} if order.mesh_only else domains_of(root)
    for name in order.domains:
        if name not in known:
            raise UsageError(
                f"There is no domain {shown(name)!r}.",
                remedy=closest(name, known)
                if known
                else "Make one: fl new domain NAME",
            )
    return [known[name] for name in dict.fromkeys(order.domains or known)]


def build_mesh(work: Work) -> Built:
    """Register the domains, and let the root project read them."""
    root = work.root
    try:
        for domain in domains_of(root):
            register(root, domain)
        missing, ready = unreadable(root), linked(root)
    except MeshError as error:
        return Built(part=MESH, state="failed", seconds=0.0, note=error.problem)
    if not ready:
        deps = _built(MESH, work.program, root, ("deps",), work.limit)
        if deps.state == "failed":
            return deps
    verb = "parse" if missing else "build"
    done = _built(MESH, work.program, root, (verb,), work.limit)
    if missing and done.state == "built":
        names = ", ".join(sorted(Path(path).stem for path in missing))
        note = f"only read, not written as tables: {names} has no database yet"
        return replace(done, note=note)
    return done


def build_catalog(work: Work) -> Built:
    """Write the catalog's site over what was built."""
    (mesh,) = (part for part in work.parts if part.part == MESH)
    if mesh.state != "built" or mesh.note:
        note = "the mesh has to be built first; the last catalog is still there"
        return Built(part=CATALOG, state="skipped", seconds=0.0, note=note)

    def site() -> str:
        made = build_site(work.root)
        return f"products: {made.products}, studies: {made.studies}, {made.index}"

    return timed(CATALOG, site)


def _built(
    part: str, program: str, folder: Path, words: tuple[str, ...], limit: float
) -> Built:
    before = run_number(folder / "target")
    start = time.monotonic()
    try:
        ran = run_step(program, folder, words, limit)
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
