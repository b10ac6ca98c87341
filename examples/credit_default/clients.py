"""Card clients, each known to four domains: the rows of a public file, taken apart.

"Default of Credit Card Clients", I-C. Yeh 2009, doi:10.24432/C55S3H, CC BY 4.0: 30,000
clients of a bank in Taiwan in 2005. The file is not part of this repository.

`python clients.py --from FILE` writes `domains/<domain>/data/raw_clients.csv` for each
domain: its columns as the file has them, in an order of rows of its own, under keys
drawn at random; the label at the profile domain only.
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

KEY, LABEL = "client_id", "is_default"
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "profile": ("limit_bal", "sex", "education", "marriage", "age"),
    "status": ("pay_0", *(f"pay_{i}" for i in range(2, 7))),
    "bills": tuple(f"bill_amt{i}" for i in range(1, 7)),
    "payments": tuple(f"pay_amt{i}" for i in range(1, 7)),
}
# UCI's own CSV calls them X1 to X23 and Y, in this order.
ORDER = tuple(name for names in COLUMNS.values() for name in names)
LABELS = ("default.payment.next.month", "default payment next month", "y")
_FILE = "raw_clients.csv"


def read(file: Path) -> pa.Table:
    """Return the file's columns and the label under the names used here, as numbers.

    Raises:
        ValueError: Columns are missing.
    """
    with duckdb.connect() as base:
        table = base.read_csv(str(file), header=True).to_arrow_table()
    found = {name.strip().lower(): name for name in table.column_names}
    numbered = {f"x{i}": name for i, name in enumerate(ORDER, start=1)}
    there = {numbered.get(lower, lower): name for lower, name in found.items()}
    label = next((found[name] for name in LABELS if name in found), None)
    missing = [name for name in ORDER if name not in there]
    if missing or label is None:
        wanted = ", ".join([*missing, *([] if label else [LABELS[0]])])
        raise ValueError(f"{file.name} lacks the columns {wanted}")
    columns = {name: table[there[name]] for name in ORDER}
    return pa.table(columns | {LABEL: table[label]}).cast(
        pa.schema([(name, pa.int64()) for name in (*ORDER, LABEL)])
    )


def by_domain(clients: pa.Table, seed: int = 0) -> Mapping[str, pa.Table]:
    """Return what each domain knows, in an order of its own, under common keys."""
    random = np.random.default_rng([seed, clients.num_rows])
    drawn = random.bytes(10 * clients.num_rows).hex()
    keys = [f"C{drawn[20 * i : 20 * (i + 1)]}" for i in range(clients.num_rows)]
    keyed = clients.append_column(KEY, pa.array(keys))
    tables: dict[str, pa.Table] = {}
    for domain, names in COLUMNS.items():
        label = [LABEL] if domain == "profile" else []
        order = pa.array(random.permutation(clients.num_rows))
        tables[domain] = keyed.select([KEY, *names, *label]).take(order)
    return tables


def sampled(clients: pa.Table, rows: int, seed: int = 0) -> pa.Table:
    """Return so many clients, drawn without replacement; all of them for 0."""
    if not 0 < rows < clients.num_rows:
        return clients
    drawn = np.random.default_rng([seed, rows]).permutation(clients.num_rows)
    return clients.take(pa.array(drawn[:rows]))


def write(tables: Mapping[str, pa.Table], root: Path) -> None:
    """Write each domain's rows into its own folder."""
    with duckdb.connect() as base:
        for domain, table in tables.items():
            folder = root / "domains" / domain / "data"
            folder.mkdir(parents=True, exist_ok=True)
            base.from_arrow(table).write_csv(str(folder / _FILE), header=True)


def main() -> int:
    """Write the domains' files."""
    words = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    words.add_argument("--from", dest="file", type=Path, required=True)
    words.add_argument("--rows", type=int, default=0, help="so many clients; 0 for all")
    words.add_argument("--seed", type=int, default=0)
    words.add_argument("--into", type=Path, default=Path(__file__).parent)
    told = words.parse_args()
    try:
        found = read(told.file.expanduser())
    except (ValueError, duckdb.Error) as error:
        why = str(error).partition("\n")[0]
        words.exit(2, f"{why}\nName the public file by its whole path.\n")
    clients = sampled(found, told.rows, told.seed)
    write(by_domain(clients, told.seed), told.into)
    defaults = sum(clients[LABEL].to_pylist())
    sys.stdout.write(f"{clients.num_rows:,} clients, {defaults:,} of them in default\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
