"""No value of a row lies outside its domain, whatever a run has gone through."""

import struct
from pathlib import Path

import duckdb

from tests.canaries import Search

_SHORTEST = 8  # bytes of a needle: shorter numbers occur by chance


def nothing_out(root: Path, *beside: Path) -> int:
    """Search all that is not a domain's own for the numbers of its rows.

    Args:
        root: The mesh's folder.
        beside: Further files, such as what processes have said.

    Returns:
        How many files were searched.
    """
    search = Search({d.name: _numbers(d) for d in sorted((root / "domains").iterdir())})
    files = [p for p in root.rglob("*") if p.is_file() and not _is_own(p, root)]
    for file in (*files, *beside):
        assert not search.found(file.read_bytes()), f"a row's value is in {file}"
    return len(files)


def _is_own(path: Path, root: Path) -> bool:
    return path.is_relative_to(root / "domains")


def _numbers(folder: Path) -> list[bytes]:
    (file,) = (folder / "data").glob("*.duckdb")
    found: set[bytes] = set()
    with duckdb.connect(file, read_only=True) as connection:
        tables = connection.execute(
            "select table_schema, table_name, column_name "
            "from information_schema.columns where data_type = 'DOUBLE'"
        ).fetchall()
        for schema, table, column in tables:
            values = connection.execute(
                f'select "{column}" from "{schema}"."{table}"'
            ).fetchall()
            for (value,) in values:
                text = repr(value).encode()
                if value is not None and len(text) > _SHORTEST:
                    found |= {text, struct.pack("<d", value), struct.pack(">d", value)}
    return sorted(found)
