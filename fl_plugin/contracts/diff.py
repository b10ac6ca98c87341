"""The policy diff: every change between two manifests, each with its verdict."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

from fl_plugin.contracts.change import Change, Family, Found
from fl_plugin.contracts.flat import Path, is_below, is_policy
from fl_plugin.contracts.pairs import Comparison, Pair
from fl_plugin.contracts.touched import consumers, stopped
from fl_plugin.contracts.verdict import VERDICTS, Verdict, exit_code, worst
from fl_plugin.discovery import discover
from fl_plugin.manifest.types import Product
from fl_plugin.policy.fingerprint import policy_fingerprint

ROOM = "fl_plugin.contracts.changes"
Accept = Callable[[Pair, list[Change]], list[Change]]


@dataclass(frozen=True, kw_only=True)
class ContractDiff:
    """All changes, the gravest first."""

    changes: tuple[Change, ...]
    base: str = ""
    head: str = ""
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The gravest verdict that no approval covers."""
        return worst(change.weighs for change in self.changes)

    @property
    def exit_code(self) -> int:
        """0, 1 where something breaks, 2 where something is loosened."""
        return exit_code(self.verdict)

    def of(self, *verdicts: Verdict) -> tuple[Change, ...]:
        """Return the changes that weigh as much."""
        return tuple(c for c in self.changes if c.weighs in verdicts)


@cache
def families() -> tuple[Family, ...]:
    """Return one of each family, the plug-ins' too."""
    return tuple(kind() for kind in discover(ROOM, Family, ROOM).values())


def changes(both: Comparison, accept: Accept) -> tuple[Change, ...]:
    """Return every change between two sides, the gravest first.

    Args:
        both: The two sides.
        accept: Given a pair and its changes, returns them with what is approved.
    """
    found = [c for pair in both.pairs for c in accept(pair, of_pair(pair, both))]
    found += [_of_mesh(f, both) for kind in families() for f in kind.of_mesh(both)]
    return tuple(sorted(found, key=_gravest_first))


def _gravest_first(change: Change) -> tuple[int, str, str, str]:
    weight = -VERDICTS.index(change.weighs)
    return weight, change.product, change.column, change.kind


def explained(pair: Pair) -> list[Found]:
    """Return what the families say of a pair, and what none of them explains."""
    found = [f for kind in families() for f in kind.of_product(pair)]
    told = [path for f in found for path in f.paths]
    left = [p for p in pair.differing if not any(is_below(p, above) for above in told)]
    found += [_unknown(path) for path in left]
    policies = [policy_fingerprint(p) for p in (pair.base, pair.head)]
    if policies[0] != policies[1] and not any(map(is_policy, told)):
        found += [] if left else [_unknown(("policy",))]
    return found


def _unknown(path: Path) -> Found:
    column = path[1] if path[0] == "columns" and len(path) > 1 else ""
    return Found(
        kind="unknown",
        verdict="loosened",
        sentence=f"Unknown change of {'.'.join(path)}: taken for a loosening.",
        paths=(path,),
        column=column,
    )


def of_pair(pair: Pair, both: Comparison) -> list[Change]:
    """Return what has changed of one product, with whom each change touches."""
    found = [_weighed(f, pair) for f in explained(pair)]
    new = pair.how in {"new_version", "copied"}
    if pair.how == "copied":
        # Nobody relies on a new product; it must only not be looser than the other.
        found = [f for f in found if f.verdict in {"loosened", "review"}]
    ends = () if new else stopped(both, pair.base, pair.head)
    return [_change(one, pair, both, ends) for one in found]


def _change(one: Found, pair: Pair, both: Comparison, ends: tuple[str, ...]) -> Change:
    policy = any(map(is_policy, one.paths))
    told = one.verdict != "safe" or (policy and bool(ends))
    return Change(
        kind=one.kind,
        verdict=one.verdict,
        sentence=one.sentence,
        product=pair.head.name,
        version=pair.head.version,
        column=one.column,
        consumers=consumers(both, pair.base, one.column) if told else (),
        stops=ends if policy else (),
    )


def _weighed(found: Found, pair: Pair) -> Found:
    """Return a breaking change as safe where nobody can have relied on it."""
    if found.verdict != "breaking":
        return found
    if pair.how == "new_version":
        told = f"{found.sentence} Only in version {pair.head.version}."
        return replace(found, verdict="safe", sentence=told)
    if not pair.promised:
        told = f"{found.sentence} Nobody could use it before."
        return replace(found, verdict="safe", sentence=told)
    return found


def _of_mesh(found: Found, both: Comparison) -> Change:
    product = _named(found, both)
    touched = consumers(both, product) if product else ()
    ends = (
        stopped(both, product, None) if product and found.verdict == "breaking" else ()
    )
    return Change(
        kind=found.kind,
        verdict=found.verdict,
        sentence=found.sentence,
        product=found.product,
        consumers=touched,
        stops=found.stops or ends,
    )


def _named(found: Found, both: Comparison) -> Product | None:
    for product in both.base.products:
        version = f" v{product.version}" if product.version is not None else ""
        if found.product in {product.name, f"{product.name}{version}"}:
            return product
    return None
