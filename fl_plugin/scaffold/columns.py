"""The columns of a product as its templates need them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from fl_plugin.errors import UsageError
from fl_plugin.manifest.validation import closest, shown
from fl_plugin.scaffold.csv_file import FileColumn
from fl_plugin.scaffold.guesses import Guess, guess, likely_keys


@dataclass(frozen=True, kw_only=True)
class DraftColumn:
    """One column as the templates need it.

    Args:
        reads: What the file calls it, for SQL; the name itself where SQL sees no
            difference.
        said: The same for people.
        value_test: What every row must hold, as a dbt test; "" for none.
    """

    name: str
    data_type: str
    nullable: bool
    is_key: bool
    reads: str
    said: str
    description: str
    guess: Guess
    value_test: str


_HIGHEST = {
    "integer": "2147483647",
    "bigint": "9223372036854775807",
    "double": "1.0e+300",
}
# Of a text that is the key, where no column has a test of its own: it fits every text.
_ANY_TEXT = """in_range: {arguments: {low: "''", high: "chr(1114111)"}}"""


def draft_columns(
    found: tuple[FileColumn, ...], key_asked: str | None, label_asked: str | None
) -> tuple[DraftColumn, ...]:
    """Return the columns of a product, with the key and the label in their roles.

    Raises:
        UsageError: There is no such column, or it cannot be key or label.
    """
    key, label = _key(found, key_asked), _label(found, label_asked)
    if key == label:
        raise UsageError(
            f"The column {key} cannot be both key and label.",
            remedy="Name two columns: --key and --label.",
        )
    drafted = [
        _drafted(c, is_key=c.name == key, is_label=c.name == label) for c in found
    ]
    if any(c.value_test for c in drafted):
        return tuple(drafted)
    # A product without one has no validity, and without validity it may not be used.
    (kind,) = (c for c in found if c.name == key)
    stand_in = _value_test(kind) or _ANY_TEXT
    return tuple(replace(c, value_test=stand_in) if c.is_key else c for c in drafted)


def _drafted(column: FileColumn, *, is_key: bool, is_label: bool) -> DraftColumn:
    found = replace(column, data_type="boolean") if is_label else column
    said = f"The column '{found.header}' of the file."
    return DraftColumn(
        name=found.name,
        data_type=found.data_type,
        nullable=found.nullable,
        is_key=is_key,
        reads=found.name if found.header.lower() == found.name else found.header,
        said=said,
        description=f"{said} TODO: what it means, its unit, what is wrong with it.",
        guess=guess(found, is_key=is_key, is_label=is_label),
        value_test="" if is_key else _value_test(found),
    )


def _value_test(column: FileColumn) -> str:
    """Return a test that the type alone implies: a start, for people to narrow.

    Closer limits would be values of the data, and contracts are published.
    """
    if column.data_type == "boolean":
        return 'accepted_values: {arguments: {values: ["true", "false"]}}'
    if column.data_type not in _HIGHEST:
        return ""
    high = _HIGHEST[column.data_type]
    low = f"-{high}" if column.negative else "0"
    return f"in_range: {{arguments: {{low: {low}, high: {high}}}}}"


def _key(found: tuple[FileColumn, ...], asked: str | None) -> str:
    if asked is not None:
        column = _asked(found, asked, "key")
        if not column.unique:
            raise UsageError(
                f"The column {asked} is no key: values are missing or not unique.",
                remedy="Name another, or mend the file.",
            )
        return column.name
    possible = likely_keys(found)
    if len(possible) != 1:
        several = (
            f"could be {', '.join(possible)}" if possible else "is not to be found"
        )
        raise UsageError(
            f"What says which row it is? The key {several}.",
            remedy="Name the column with --key; its values are all there and differ.",
        )
    return possible[0]


def _label(found: tuple[FileColumn, ...], asked: str | None) -> str | None:
    if asked is None:
        return None
    column = _asked(found, asked, "label")
    if not column.binary:
        raise UsageError(
            f"The column {asked} is no label: it does not say true or false only.",
            remedy="Offer it as true and false, yes and no, or 1 and 0.",
        )
    return column.name


def _asked(found: Iterable[FileColumn], asked: str, what: str) -> FileColumn:
    named = {c.name: c for c in found} | {c.header: c for c in found}
    if asked not in named:
        raise UsageError(
            f"The file has no column {shown(asked)!r} for the {what}.",
            remedy=closest(asked, (c.name for c in found)),
        )
    return named[asked]
