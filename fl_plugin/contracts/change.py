"""One change, and the family that finds changes of its kind."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from fl_plugin.contracts.flat import Path
from fl_plugin.contracts.pairs import Comparison, Pair
from fl_plugin.contracts.verdict import Verdict

MOST_NAMES = 10  # in one sentence


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a family says of a difference.

    Args:
        kind: A stable code, such as `cohort.lowered`.
        sentence: What has changed, in words: never a value of data.
        paths: The facts that it explains, with everything below them.
        column: Where it is about one column.
        product: Where it is about no pair of products.
        stops: Grants that end with it, beside those that a new policy stops.
    """

    kind: str
    verdict: Verdict
    sentence: str
    paths: tuple[Path, ...] = ()
    column: str = ""
    product: str = ""
    stops: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Touched:
    """A consumer that a change is about.

    Args:
        through: "study" or "grant", and its name.
        address: Whom to write to.
    """

    consumer: str
    through: str
    address: str


@dataclass(frozen=True, kw_only=True)
class Accepted:
    """The stewards' approval that covers a loosening."""

    by: tuple[str, ...]
    at: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Change:
    """One change of a mesh's contracts, with whom it touches."""

    kind: str
    verdict: Verdict
    sentence: str
    product: str = ""
    version: int | None = None
    column: str = ""
    consumers: tuple[Touched, ...] = field(default=())
    stops: tuple[str, ...] = ()
    accepted: Accepted | None = None

    @property
    def where(self) -> str:
        """The product, its version and the column, `d.p v1, age`."""
        version = f" v{self.version}" if self.version is not None else ""
        column = f", {self.column}" if self.column else ""
        return f"{self.product}{version}{column}"

    @property
    def weighs(self) -> Verdict:
        """The verdict that the exit code is made from: what is approved is safe."""
        return "safe" if self.accepted else self.verdict


class Family:
    """A family of changes. It answers for products, for a whole mesh, or for both.

    A difference that no family explains counts as loosened.
    """

    name: ClassVar[str] = ""

    def of_product(self, pair: Pair) -> Iterable[Found]:  # noqa: ARG002 the protocol's
        """Return what has changed between two states of one product."""
        return ()

    def of_mesh(self, both: Comparison) -> Iterable[Found]:  # noqa: ARG002 as above
        """Return what has changed and is about no single pair of products."""
        return ()


def listed(words: Iterable[str]) -> str:
    """Return names as they stand in a sentence, the first ten of them."""
    names = sorted(words)
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more


def shared_columns(pair: Pair) -> Iterator[str]:
    """Yield the columns that both sides have, in order of name."""
    yield from sorted(pair.base.columns.keys() & pair.head.columns.keys())
