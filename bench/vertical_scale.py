"""The split network at three sizes: rows per second, bytes and memory.

`python -m bench.vertical_scale` fits synthetic card transactions of three domains
(`examples/fraud/transactions.py`), labels protected, at each size in a process of its
own, one thread, and prints rows per CPU second (rows times epochs), bytes of an epoch
and of a row, and the process's largest memory. Rows are matched already: what matching
costs, `python -m bench.matching` says.
"""

import json
import subprocess
import sys

from threadpoolctl import threadpool_limits

from bench.figures import Figure, finish, parser
from bench.fraud import NETWORK, parted
from bench.vertical_fits import fit
from examples.fraud import transactions as card
from fl_plugin.vertical.base import PROTECTED

SIZES = (20_000, 80_000, 284_807)


def measure(rows: int) -> dict[str, float]:
    """Return the figures of one size."""
    split = parted(card.made_up(rows), 0)
    fitted = fit(NETWORK, split, PROTECTED, 0)
    trained = int((~split.unseen).sum())
    octets = fitted.sent.total / NETWORK.epochs
    told = {
        "rows trained on": float(trained),
        "rows per CPU second": trained * NETWORK.epochs / fitted.seconds,
        "bytes of an epoch": octets,
        "bytes of a row and epoch": octets / trained,
        "peak memory, MB": fitted.peak,
    }
    return told | {
        f"bytes of an epoch, {party} {way}": counted[party] / NETWORK.epochs
        for party in sorted(split.x)
        for way, counted in (("up", fitted.sent.up), ("down", fitted.sent.down))
    }


def apart(rows: int) -> dict[str, float]:
    """Return the same, measured in a process of its own."""
    done = subprocess.run(  # noqa: S603 - this module, in this Python
        [sys.executable, "-m", "bench.vertical_scale", "--one", str(rows)],
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> int:
    """Print all figures."""
    arguments = parser(__doc__)
    arguments.add_argument("--rows", type=int, action="append", help="a size")
    arguments.add_argument("--one", type=int, help="measure one size, here")
    chosen = arguments.parse_args()
    if chosen.one:
        with threadpool_limits(1):
            print(json.dumps(measure(chosen.one)))
        return 0
    figures = [
        Figure(name=f"{rows:,} rows: {name}", value=value)
        for rows in chosen.rows or SIZES
        for name, value in apart(rows).items()
    ]
    title = "Split network over three domains, labels protected, at several sizes"
    return finish(title, figures, as_json=chosen.json)


if __name__ == "__main__":
    sys.exit(main())
