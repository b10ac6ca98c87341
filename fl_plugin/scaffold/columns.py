"""The columns of a product as its templates need them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from fl_plugin.errors import UsageError
from fl_plugin.manifest.validation import closest, shown
from fl_plugin.scaffold.csv_file import FileColumn
from fl_plugin.scaffold.guesses import Guess, guess, likely_keys


@dataclass(frozen=True, kw_only=True)
class DraftColumn:
    """One column as the templates need it."""

    name: str
    data_type: str
    nullable: bool
    is_key: bool
    description: str
    raw_description: str
    guess: Guess
    hint: str


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
    return tuple(
        _drafted(c, is_key=c.name == key, is_label=c.name == label) for c in found
    )


def _drafted(column: FileColumn, *, is_key: bool, is_label: bool) -> DraftColumn:
    found = replace(column, data_type="boolean") if is_label else column
    guessed = guess(found, is_key=is_key, is_label=is_label)
    said = f"The column '{found.header}' of the file." if found.header else "TODO."
    return DraftColumn(
        name=found.name,
        data_type=found.data_type,
        nullable=found.nullable,
        is_key=is_key,
        description=f"{said} TODO: what it means, its unit, what is wrong with it.",
        raw_description=said,
        guess=guessed,
        hint=_hint(found) if guessed.role == "feature" else "",
    )


def _hint(column: FileColumn) -> str:
    """Return what only people may add: values of the data are not theirs to publish."""
    if column.data_type == "varchar":
        return (
            "If its values may be published, list them: data_tests: [accepted_values: "
            "{arguments: {values: [...]}}]"
        )
    if column.data_type == "boolean":
        return ""
    return (
        "Add `bounds: [lowest, highest]` below mesh, from what you know of the matter "
        "and not from the data; in_range tests them."
    )


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
    named = {c.name: c for c in found} | {c.header: c for c in found if c.header}
    if asked not in named:
        raise UsageError(
            f"The file has no column {shown(asked)!r} for the {what}.",
            remedy=closest(asked, (c.name for c in found)),
        )
    return named[asked]
