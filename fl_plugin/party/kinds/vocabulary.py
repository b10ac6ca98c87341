"""Which values a text column has, where no contract lists them."""

from typing import ClassVar

from fl_plugin.errors import PolicyError
from fl_plugin.manifest.uses import EVALUATE, TRAIN_HORIZONTAL
from fl_plugin.messages import Ask
from fl_plugin.party.answer import Answer, Kind
from fl_plugin.party.session import Session


class Vocabulary(Kind):
    """Give the values that at least `min_cohort` rows have; rarer ones stay unknown.

    A value is data: it leaves only for a column that the contract neither restricts
    nor marks as personal. Elsewhere the contract has to list the accepted values.
    """

    name: ClassVar[str] = "vocabulary"
    opened_by: ClassVar[frozenset[str]] = frozenset({TRAIN_HORIZONTAL, EVALUATE})
    releases: ClassVar[str] = "names of values that many rows have"

    def answer(self, session: Session, _ask: Ask) -> Answer:
        """Return column name to its frequent values."""
        asked = (*session.wanted.features, *session.wanted.protected)
        open_features = [f for f in asked if f.categories is None]
        found: dict[str, list[str]] = {}
        for feature in open_features:
            if feature.kind != "categorical":
                continue
            self._check(session, feature.name)
            frequent = session.rows.frequent(feature.name, session.min_cohort)
            found[feature.name] = list(frequent)
        return Answer(body={"values": found})

    def _check(self, session: Session, column: str) -> None:
        contract = session.product.columns[column].contract
        if contract.pii or "restricted" in {
            contract.classification,
            session.product.contract.classification,
        }:
            raise PolicyError(
                f"The values of {column} of {session.product.name} may not leave "
                f"{session.product.domain}.",
                remedy="List them in the contract with an accepted_values test.",
                reason="vocabulary.restricted",
                domain=session.product.domain,
            )
