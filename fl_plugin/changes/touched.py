"""Whom a change of a product touches, by the studies and grants that depend on it."""

from dataclasses import dataclass

from fl_plugin.changes.published import (
    Published,
    PublishedGrant,
    PublishedStudy,
    PublishedVersion,
)


@dataclass(frozen=True, kw_only=True)
class Touched:
    """Owners of live exposures.

    Args:
        concerns: Their addresses.
        consumers: Their names.
        studies: That depend on the product.
        stopped: Approved grants that the current policy is not the one of.
    """

    concerns: tuple[str, ...]
    consumers: tuple[str, ...]
    studies: tuple[str, ...]
    stopped: tuple[str, ...]


def touched_by(version: PublishedVersion, published: Published) -> Touched:
    """Return whom it touches that something is different about a version."""
    studies = [s for s in published.studies.values() if version.node in s.nodes]
    grants = [
        g for g in published.grants.values() if g.live and version.node in g.nodes
    ]
    return Touched(
        concerns=_once([s.owner for s in studies] + [g.requested_by for g in grants]),
        consumers=_once([s.consumer for s in studies] + [g.consumer for g in grants]),
        studies=_once([s.name for s in studies]),
        stopped=_once([g.name for g in grants if g.policy != version.fingerprint]),
    )


def of_grant(
    grant: PublishedGrant, published: Published, *, stewards: bool
) -> tuple[str, ...]:
    """Return who asked for a grant and whose study it is for, and who decides."""
    study = published.studies.get(grant.study)
    found = [grant.requested_by, study.owner if study else ""]
    return _once([*found, *(stewards_of(grant, published) if stewards else ())])


def stewards_of(
    thing: PublishedGrant | PublishedStudy, published: Published
) -> tuple[str, ...]:
    """Return the stewards of every product that a grant or a study is about."""
    versions = (published.versions.get(node) for node in thing.nodes)
    return _once([s for v in versions if v is not None for s in v.stewards])


def _once(words: list[str]) -> tuple[str, ...]:
    return tuple(sorted({word for word in words if word}))
