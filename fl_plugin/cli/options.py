"""Options and arguments that several verbs share."""

from pathlib import Path

import click

from fl_plugin.errors import UsageError

project_option = click.option(
    "--project",
    type=click.Path(path_type=Path),
    default=Path(),
    help="The mesh's root folder; this one unless named.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
engine_option = click.option(
    "--engine", default="embedded", show_default=True, help="How the parties run."
)


def study_and_version(text: str) -> tuple[str, int | None]:
    """Return the study and the version of `study`, `study@v3` or `study@3`.

    Raises:
        UsageError: What stands behind the @ is no version.
    """
    study, at, version = text.partition("@")
    if not at:
        return study, None
    number = version.removeprefix("v")
    if not number.isdigit():
        raise UsageError(
            f"{version!r} is not a version.", remedy=f"Write {study}@v1, say."
        )
    return study, int(number)
