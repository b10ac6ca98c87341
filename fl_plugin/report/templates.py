"""The room's Jinja environments: HTML escapes HTML, Markdown escapes Markdown."""

import re
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from fl_plugin.report import wording

FOLDER = Path(__file__).parent / "templates"
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|!~&])")


@cache
def html_templates() -> Environment:
    """Return the environment that escapes every value for HTML."""
    return _with_filters(
        Environment(
            loader=FileSystemLoader(FOLDER),
            autoescape=True,
            undefined=StrictUndefined,
        )
    )


@cache
def markdown_templates() -> Environment:
    """Return the environment that escapes every value for Markdown and its HTML."""
    return _with_filters(
        Environment(  # noqa: S701 - `finalize` escapes instead, for Markdown
            loader=FileSystemLoader(FOLDER),
            autoescape=False,
            finalize=markdown,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
    )


def markdown(value: Any) -> Any:
    """Return text that Markdown shows as it is, on one line."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return _SPECIAL.sub(r"\\\1", " ".join(value.split()))


def _with_filters(environment: Environment) -> Environment:
    environment.filters.update(
        count=wording.count,
        digest=wording.digest,
        duration=wording.duration,
        figure=wording.figure,
        percent=wording.percent,
        rows=wording.rows,
        short=wording.short,
        size=wording.size,
        title_of=wording.title,
        words=wording.words,
    )
    return environment
