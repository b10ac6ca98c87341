"""What a party remembers of a vertical run, beside its session."""

from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fl_plugin.algorithms.base import Block, DesignColumn
from fl_plugin.alignment.lookup import Expanded, places_of
from fl_plugin.alignment.order import MatchedRows
from fl_plugin.alignment.party import MatchingParty
from fl_plugin.errors import TrainingError
from fl_plugin.files import remove
from fl_plugin.manifest.study_contract import PreparationPlan
from fl_plugin.party.domain import Domain
from fl_plugin.party.session import Session, out_of_order
from fl_plugin.preparation.features import Feature, Schema
from fl_plugin.preparation.fit import prepare_alone
from fl_plugin.preparation.prepared import Prepared
from fl_plugin.preparation.raw import Mask, RawBlock, RawMemory
from fl_plugin.privacy.channel import PeerChannel
from fl_plugin.privacy.randomness import Randomness
from fl_plugin.summand import Arrays, Floats
from fl_plugin.vertical.base import (
    Scorer,
    Side,
    VerticalAlgorithm,
    VerticalTask,
    VerticalWorker,
)
from fl_plugin.vertical.installed import find_vertical

Places = npt.NDArray[np.int64]
CODES = "codes"
_DRAWS = b"fl_plugin draws of a vertical fit 1"  # Ed25519: the same signature each time


@dataclass(frozen=True, kw_only=True)
class Columns:
    """A party's own columns as its designs have them.

    Args:
        prepared: Fitted on its own matched training rows; nobody else sees it.
        codes: Whether categories are codes, with one more for what is unknown.
    """

    prepared: Prepared
    codes: bool

    @property
    def all(self) -> tuple[DesignColumn, ...]:
        """The columns in order."""
        found = self.prepared.columns
        if not self.codes:
            return found
        return tuple(replace(c, bins=c.bins + 1) if c.categorical else c for c in found)

    def block(self, raw: RawBlock) -> Block:
        """Return rows as the algorithm wants them."""
        block = self.prepared.design_block(raw)
        if not self.codes:
            return block
        x = block.x.copy()
        for i, column in enumerate(self.prepared.columns):
            if column.categorical:
                x[i, x[i] < 0] = column.bins
        return Block(x, block.y, block.hashes)


@dataclass(frozen=True, kw_only=True)
class Lookup:
    """One other domain's rows, of which each own row needs one.

    Args:
        key: The own column that names them; its values may repeat.
        matching: Of its distinct keys.
        first: (keys,) the first distinct value that is this key.
        which: (values,) the key of each distinct value, -1 for none.
        codes: (rows,) the value of each own row; as many as there are for none.
    """

    key: str
    matching: MatchingParty
    first: Places
    which: Places
    codes: Places

    @property
    def places(self) -> Places:
        """(rows,) the other domain's matched row that each own row needs, or -1."""
        of_value = places_of(self.matching.matched, self.first, self.which)
        return np.append(of_value, -1)[self.codes]


@dataclass
class Matched:
    """One vertical run at one party.

    Args:
        channel: To the other parties.
        folder: The domain's own, where its parts of models lie.
        matching: How it finds the own rows that others have; the one under way.
        peer: With whom alone, where rows are looked up by several keys.
        lookups: By domain, where the own rows repeat its keys.
        expanded: The run's rows, where a key may come many times.
        raw: Those rows, coded.
        test: Which of them are held out.
        chosen: Whether a message has said which rows are learned from, or that all
            are scored.
        columns: The own ones; None until they are prepared.
        part: The own part of the model, once it is kept or recalled.
        kept: Where this run has written it; it goes with a run that fails.
        labelled: Whether the domain has the target, also where it is not read now.
        assessed: Whether figures of the predictions were told.
    """

    channel: PeerChannel
    folder: Path
    matching: MatchingParty | None = None
    peer: str | None = None
    lookups: dict[str, Lookup] = field(default_factory=dict)
    expanded: Expanded | None = None
    raw: RawBlock | None = None
    test: Mask = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))
    chosen: bool = False
    columns: Columns | None = None
    algorithm: VerticalAlgorithm | None = None
    task: VerticalTask | None = None
    worker: VerticalWorker | None = None
    scorer: Scorer | None = None
    part: Arrays | None = None
    kept: Path | None = None
    labelled: bool = False
    assessed: bool = False

    def choose(self) -> None:
        """Note that a run's rows are chosen; a run chooses once, also in vain.

        How many rows two shares hold out, or whether they are too few, tells whether a
        customer between the two is matched, to whoever knows that customer's key.

        Raises:
            MessageError: They were chosen before.
        """
        if self.chosen:
            raise out_of_order()
        self.chosen = True

    def forget(self) -> None:
        """Remove the part that this run has written."""
        if self.kept is not None:
            with suppress(OSError):  # what stays is found by `fl retention apply`
                remove(self.kept)
                self.kept.parent.rmdir()  # only if no other run's part lies there

    def found(self) -> MatchedRows:
        """Return which own rows others have too, in the order that all agree on."""
        if self.matching is None:
            raise out_of_order()
        return self.matching.matched

    @property
    def places(self) -> Places:
        """The own rows of the run, in the order that all agree on."""
        if self.expanded is not None:
            return self.expanded.rows
        if self.peer is not None:
            raise out_of_order()
        return self.found().rows

    def rows(self) -> RawBlock:
        """Return the matched rows, coded."""
        if self.raw is None:
            raise out_of_order()
        return self.raw

    def designed(self) -> Columns:
        """Return the prepared columns."""
        if self.columns is None:
            raise out_of_order()
        return self.columns

    def side(
        self, party: str, chosen: Mask, draws: Randomness, *, labelled: bool
    ) -> Side:
        """Return the party's place in a fit or in scoring, over the chosen rows."""
        columns = self.designed()
        block = columns.block(self.rows().at(chosen))
        y: Floats = block.y if labelled else np.zeros(0)
        return Side(
            party=party,
            columns=columns.all,
            block=Block(block.x, y),
            channel=self.channel,
            secret=Domain(self.folder).identity.sign(_DRAWS).encode(),
            draws=draws,
        )


def matched_of(session: Session) -> Matched:
    """Return the vertical half of a session.

    Raises:
        MessageError: The run is not a vertical one.
    """
    if session.matched is None:
        raise out_of_order()
    return session.matched


def features_with_categories(session: Session) -> tuple[Feature, ...]:
    """Return the features; categories that no contract lists are the party's own.

    They stay in the domain: a value is a category where enough rows have it.
    """
    found = []
    for feature in session.wanted.features:
        categories = feature.categories
        if feature.kind == "categorical" and categories is None:
            categories = session.rows.frequent(feature.name, session.min_cohort)
            if not categories:
                raise TrainingError(
                    f"No value of {feature.name} of {session.product.name} is frequent "
                    "enough to be told from others.",
                    remedy="Leave it out of the study.",
                )
        found.append(replace(feature, categories=categories))
    return tuple(found)


def coded(
    session: Session, places: Places, known: tuple[Feature, ...] | None = None
) -> tuple[tuple[Feature, ...], RawBlock]:
    """Return the features, and the rows at these places, coded.

    Args:
        session: An open run.
        places: Which rows, in which order.
        known: The features with their categories; None to find these in the rows.
    """
    features = features_with_categories(session) if known is None else known
    blocks = list(session.rows.raw(features).blocks())
    numeric = [b.numeric for b in blocks]
    codes = zip(*(b.codes for b in blocks), strict=True)
    return features, RawBlock(
        numeric=np.concatenate(numeric, axis=1)[:, places],
        codes=tuple(np.concatenate(c)[places] for c in codes),
        target=session.rows.target[places],
    )


def prepared_columns(
    session: Session, features: tuple[Feature, ...], raw: RawBlock, train: Mask
) -> Columns:
    """Prepare the party's own columns, fitted on its matched training rows.

    Raises:
        TrainingError: They allow no preparation.
    """
    prepares = find_vertical(session.request.algorithm).prepares
    codes = prepares == CODES
    schema = Schema(
        features=features,
        target=session.wanted.predicts,
        prepares="matrix" if codes else prepares,
        min_cohort=session.min_cohort,
        edges=session.plan.edges,
    )
    plan: PreparationPlan = session.plan
    if codes:
        plan = plan.model_copy(update={"categorical": "ordinal"})
    prepared = prepare_alone(schema, plan, RawMemory(raw), train)
    return Columns(prepared=prepared, codes=codes)
