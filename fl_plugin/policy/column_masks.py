"""Which mask a column of which type can have.

What a mask does stands in `party/masks.py`, where the values are.
"""

from fl_plugin.policy.sql_types import canonical_type

_DATES = {"DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"}
_NUMBERS = {
    *("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"),
    *("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"),
    *("FLOAT", "DOUBLE", "DECIMAL"),
}
_NESTED = ("[", "STRUCT", "MAP", "UNION")


def mask_fits(mask: str, data_type: str) -> bool:
    """Return whether a column of this type can be masked so.

    An unknown mask fits nothing: whoever adds one says here what it is for.
    """
    kind = canonical_type(data_type)
    plain = kind.partition("(")[0]
    nested = any(word in kind for word in _NESTED)
    return {
        "null": True,
        "hash": not nested,
        "year": plain in _DATES and not nested,
        "bucket": plain in _NUMBERS and not nested,
    }.get(mask, False)
