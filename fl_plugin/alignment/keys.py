"""A domain's own keys: one normalised key for each row that has one."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from fl_plugin.alignment.counts import rows_in_words
from fl_plugin.alignment.key_space import key_bits
from fl_plugin.alignment.rules import Rule, is_missing, rule_for
from fl_plugin.errors import ContractError

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Keys:
    """The keys of one table; they never leave the domain.

    Args:
        values: Normalised keys, no two equal.
        rows: (keys,) the row of each.
        total: Rows of the table, those without a key included.
        bits: About how many bits the space has that the keys come from.
        min_cohort: Counts below it are not told.
    """

    values: tuple[bytes, ...] = field(repr=False)
    rows: Indices = field(repr=False)
    total: int
    bits: float
    min_cohort: int

    @property
    def without_key(self) -> str:
        """In words, how many rows have no key and so match nothing."""
        return rows_in_words(self.total - len(self.values), min_cohort=self.min_cohort)


def normalise(
    columns: Mapping[str, Sequence[Any] | npt.NDArray[Any]],
    rules: Sequence[str],
    *,
    min_cohort: int,
) -> Keys:
    """Return the keys of a table.

    Args:
        columns: The key columns by name, in the order in which all domains have agreed
            (names may differ between domains).
        rules: The name of a rule for each column.
        min_cohort: Counts below it are not told.

    Raises:
        ContractError: A column does not fit its rule, two rows have the same key, or no
            row has one.
    """
    usable = _usable(columns, rules)
    _refuse_duplicates(usable.values, tuple(columns), min_cohort)
    return Keys(
        values=usable.values,
        rows=usable.rows,
        total=usable.total,
        bits=usable.bits,
        min_cohort=min_cohort,
    )


def distinct(
    columns: Mapping[str, Sequence[Any] | npt.NDArray[Any]],
    rules: Sequence[str],
    *,
    min_cohort: int,
) -> tuple[Keys, Indices]:
    """Return the keys of a table whose rows may share them, each key once.

    Args:
        columns: As of `normalise`.
        rules: As of `normalise`.
        min_cohort: Counts below it are not told.

    Returns:
        The keys, with the first row of each; and (rows,) the place of every row's key
        among them, -1 where it has none.

    Raises:
        ContractError: A column does not fit its rule, or no row has a key.
    """
    usable = _usable(columns, rules)
    places: dict[bytes, int] = {}
    which = np.full(usable.total, -1, dtype=np.int64)
    which[usable.rows] = [places.setdefault(v, len(places)) for v in usable.values]
    codes, first = np.unique(which[usable.rows], return_index=True)
    keys = Keys(
        values=tuple(places),
        rows=usable.rows[first],
        total=len(codes),
        bits=usable.bits,
        min_cohort=min_cohort,
    )
    return keys, which


@dataclass(frozen=True, kw_only=True)
class _Usable:
    """Every row's key, of those that have one."""

    values: tuple[bytes, ...] = field(repr=False)
    rows: Indices = field(repr=False)
    total: int
    bits: float


def _usable(
    columns: Mapping[str, Sequence[Any] | npt.NDArray[Any]], rules: Sequence[str]
) -> _Usable:
    kinds = [rule_for(rule) for rule in rules]
    spelt = _all_spelt(columns, kinds)
    rows = [i for i, parts in enumerate(zip(*spelt, strict=True)) if all(parts)]
    if not rows:
        raise ContractError(
            f"No row has a usable key ({', '.join(columns)}).",
            remedy="Check that the rule of each key column fits what it holds.",
        )
    usable = [[column[i] for i in rows] for column in spelt]
    return _Usable(
        values=tuple(_joined(parts) for parts in zip(*usable, strict=True)),
        rows=np.array(rows, dtype=np.int64),
        total=len(spelt[0]),
        bits=sum(map(_bits, usable, kinds)),
    )


def _all_spelt(
    columns: Mapping[str, Sequence[Any] | npt.NDArray[Any]], kinds: Sequence[Rule]
) -> list[list[str]]:
    """Return every key column as its rule spells it."""
    if not columns or len(columns) != len(kinds):
        raise ContractError(
            "Each key column needs one rule.",
            remedy="Name as many rules as there are key columns.",
        )
    spelt = list(map(_spelt, columns, columns.values(), kinds))
    if len({len(column) for column in spelt}) != 1:
        raise ContractError(
            "The key columns are not equally long.",
            remedy="Read them from one table.",
        )
    return spelt


def _spelt(
    name: str, values: Sequence[Any] | npt.NDArray[Any], rule: Rule
) -> list[str]:
    try:
        return ["" if is_missing(v) else rule.spell(v) for v in _listed(values)]
    except ContractError as error:
        raise ContractError(f"{name}: {error.problem}", remedy=error.remedy) from None


def _bits(column: Sequence[str], rule: Rule) -> float:
    return min(key_bits(column), rule.most_bits)


def _listed(values: Sequence[Any] | npt.NDArray[Any]) -> list[Any]:
    """Return plain Python values; masked entries are None."""
    if isinstance(values, np.ndarray):
        # Nanoseconds would become integers.
        values = _in_microseconds(values) if values.dtype.kind == "M" else values
        values = values.tolist()
    return [_plain(v) if isinstance(v, np.generic) else v for v in values]


def _plain(value: np.generic) -> Any:
    return (_in_microseconds(value) if value.dtype.kind == "M" else value).item()


def _in_microseconds(values: Any) -> Any:
    return values.astype("datetime64[us]")


def _joined(parts: Sequence[str]) -> bytes:
    """Return a row's key: each part after its length, so that none can move."""
    raw = [part.encode("utf-8", "surrogatepass") for part in parts]
    return b"".join(len(part).to_bytes(4, "big") + part for part in raw)


def _refuse_duplicates(
    values: Sequence[bytes], names: tuple[str, ...], min_cohort: int
) -> None:
    repeated = sum(n for n in Counter(values).values() if n > 1)
    if repeated:
        many = rows_in_words(repeated, min_cohort=min_cohort)
        raise ContractError(
            f"{many} rows share a key ({', '.join(names)}) with another row.",
            remedy="Publish one row per key; rows that differ only in spelling count "
            "as the same under the rule. Where the label's product has many rows for "
            "one of another, name `match.keys`.",
        )
