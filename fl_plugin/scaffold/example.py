"""The product of a team that has no file yet: a few made-up rows to build with."""

from fl_plugin.scaffold.csv_file import FileColumn

ROWS = (
    ("record_id", "amount", "is_late"),
    ("R1", "120", "false"),
    ("R2", "80", "true"),
    ("R3", "455", "false"),
)


def example_columns() -> tuple[FileColumn, ...]:
    """Return what the rows' columns are."""
    types = ("varchar", "integer", "boolean")
    return tuple(
        FileColumn(
            name=name,
            header=name,
            data_type=data_type,
            nullable=False,
            unique=place == 0,
            few=False,
            negative=False,
            binary=data_type == "boolean",
        )
        for place, (name, data_type) in enumerate(zip(ROWS[0], types, strict=True))
    )
