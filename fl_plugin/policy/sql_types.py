"""One spelling for each SQL type, so that a contract and a table can be compared."""

import re
from functools import lru_cache

_SAME = {
    "INT": "INTEGER",
    "INT4": "INTEGER",
    "SIGNED": "INTEGER",
    "INT1": "TINYINT",
    "INT2": "SMALLINT",
    "SHORT": "SMALLINT",
    "INT8": "BIGINT",
    "LONG": "BIGINT",
    "BOOL": "BOOLEAN",
    "LOGICAL": "BOOLEAN",
    "STRING": "VARCHAR",
    "TEXT": "VARCHAR",
    "CHAR": "VARCHAR",
    "BPCHAR": "VARCHAR",
    "FLOAT4": "FLOAT",
    "REAL": "FLOAT",
    "FLOAT8": "DOUBLE",
    "DOUBLE PRECISION": "DOUBLE",
    "NUMERIC": "DECIMAL",
    "DATETIME": "TIMESTAMP",
    "TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE",
    "BYTEA": "BLOB",
    "BINARY": "BLOB",
    "VARBINARY": "BLOB",
}
_DECIMAL = re.compile(r"DECIMAL(?:\((\d+)(?:,(\d+))?\))?")
_DEFAULT_DECIMAL = "DECIMAL(18,3)"  # DuckDB's, where no precision is given


@lru_cache(maxsize=1_024)  # asked of every column at every decision
def canonical_type(text: str) -> str:
    """Return DuckDB's own upper-case name of a type: `decimal(5, 4)`, `text`."""
    spaced = " ".join(text.upper().split())
    tight = re.sub(r"\s*([(),\[\]])\s*", r"\1", spaced)
    if tight.endswith("[]"):
        return f"{canonical_type(tight[:-2])}[]"
    word, _, size = tight.partition("(")
    word = _SAME.get(word, word)
    if word == "VARCHAR":
        return word  # DuckDB drops the length
    full = f"{word}({size}" if size else word
    decimal = _DECIMAL.fullmatch(full)
    if decimal is None:
        return full
    precision, scale = decimal.groups()
    return f"DECIMAL({precision},{scale or 0})" if precision else _DEFAULT_DECIMAL


def type_name(text: str) -> str:
    """Return a type without what stands in brackets: an enum's hold data values."""
    return canonical_type(text).partition("(")[0][:64]
