"""Which product of the base is which product of the head.

A product is its name and version. What is new is compared all the same: a new version
with the newest one before it, a renamed product with the one that it most looks like,
a new product with the one whose columns it has. Otherwise a policy could be loosened by
moving the data to where it is looser.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Literal

from fl_plugin.contracts.behind import Behind
from fl_plugin.contracts.flat import Path, differences, flatten, state_digest
from fl_plugin.contracts.side import Side
from fl_plugin.manifest.types import Product, Study
from fl_plugin.policy.sql_types import canonical_type

How = Literal["same", "versioned", "new_version", "moved", "copied"]
ALIKE = 0.6  # share of columns that a moved product still has
_NEVER = -1


@dataclass(frozen=True)
class Pair:
    """A product before and after."""

    base: Product
    head: Product
    how: How
    behind_base: Behind
    behind_head: Behind

    @cached_property
    def differing(self) -> tuple[Path, ...]:
        """The paths of every fact that differs."""
        return tuple(
            differences(
                flatten(self.base, self.behind_base),
                flatten(self.head, self.behind_head),
            )
        )

    @property
    def promised(self) -> bool:
        """Whether anybody could rely on the base: a draft promises nothing."""
        base = self.base
        return (
            base.access == "public"
            and base.contract_enforced
            and base.contract.status == "active"
        )

    @property
    def digests(self) -> tuple[str, str]:
        """The state digests of both sides, as an approval names them."""
        return (
            state_digest(self.base, self.behind_base),
            state_digest(self.head, self.behind_head),
        )


@dataclass(frozen=True)
class Comparison:
    """Two sides, and which product is which.

    Args:
        removed: Products of the base without a counterpart.
        added: Products of the head without one.
        domain: The only one that is looked at; None for all.
        studies: Of both sides, and of the mesh where the sides are one domain's.
    """

    base: Side
    head: Side
    pairs: tuple[Pair, ...]
    removed: tuple[Product, ...]
    added: tuple[Product, ...]
    domain: str | None
    now: datetime
    studies: Mapping[str, Study]

    def covers(self, domain: str) -> bool:
        """Return whether a domain is looked at."""
        return self.domain is None or self.domain == domain


def compare(base: Side, head: Side, domain: str | None, now: datetime) -> Comparison:
    """Return who is who."""
    old = {_key(p): p for p in base.products if domain in {None, p.domain}}
    new = {_key(p): p for p in head.products if domain in {None, p.domain}}
    matched = dict(_matched(old, new))
    used = {k for k, how in matched.values() if how not in {"new_version", "copied"}}
    return Comparison(
        base=base,
        head=head,
        pairs=tuple(
            _pair(base, head, (old[old_key], new[key]), how)
            for key, (old_key, how) in sorted(matched.items())
        ),
        removed=tuple(p for key, p in sorted(old.items()) if key not in used),
        added=tuple(
            p
            for key, p in sorted(new.items())
            if key not in matched or matched[key][1] == "copied"
        ),
        domain=domain,
        now=now,
        studies={**head.manifest.studies, **base.manifest.studies},
    )


Key = tuple[str, int]


def _key(product: Product) -> Key:
    version = product.version
    return product.name, _NEVER if version is None else version


def _pair(base: Side, head: Side, both: tuple[Product, Product], how: How) -> Pair:
    return Pair(*both, how, base.behind_of(both[0]), head.behind_of(both[1]))


def _matched(
    old: dict[Key, Product], new: dict[Key, Product]
) -> Iterator[tuple[Key, tuple[Key, How]]]:
    for key in sorted(old.keys() & new.keys()):
        yield key, (key, "same")
    gone = {key: p for key, p in old.items() if key not in new}
    fresh = {key: p for key, p in new.items() if key not in old}
    for key in sorted(fresh):
        before = [k for k in old if k[0] == key[0]]
        if not before:
            continue
        nearest = _nearest(key, old, before)
        first_version = nearest[1] == _NEVER and nearest in gone
        if first_version:
            gone.pop(nearest)
        yield key, (nearest, "versioned" if first_version else "new_version")
        fresh.pop(key)
    moved = dict(_moved(gone, fresh))
    yield from moved.items()
    for key in sorted(fresh.keys() - moved.keys()):
        model = _model_for(fresh[key], old)
        if model is not None:
            yield key, (model, "copied")


def _model_for(product: Product, old: dict[Key, Product]) -> Key | None:
    """Return the product of the same domain whose columns a new one has."""
    scored = [
        (_likeness(before, product), key)
        for key, before in sorted(old.items())
        if before.domain == product.domain
    ]
    score, key = max(scored, default=(0.0, None))
    return key if score >= ALIKE else None


def _nearest(key: Key, old: dict[Key, Product], before: list[Key]) -> Key:
    """Return the newest version before this one, else the latest there is."""
    earlier = [k for k in before if k[1] < key[1]]
    return max(earlier) if earlier else max(before, key=lambda k: _latest(old[k], k))


def _latest(product: Product, key: Key) -> tuple[bool, int]:
    return product.version == product.latest_version, key[1]


def _moved(
    gone: dict[Key, Product], fresh: dict[Key, Product]
) -> Iterator[tuple[Key, tuple[Key, How]]]:
    """Pair the likest first; a product is moved once."""
    scored = sorted(
        (-_likeness(before, after), old_key, key)
        for old_key, before in gone.items()
        for key, after in fresh.items()
    )
    seen: set[Key] = set()
    for score, old_key, key in scored:
        if -score < ALIKE or old_key in seen or key in seen:
            continue
        seen |= {old_key, key}
        yield key, (old_key, "moved")


def _likeness(before: Product, after: Product) -> float:
    if before.relation == after.relation:
        return 2.0
    one, other = (
        {(n, canonical_type(c.data_type)) for n, c in p.columns.items()}
        for p in (before, after)
    )
    return len(one & other) / max(len(one | other), 1)
