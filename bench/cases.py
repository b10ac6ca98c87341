"""The rows of one measurement, on disk, so that every side reads the very same.

A folder holds, per domain, `NN.x.npy` (columns, rows) and `NN.y.npy` (rows,), float64,
every column standardised over all domains; `probe.npy` (columns, rows), some rows of
every domain, on which two models are compared; `edges.npz`, where bins are needed, with
the edges that scikit-learn finds on the pooled rows; and `case.json`. NumPy only for
reading: peers do it in environments of their own.
"""

import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

PROBES = 20_000


@dataclass(frozen=True, kw_only=True)
class Case:
    """Which rows.

    Args:
        rows: Of all domains together, about.
        domains: How many there are, unlike in size, features and target.
        target: A kind that `synthetic.Drawn.target` knows.
        seed: The same gives the same rows.
    """

    rows: int
    domains: int = 3
    target: str = "binary"
    seed: int = 7

    @classmethod
    def read(cls, folder: Path) -> "Case":
        """Return the case that `folder` holds."""
        return cls(**json.loads((folder / "case.json").read_text()))


def write(case: Case, folder: Path) -> None:
    """Draw a case's rows, standardise them, write the folder."""
    # Peers read cases without SciPy, which drawing needs.
    from bench import synthetic  # noqa: PLC0415

    for place, share in enumerate(synthetic.shares(case.domains)):
        rows = max(1, int(case.rows * share))
        x = np.empty((synthetic.FEATURES, rows))
        y = np.empty(rows)
        begin = 0
        drawn = synthetic.draw(place, rows, domains=case.domains, seed=case.seed)
        for block in drawn:
            end = begin + len(block.odds)
            x[:, begin:end] = block.x.T
            y[begin:end] = block.target(case.target)
            begin = end
        np.save(folder / f"{place:02d}.x.npy", x)
        np.save(folder / f"{place:02d}.y.npy", y)
    (folder / "case.json").write_text(json.dumps(asdict(case)))
    _standardise(folder)
    _probe(folder)


def domain(folder: Path, place: int) -> tuple[Floats, Floats]:
    """Return one domain's rows: x (columns, rows) and y (rows,)."""
    x = np.load(folder / f"{place:02d}.x.npy")
    return x, np.load(folder / f"{place:02d}.y.npy")


def pooled(folder: Path) -> tuple[Floats, Floats]:
    """Return all domains' rows in order: x (rows, columns) in C order, and y."""
    files = _files(folder)
    y = np.concatenate([np.load(_targets(file)) for file in files])
    held = [np.load(file, mmap_mode="r") for file in files]
    x = np.empty((len(y), len(held[0])))
    begin = 0
    for part in held:
        x[begin : begin + part.shape[1]] = part.T
        begin += part.shape[1]
    return x, y


def probe(folder: Path) -> Floats:
    """Return the rows to compare on, (rows, columns) in C order."""
    return np.ascontiguousarray(np.load(folder / "probe.npy").T)


def write_edges(folder: Path, bins: int, seed: int) -> None:
    """Write the bin edges that scikit-learn's boosting would use, and their price.

    Args:
        folder: Of the case.
        bins: For values; missing ones have one more.
        seed: `random_state` of the estimator: above 200,000 rows it draws some.
    """
    from sklearn.ensemble._hist_gradient_boosting.binning import (  # noqa: PLC0415
        _BinMapper,
    )

    drawn = np.random.RandomState(seed).randint(  # as scikit-learn does
        np.iinfo(np.uint32).max, dtype="u8"
    )
    x, _ = pooled(folder)
    begun = time.process_time()
    mapper = _BinMapper(n_bins=bins + 1, random_state=drawn, n_threads=1).fit(x)
    seconds = np.array(time.process_time() - begun)
    edges = {f"{j}": e for j, e in enumerate(mapper.bin_thresholds_)}
    np.savez(folder / "edges.npz", seconds=seconds, **edges)


def edges(folder: Path) -> tuple[list[Floats], float]:
    """Return each column's edges, and the CPU seconds that finding them took."""
    with np.load(folder / "edges.npz") as held:
        columns = [held[f"{j}"] for j in range(len(held.files) - 1)]
        return columns, float(held["seconds"])


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("[0-9][0-9].x.npy"))


def _targets(file: Path) -> Path:
    return file.with_name(file.name.replace(".x.", ".y."))


def _standardise(folder: Path) -> None:
    """Give every column mean 0 and variance 1 over all domains, column by column."""
    held = [np.load(file, mmap_mode="r+") for file in _files(folder)]
    rows = sum(part.shape[1] for part in held)
    for column in range(len(held[0])):
        mean = sum(float(part[column].sum()) for part in held) / rows
        squares = sum(float(((part[column] - mean) ** 2).sum()) for part in held)
        for part in held:
            part[column] = (part[column] - mean) / np.sqrt(squares / rows)


def _probe(folder: Path) -> None:
    held = [np.load(file, mmap_mode="r") for file in _files(folder)]
    rows = sum(part.shape[1] for part in held)
    step = max(1, rows // PROBES)
    np.save(folder / "probe.npy", np.concatenate([p[:, ::step] for p in held], axis=1))


def main() -> int:
    """Write a case: FOLDER ROWS DOMAINS TARGET."""
    folder, rows, domains, target = sys.argv[1:]
    write(Case(rows=int(rows), domains=int(domains), target=target), Path(folder))
    print(json.dumps({"written": folder}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
