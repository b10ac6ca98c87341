"""What a column may be in a model, guessed from its name: always the guarded side.

A guess can only close a door. Nothing here allows anybody anything: a contract from a
template has no `allow` rule, and people correct what stands in it.
"""

from dataclasses import dataclass

from fl_plugin.scaffold.csv_file import FileColumn
from fl_plugin.scaffold.reserved import (
    KEYS,
    NAMES_A_PERSON,
    SENSITIVE,
    TELLS_TOGETHER,
)


@dataclass(frozen=True, kw_only=True)
class Guess:
    """The words of one column's `mesh` block, and why they were chosen."""

    why: str
    role: str = ""
    classification: str = "confidential"
    pii: str = ""
    uses: tuple[str, ...] = ()
    label_sharing: str = ""


def guess(column: FileColumn, *, is_key: bool, is_label: bool) -> Guess:
    """Return what a column may be until its team says otherwise."""
    words = set(column.name.split("_"))
    if is_key:
        return Guess(
            why="The key: it says which row this is.",
            role="join_key",
            classification="restricted",
            pii="identifier",
            uses=("train_vertical",),
        )
    if is_label:
        return Guess(
            why="The label: what a model learns. It never leaves the domain.",
            role="label",
            classification="restricted",
            label_sharing="protected",
        )
    if words & SENSITIVE:
        return Guess(
            why="By its name a ground on which nobody may be treated worse: for "
            "looking whether a model is fair, never a feature.",
            role="protected",
            classification="restricted",
            pii="sensitive",
            uses=("aggregate", "evaluate"),
        )
    if words & NAMES_A_PERSON:
        return Guess(
            why="By its name it may tell who somebody is; without a role nobody "
            "may ask.",
            classification="restricted",
            pii="identifier",
        )
    return _by_kind(column, "quasi" if words & TELLS_TOGETHER else "")


def _by_kind(column: FileColumn, pii: str) -> Guess:
    personal = " By its name it tells who somebody is, together with others."
    if column.data_type == "varchar" and not column.few:
        return Guess(
            why="Text of any kind may hold anything; without a role nobody may ask.",
            classification="restricted",
            pii=pii,
        )
    if column.data_type in {"date", "timestamp"}:
        return Guess(
            why="No model takes a date: offer an age or a duration instead."
            + personal * bool(pii),
            pii=pii,
        )
    return Guess(
        why=f"A {_kind_of(column)}.{personal * bool(pii)}", role="feature", pii=pii
    )


def _kind_of(column: FileColumn) -> str:
    if column.data_type == "varchar":
        return "category"
    return "truth value" if column.data_type == "boolean" else "number"


def likely_keys(columns: tuple[FileColumn, ...]) -> tuple[str, ...]:
    """Return the columns that could be the key, those that are called so first."""
    possible = [c for c in columns if c.unique and c.data_type in _KEY_TYPES]
    called = [c.name for c in possible if set(c.name.split("_")) & KEYS]
    return tuple(called) or tuple(c.name for c in possible)


_KEY_TYPES = ("varchar", "integer", "bigint")
