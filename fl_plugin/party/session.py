"""What a party remembers of one run, from its opening to its close."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from fl_plugin.algorithms.base import Algorithm, Design
from fl_plugin.errors import MessageError
from fl_plugin.manifest.types import Product
from fl_plugin.party.rows import Rows
from fl_plugin.policy.types import Decision, Facts, Request
from fl_plugin.preparation.features import Feature, RawColumns, design
from fl_plugin.preparation.splits import Mask, Split
from fl_plugin.privacy.masking import PairwiseMasks

Floats = npt.NDArray[np.float64]

DESIGN_CACHE_BYTES = 512 * 2**20


@dataclass
class Session:
    """One run at one party. The only mutable state a party has between messages.

    Args:
        facts: What the opening decision was taken on; looked at again at each release.
        masks: None until the parties' keys are agreed, or where the study is plain.
        replies: Round to (digest of the ask, reply): a repeated ask gets the same
            bytes, another ask in the same round is refused.
    """

    run: str
    request: Request
    caller: str
    product: Product
    algorithm: Algorithm
    features: tuple[Feature, ...]
    target: str
    seed: int
    rows: Rows
    facts: Facts
    decision: Decision
    key: X25519PrivateKey
    raw: RawColumns | None = None
    masks: PairwiseMasks | None = None
    replies: dict[int, tuple[str, bytes]] = field(default_factory=dict)
    _designs: OrderedDict[Any, Design] = field(default_factory=OrderedDict)
    _held: int = 0

    @property
    def min_cohort(self) -> int:
        """The smallest number of rows a figure of this product may be about."""
        return self.decision.min_cohort

    def columns(self) -> RawColumns:
        """Return the coded rows, once the categories are agreed."""
        if self.raw is None:
            raise out_of_order()
        return self.raw

    def chosen(self, split: Split) -> Mask:
        """Return which rows a split selects."""
        return split.select(self.rows.hashes, self.seed)

    def design(self, split: Split, means: Floats, scales: Floats) -> Design:
        """Return the prepared rows of a split; recent ones are kept in memory."""
        key = (split, means.tobytes(), scales.tobytes())
        if key in self._designs:
            self._designs.move_to_end(key)
            return self._designs[key]
        made = design(self.columns(), self.chosen(split), means, scales)
        self._designs[key] = made
        self._held += made.x.nbytes
        while self._held > DESIGN_CACHE_BYTES and len(self._designs) > 1:
            _, dropped = self._designs.popitem(last=False)
            self._held -= dropped.x.nbytes
        return made


def read_splits(body: Mapping[str, Any]) -> Sequence[Split]:
    """Return the row selections that a message names under `splits`."""
    raw = body.get("splits")
    if not isinstance(raw, list) or not all(isinstance(s, dict) for s in raw):
        raise MessageError(
            "A message lists no row selections.",
            remedy="Check that every node runs the same version of fl_plugin.",
        )
    return [Split.read(s) for s in raw]


def out_of_order() -> MessageError:
    """Return the error for a message that comes before what it needs."""
    return MessageError(
        "A message came before the step it depends on.",
        remedy="Start the run again.",
    )
