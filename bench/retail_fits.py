"""Ways to rank the retail mesh's pairs that need the joined table: no run has it.

The pooled rows, as one place would hold them; boosted trees over some of their columns;
and the study's own network, over all columns in one place or cut as in the mesh.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sklearn.ensemble import HistGradientBoostingClassifier

from bench.vertical_fits import Split, fit, standardised
from fl_plugin.algorithms.base import DesignColumn
from fl_plugin.evaluation.ranking_per_user import Ranked, rank_per_user
from fl_plugin.summand import Floats
from fl_plugin.vertical.base import Side
from fl_plugin.vertical.split_network import SplitNetwork

SALES = "sales"
PRODUCTS = {SALES: "pairs", "customer": "profile", "product": "articles"}
NUMBERS = {
    SALES: ("popularity", "price", "usual_price", "orders", "online_share"),
    "customer": ("age",),
}
CODES = {
    "customer": ("club_member_status", "fashion_news_frequency"),
    "product": ("product_group_name", "colour_group_name", "index_name"),
}


@dataclass(frozen=True, kw_only=True)
class Coded(Split):
    """A split some of whose columns are codes.

    Args:
        codes: By party, how many codes a column has, by its place.
    """

    codes: Mapping[str, Mapping[int, int]] = field(default_factory=dict)

    def joined(self) -> "Coded":
        """Return all columns at the label party: what one place would learn from."""
        found: dict[int, int] = {}
        begin = 0
        for party, x in self.x.items():
            of_party = self.codes.get(party, {})
            found |= {begin + place: bins for place, bins in of_party.items()}
            begin += len(x)
        return replace(self, x=super().joined().x, codes={self.label_party: found})

    def _side(self, party: str, rows: npt.NDArray[np.bool_], *, told: bool) -> Side:
        side = super()._side(party, rows, told=told)
        codes = self.codes.get(party, {})
        columns = (
            DesignColumn(
                name=c.name,
                feature=c.feature,
                categorical=place in codes,
                bins=codes.get(place, 0),
            )
            for place, c in enumerate(side.columns)
        )
        return replace(side, columns=tuple(columns))


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """Every pair with the columns of all domains.

    Args:
        split: Columns by domain, numbers before codes; `is_bought`; what is judged.
        users: (rows,) whose pair it is.
    """

    split: Coded
    users: npt.NDArray[np.int64]

    def ranked(self, scores: Floats) -> Ranked:
        """Return how high each judged user's purchase stands by these scores."""
        unseen = self.split.unseen
        return rank_per_user(scores, self.split.judged, self.users[unseen])

    def by_trees(self, *domains: str) -> Ranked:
        """Rank by boosted trees over these domains' columns of the pooled rows."""
        split = self.split
        x = np.concatenate([split.x[domain] for domain in domains]).T
        are_codes = [
            place in split.codes.get(domain, {})
            for domain in domains
            for place in range(len(split.x[domain]))
        ]
        model = HistGradientBoostingClassifier(
            random_state=0, max_iter=300, categorical_features=are_codes
        )
        model.fit(x[~split.unseen], split.y[~split.unseen])
        return self.ranked(model.predict_proba(x[split.unseen])[:, 1])

    def by_network(self, network: SplitNetwork, labels: str, seed: int) -> Ranked:
        """Rank by the network cut between the domains, without a mesh around it."""
        return self.ranked(fit(network, self.split, labels, seed).scores)

    def by_pooled(self, network: SplitNetwork, labels: str, seed: int) -> Ranked:
        """Rank by the network over all columns in one place, its cut as wide as all."""
        wide = replace(network, cut=network.cut * len(self.split.x))
        return self.ranked(fit(wide, self.split.joined(), labels, seed).scores)


def pooled(mesh: Path) -> pa.Table:
    """Return what no run ever joins: every pair with the columns of all domains."""
    with duckdb.connect() as base:
        for domain in PRODUCTS:
            path = mesh / "domains" / domain / "data" / f"{domain}.duckdb"
            base.execute(f"attach '{path}' as {domain}_file (read_only)")
        pairs, customers, articles = (f"{d}_file.{p}_v1" for d, p in PRODUCTS.items())
        return base.sql(
            "select *, decided_on = max(decided_on) over (partition by customer_id) "  # noqa: S608 names of ours
            f"as is_test from {pairs} join {customers} using (customer_id) "
            f"join {articles} using (article_id) order by pair_id"
        ).to_arrow_table()


def pairs_of(mesh: Path) -> Pairs:
    """Return the pairs of a mesh that is built."""
    table = pooled(mesh)
    unseen = table["is_test"].to_numpy(zero_copy_only=False)
    x: dict[str, Floats] = {}
    codes: dict[str, dict[int, int]] = {}
    for domain in PRODUCTS:
        rows: list[Floats] = []
        for name in NUMBERS.get(domain, ()):
            rows += [*standardised(_filled(table[name], unseen)[None], unseen)]
        for name in CODES.get(domain, ()):
            places = _places(table[name])
            codes.setdefault(domain, {})[len(rows)] = int(places.max()) + 1
            rows.append(places.astype(np.float64))
        x[domain] = np.stack(rows)
    bought = table["is_bought"].to_numpy(zero_copy_only=False)
    split = Coded(
        x=x,
        y=bought.astype(np.float64),
        unseen=unseen,
        label_party=SALES,
        codes=codes,
    )
    return Pairs(split=split, users=_places(table["customer_id"]))


def _places(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """Return the place of each text among all of them; a missing one is a text too."""
    texts = column.fill_null("").to_numpy(zero_copy_only=False).astype(str)
    return np.asarray(np.unique(texts, return_inverse=True)[1], dtype=np.int64)


def _filled(column: pa.ChunkedArray, unseen: npt.NDArray[np.bool_]) -> Floats:
    """Return numbers; a missing one is the middle of the training rows'."""
    values = column.to_numpy(zero_copy_only=False).astype(np.float64)
    return np.asarray(np.where(np.isnan(values), np.nanmedian(values[~unseen]), values))
