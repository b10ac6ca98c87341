"""Products and domains that came, went, moved or can no longer be read."""

from collections.abc import Iterator

from fl_plugin.contracts.change import Family, Found, listed
from fl_plugin.contracts.flat import Path
from fl_plugin.contracts.pairs import Comparison, Pair
from fl_plugin.manifest.types import Product

_NAMED: tuple[Path, ...] = (("name",), ("domain",), ("contract", "product"))
_VERSIONED: tuple[Path, ...] = (("version",), ("latest_version",))
_PLACED: tuple[Path, ...] = (("unique_id",), ("relation",))


class PresenceChanges(Family):
    """A product that is gone breaks; one that cannot be read is gone as well."""

    name = "presence"

    def of_product(self, pair: Pair) -> Iterator[Found]:
        """Say in which way this is not the same product as before."""
        base, head = pair.base, pair.head
        if pair.how == "moved":
            yield Found(
                kind="product.moved",
                verdict="breaking",
                sentence=f"It was {base.name}: nobody finds it by its old name.",
                paths=(*_NAMED, *_PLACED, *_VERSIONED),
            )
        elif pair.how == "copied":
            yield Found(
                kind="product.copied",
                verdict="review",
                sentence=f"It is new and has the columns of {base.name}.",
                paths=(*_NAMED, *_PLACED, *_VERSIONED),
            )
        elif pair.how == "new_version":
            yield Found(
                kind="version.added",
                verdict="safe",
                sentence=f"Version {head.version} is new; others may stay with theirs.",
                paths=(*_VERSIONED, ("unique_id",), ("relation", "identifier")),
            )
        elif pair.how == "versioned":
            yield Found(
                kind="version.introduced",
                verdict="review",
                sentence=f"What had no version is now version {head.version}.",
                paths=(*_VERSIONED, ("unique_id",), ("relation", "identifier")),
            )
        elif base.unique_id != head.unique_id:
            yield Found(
                kind="product.renumbered",
                verdict="review",
                sentence="dbt knows it by another id.",
                paths=(("unique_id",),),
            )

    def of_mesh(self, both: Comparison) -> Iterator[Found]:
        """Say what has no counterpart."""
        copies = {p.head.unique_id for p in both.pairs if p.how == "copied"}
        for product in both.removed:
            yield _removed(product, both)
        for product in both.added:
            if product.unique_id not in copies:
                yield _added(product, both)
        yield from _unreadable(both)
        yield from _domains(both)


def _removed(product: Product, both: Comparison) -> Found:
    remaining = [p for p in both.head.products if p.name == product.name]
    ends, today = product.deprecation_date, both.now.date()
    promised = product.access == "public" and product.contract.status == "active"
    over = ends is not None and ends <= today
    why = "past its last day" if over else "not in use any more"
    if product.name in both.head.manifest.problems:
        told = "Its contract is not valid any more, so it is no product."
        return _about(product, "product.invalid", told, breaks=True)
    if over or not promised:
        return _about(product, "product.ended", f"It is gone; it was {why}.")
    if remaining:
        told = "This version is gone. Keep it beside the new one until its last day."
        return _about(product, "version.removed", told, breaks=True)
    return _about(product, "product.removed", "The product is gone.", breaks=True)


def _about(
    product: Product, kind: str, sentence: str, *, breaks: bool = False
) -> Found:
    version = f" v{product.version}" if product.version is not None else ""
    return Found(
        kind=kind,
        verdict="breaking" if breaks else "safe",
        sentence=sentence,
        product=f"{product.name}{version}",
    )


def _added(product: Product, both: Comparison) -> Found:
    if product.name in both.base.manifest.problems:
        return Found(
            kind="product.readable",
            verdict="loosened",
            sentence="It could not be read before: there is nothing to compare with.",
            product=product.name,
        )
    return Found(
        kind="product.added",
        verdict="review",
        sentence="The product is new: its whole contract is to be read.",
        product=product.name,
    )


def _unreadable(both: Comparison) -> Iterator[Found]:
    """Yield what is newly broken and was no product of the base either."""
    told = {p.name for p in both.removed}
    new = both.head.manifest.problems.keys() - both.base.manifest.problems.keys()
    for name in sorted(new):
        product = ".".join(name.split(".")[:2])
        if product in told or not both.covers(name.partition(".")[0]):
            continue
        yield Found(
            kind="contract.invalid",
            verdict="breaking",
            sentence="It cannot be read: see fl contract lint.",
            product=name,
        )


def _domains(both: Comparison) -> Iterator[Found]:
    before, after = (
        {p.domain for p in side.products if both.covers(p.domain)}
        for side in (both.base, both.head)
    )
    invalid = {name.partition(".")[0] for name in both.head.manifest.problems}
    gone = before - after - invalid
    if gone:
        yield Found(
            kind="domain.removed",
            verdict="breaking",
            sentence=f"No product is left of: {listed(gone)}.",
            product=listed(gone),
        )
    if after - before:
        yield Found(
            kind="domain.added",
            verdict="review",
            sentence=f"New among the domains: {listed(after - before)}.",
            product=listed(after - before),
        )
