"""The retail mesh: how high each customer's next purchase stands among 99 others.

`python -m bench.retail` copies `examples/retail` (or takes `--mesh DIR`, a copy that is
built already), makes up purchases (SYNTHETIC), builds the domains, trains the study and
prints hit rates and NDCG with their intervals, beside chance, popularity, trees over
each domain's own columns, and trees over the pooled rows: what one place would get.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.preprocessing import OrdinalEncoder

from bench.figures import Figure, finish, parser
from fl_plugin import Mesh
from fl_plugin.evaluation.interval import Interval
from fl_plugin.evaluation.ranking_per_user import NAMES, Ranked, rank_per_user
from fl_plugin.registry.run_vertical import Ranking

EXAMPLE = Path(__file__).parents[1] / "examples" / "retail"
STUDY, DOMAINS = "recommendation", ("sales", "customer", "product")
PRODUCTS = {"sales": "pairs", "customer": "profile", "product": "articles"}
OF = {
    "sales": ("popularity", "price", "usual_price", "orders", "online_share"),
    "customer": ("club_member_status", "fashion_news_frequency", "age"),
    "product": ("product_group_name", "colour_group_name", "index_name"),
}
WIDE, GAP_BAR = 0.1, 0.05
Table = dict[str, npt.NDArray[np.object_]]


def built(folder: Path, customers: int) -> Path:
    """Return a copy of the example, built and with a salt."""
    mesh = folder / "retail"
    own = shutil.ignore_patterns("*.duckdb", "*.parquet", "target", "logs", "ledger")
    shutil.copytree(EXAMPLE, mesh, ignore=own)  # follows the links to shared files
    commands = (
        ("purchases.py", "--customers", str(customers)),
        ("-m", "fl_plugin", "salt", "new", *DOMAINS),
        ("-m", "fl_plugin", "build", "--domain-only"),
        ("-m", "dbt.cli.main", "deps", "--quiet"),
        ("-m", "dbt.cli.main", "parse", "--quiet"),
    )
    for command in commands:
        subprocess.run(  # noqa: S603 our own commands
            [sys.executable, *command], cwd=mesh, check=True
        )
    return mesh


def pooled(mesh: Path) -> Table:
    """Return what no run ever joins: every pair with the columns of all domains."""
    with duckdb.connect() as base:
        for domain in DOMAINS:
            path = mesh / "domains" / domain / "data" / f"{domain}.duckdb"
            base.execute(f"attach '{path}' as {domain}_file (read_only)")
        tables = [f"{d}_file.{PRODUCTS[d]}_v1" for d in DOMAINS]
        found = base.execute(
            "select *, decided_on = max(decided_on) over (partition by customer_id) "  # noqa: S608 names of ours
            f"as is_test from {tables[0]} join {tables[1]} using (customer_id) "
            f"join {tables[2]} using (article_id) order by pair_id"
        )
        return {n: np.asarray(c, dtype=object) for n, c in found.fetchnumpy().items()}


def trees(table: Table, columns: tuple[str, ...]) -> Ranked:
    """Rank by boosted trees over these columns of the pooled rows."""
    test, y = table["is_test"].astype(bool), table["is_bought"].astype(float)
    numbers = OF["sales"] + ("age",)
    texts = [c for c in columns if c not in numbers]
    parts = [
        np.ma.filled(table[c].astype(float), np.nan)[:, None]
        for c in columns
        if c in numbers
    ]
    if texts:
        raw = np.column_stack([table[c].astype(str) for c in texts])
        parts.append(OrdinalEncoder().fit_transform(raw))
    x = np.hstack(parts)
    model = HistGradientBoostingClassifier(
        random_state=0,
        max_iter=300,
        categorical_features=list(range(x.shape[1] - len(texts), x.shape[1])),
    ).fit(x[~test], y[~test])
    users = np.unique(table["customer_id"].astype(str), return_inverse=True)[1]
    return rank_per_user(model.predict_proba(x[test])[:, 1], y[test], users[test])


def figures(told: Ranking, table: Table) -> list[Figure]:
    """Return all figures, those of the federated model with their bars."""
    found: list[Figure] = []
    for way, of in told.figures.items():
        found += _lines(
            way, {n: Interval(f.value, f.low, f.high) for n, f in of.items()}
        )
    for domain, columns in OF.items():
        found += _lines(f"trees, {domain} alone", trees(table, columns).means())
    every = tuple(c for of in OF.values() for c in of)
    whole = trees(table, every).means()
    found += _lines("trees, pooled rows", whole)
    for way in ("chance", "popularity", "own"):
        for name in NAMES:
            low = told.above[way][name].low
            found.append(
                Figure(name=f"{name} above {way}: low end", value=low, least=WIDE)
            )
    for name in NAMES:
        below = whole[name].value - told.figures["federated"][name].value
        found.append(
            Figure(name=f"{name} below pooled trees", value=below, most=GAP_BAR)
        )
    return found


def _lines(way: str, of: dict[str, Interval]) -> list[Figure]:
    ends = (("", "value"), (", low", "low"), (", high", "high"))
    return [
        Figure(name=f"{way}: {name}{words}", value=getattr(interval, end))
        for name, interval in of.items()
        for words, end in ends
    ]


def main() -> int:
    """Print the table; 1 where a bar is missed."""
    words = parser(__doc__)
    words.add_argument("--customers", type=int, default=2_000)
    words.add_argument("--mesh", type=Path, help="a copy that is built already")
    told = words.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        mesh = told.mesh or built(Path(folder), told.customers)
        vertical = Mesh.open(mesh).train(STUDY).record.vertical
        if vertical is None or vertical.ranking is None:
            raise SystemExit("The run ranked nobody.")
        found = figures(vertical.ranking, pooled(mesh))
    return finish("Retail, synthetic purchases", found, as_json=told.json)


if __name__ == "__main__":
    raise SystemExit(main())
