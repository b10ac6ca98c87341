"""What a CSV file's columns are, from its header and values; no value is kept.

Every row is looked at: a type that holds for the first thousand and not for the next
would break a build later, in front of somebody else.
"""

import csv
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fl_plugin.errors import UsageError
from fl_plugin.manifest.validation import shown
from fl_plugin.scaffold.names import LONGEST, is_text
from fl_plugin.scaffold.observed import Observed
from fl_plugin.scaffold.reserved import SQL_WORDS, YAML_WORDS

MAX_BYTES = 256 * 1024**2
MAX_COLUMNS = 500
_DELIMITERS = ",;\t|"
_HEADER_BYTES = 1024**2


@dataclass(frozen=True, kw_only=True)
class FileColumn:
    """One column of a file.

    Args:
        name: Plain snake_case, made from the header.
        header: As the file has it, without the spaces around it, as DuckDB reads it.
        data_type: The narrowest SQL type that holds every value.
        nullable: Whether a value is missing in any row.
        unique: Whether every row has a value of its own.
        few: Whether the values repeat so much that they are categories.
        negative: Whether any value is below zero.
        binary: Whether every value says true or false, as 0 and 1 do too.
    """

    name: str
    header: str
    data_type: str
    nullable: bool
    unique: bool
    few: bool
    negative: bool
    binary: bool


@dataclass(frozen=True, kw_only=True)
class CsvFile:
    """A file that a product is made from."""

    path: Path
    delimiter: str
    columns: tuple[FileColumn, ...]


def read_csv(path: Path) -> CsvFile:
    """Return what a file's columns are.

    Raises:
        UsageError: It is missing, too large, not UTF-8 or no CSV, has no rows, rows of
            different lengths, or two columns of one name. No message holds a value.
    """
    if not path.is_file():
        raise _unusable(path, "it does not exist, or is no file")
    if path.stat().st_size > MAX_BYTES:
        raise _unusable(path, f"it is larger than {MAX_BYTES // 1024**2} MB")
    with _told(path), path.open(encoding="utf-8-sig", newline="") as file:
        delimiter = _delimiter(path, file.readline(_HEADER_BYTES))
        file.seek(0)
        # Without `strict` an open quote would swallow the rest of the file.
        rows = csv.reader(file, delimiter=delimiter, strict=True)
        header = [said.strip() for said in next(rows)]
        names = _names(path, header)
        seen = _observed(path, rows, len(names))
    return CsvFile(
        path=path,
        delimiter=delimiter,
        columns=tuple(
            FileColumn(
                name=name,
                header=said,
                data_type=found.data_type,
                nullable=found.empty > 0,
                unique=found.unique,
                few=found.few,
                negative=found.negative,
                binary=found.binary,
            )
            for name, said, found in zip(names, header, seen, strict=True)
        ),
    )


def _observed(path: Path, rows: Iterator[list[str]], width: int) -> list[Observed]:
    seen = [Observed() for _ in range(width)]
    number = 0
    for number, row in enumerate(_filled(rows, width), start=1):
        if len(row) != width:
            raise _unusable(path, f"row {number} has not as many values as the header")
        for column, value in zip(seen, row, strict=True):
            column.look_at(value)
    if not number:
        raise _unusable(path, "it has no rows, so nothing says what its types are")
    return seen


def _filled(rows: Iterator[list[str]], width: int) -> Iterator[list[str]]:
    """Leave out empty lines, as DuckDB does; of one column they are an empty value."""
    for row in rows:
        if row:
            yield row
        elif width == 1:
            yield [""]


def _delimiter(path: Path, line: str) -> str:
    if not line.strip():
        raise _unusable(path, "its first line is empty and should name the columns")
    counted = Counter(letter for letter in line if letter in _DELIMITERS)
    return max(_DELIMITERS, key=lambda letter: counted[letter])


def _names(path: Path, header: list[str]) -> list[str]:
    if len(header) > MAX_COLUMNS:
        raise _unusable(path, f"it has more than {MAX_COLUMNS} columns")
    names = [_name(path, said, place) for place, said in enumerate(header, start=1)]
    twice = sorted(name for name, times in Counter(names).items() if times > 1)
    if twice:
        raise _unusable(path, f"several columns come to be called {', '.join(twice)}")
    return names


def _name(path: Path, said: str, place: int) -> str:
    """Return a header as snake_case: `Kunden-Nr.` becomes kunden_nr."""
    latin = unicodedata.normalize("NFKD", said.replace("ß", "ss"))
    ascii_only = "".join(c for c in latin if not unicodedata.combining(c))
    # CamelCase has its words apart too.
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", ascii_only)
    name = "_".join(re.findall(r"[a-z0-9]+", apart.lower()))
    usable = is_text(said) and ascii_only.isascii()
    if not usable or not name or len(name) > LONGEST:
        raise _unusable(
            path, f"the name of column {place} cannot become a plain SQL name"
        )
    if name[0].isdigit():
        name = f"n_{name}"
    return f"{name}_value" if name in SQL_WORDS | YAML_WORDS else name


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError:
        raise _unusable(path, "it is not UTF-8 text") from None
    except csv.Error:
        raise _unusable(
            path, "its quotes or its lines are not those of a CSV"
        ) from None
    except OSError as error:
        raise _unusable(path, f"it cannot be read ({type(error).__name__})") from None


def _unusable(path: Path, why: str) -> UsageError:
    return UsageError(
        f"{shown(path.name)} cannot become a product: {why}.",
        remedy="Save it as CSV in UTF-8: a line of column names, then a line per row.",
    )
