"""The room's Jinja environments: HTML escapes HTML, Markdown escapes Markdown."""

import re
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

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
        Environment(
            loader=FileSystemLoader(FOLDER),
            autoescape=True,  # a fence: `finalize` has escaped every text before
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
    one_line = re.sub(r"\s+", " ", value)
    return Markup(_SPECIAL.sub(r"\\\1", one_line))  # noqa: S704 - just escaped


def prose(value: str) -> Markup:
    """Return a description as HTML: only its Markdown code spans become markup."""
    safe = str(escape(value))
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", safe))  # noqa: S704


def code(value: str) -> Markup:
    """Return a Markdown code span; what would end it or its table cell is left out."""
    plain = " ".join(re.sub(r"[`|]", "", value).split())
    return Markup(f"`{plain}`")  # noqa: S704 - nothing else is special inside


def _with_filters(environment: Environment) -> Environment:
    environment.filters.update(
        baseline_name=wording.baseline_name,
        category=wording.category,
        code=code,
        count=wording.count,
        digest=wording.digest,
        duration=wording.duration,
        figure=wording.figure,
        kind_name=wording.kind_name,
        method_in_text=wording.method_in_text,
        metric_in_text=wording.metric_in_text,
        prose=prose,
        percent=wording.percent,
        rows=wording.rows,
        short=wording.short,
        size=wording.size,
        title_of=wording.title,
        words=wording.words,
    )
    return environment
