"""What opening a table costs a party, part by part.

Writes one domain's synthetic rows to a DuckDB file, then reads them as a party does
(`read_rows`) and once more by hand, to say where the CPU seconds go.
"""

import hashlib
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bench import parties, synthetic
from bench.figures import Figure, finish, parser
from fl_plugin.ledger.cohorts import cohort_digest
from fl_plugin.party.database import Database
from fl_plugin.party.rows import Rows, Wanted, read_rows
from fl_plugin.preparation.features import Feature
from fl_plugin.preparation.splits import row_hashes

T = TypeVar("T")

DOMAIN, TARGET, KEY = "north", "positive", "row_key"
FEATURES = tuple(
    Feature(name=f"f{i:02d}", kind="numeric") for i in range(synthetic.FEATURES)
)


def write(path: Path, table: synthetic.Table) -> None:
    """Write rows with a text key to `main.rows` of a new database."""
    columns = {f.name: pa.array(table.x[:, i]) for i, f in enumerate(FEATURES)}
    columns[TARGET] = pa.array(table.y)
    columns[KEY] = pa.array([f"R{number:08d}" for number in range(len(table.y))])
    with duckdb.connect(path) as connection:
        connection.register("incoming", pa.table(columns))
        connection.execute("create table rows as select * from incoming")


def measure(rows: int) -> list[Figure]:
    """Return the CPU seconds of reading `rows` rows, whole and by part."""
    (table,) = [
        t for d, t in synthetic.make(2 * rows).items() if d == DOMAIN
    ]  # it has half of all rows
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"{DOMAIN}.duckdb")
        write(path, table)
        database = Database(path, DOMAIN)
        names = [f.name for f in FEATURES]
        product = parties.product(DOMAIN, names, key=KEY)
        wanted = Wanted(features=FEATURES, target=TARGET, predicts=parties.BAD_OR_NOT)
        whole, held = _timed(lambda: read_rows(database, product, wanted))
        if not isinstance(held, Rows):  # no spool was given, so all are in memory
            raise TypeError
        columns = {n: n for n in (*names, TARGET, KEY)}
        query, raw = _timed(lambda: database.read(product.relation, columns, None))
    return [
        Figure(name="rows", value=len(held)),
        Figure(name="CPU seconds, read_rows", value=whole),
        Figure(name="  the query, to Arrow", value=query),
        *_parts(raw, held),
        Figure(name="rows per CPU second", value=len(held) / whole),
    ]


def _parts(raw: pa.Table, held: Rows) -> list[Figure]:
    texts = raw[KEY].to_pylist()
    digest = hashlib.sha256
    parts: dict[str, Callable[[], object]] = {
        "the keys, to Python": raw[KEY].to_pylist,
        "their bytes and hashes": lambda: row_hashes(parties.key_bytes(texts)),
        "the matrix, from Arrow": lambda: _matrix(raw),
        "the fingerprint": lambda: digest(held.numeric.tobytes()).hexdigest(),
        "the cohort's digest (ledger)": lambda: cohort_digest(held.hashes),
    }
    return [Figure(name=f"  {n}", value=_timed(work)[0]) for n, work in parts.items()]


def _matrix(raw: pa.Table) -> npt.NDArray[np.float64]:
    values = np.empty((len(FEATURES), raw.num_rows))
    for i, feature in enumerate(FEATURES):
        values[i] = raw[feature.name].to_numpy()
    return values


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    begun = time.process_time()
    result = work()
    return time.process_time() - begun, result


def main() -> int:
    """Print the parts."""
    arguments = parser(__doc__)
    arguments.add_argument("--rows", type=int, default=1_000_000)
    chosen = arguments.parse_args()
    title = "Opening one table of 30 numeric columns and a text key"
    return finish(title, measure(chosen.rows), as_json=chosen.json)


if __name__ == "__main__":
    sys.exit(main())
