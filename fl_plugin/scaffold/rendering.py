"""The room's Jinja environment: whatever is not plain must have been quoted.

The files that come out hold Jinja themselves, dbt's; ours is written `<< name >>` and
`<% for ... %>`. A text that is neither plain nor passed through a filter is a defect
of a template and stops the rendering: nothing is escaped by luck.
"""

import json
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from fl_plugin.errors import MeshError

FOLDER = Path(__file__).parent / "templates"
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@/+-]*|", re.ASCII)
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|!~&])")


def rendered(template: str, **facts: Any) -> str:
    """Return a file's text from its template.

    Raises:
        MeshError: A text reached the template that nothing has quoted.
    """
    return templates().get_template(f"{template}.j2").render(facts)


@cache
def templates() -> Environment:
    """Return the environment; what is undefined is an error."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=False,  # noqa: S701 - YAML, SQL and Markdown; `finalize` stands guard
        undefined=StrictUndefined,
        finalize=_guarded,
        variable_start_string="<<",
        variable_end_string=">>",
        block_start_string="<%",
        block_end_string="%>",
        comment_start_string="<#",
        comment_end_string="#>",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        flow=flow,
        identifier=sql_identifier,
        literal=sql_text,
        md=markdown,
        own_words=own_words,
        title=title,
        yaml=yaml_text,
    )
    environment.globals.update(comma=_safe(","), comma_and_space=_safe(", "))
    return environment


def yaml_text(text: str) -> Markup:
    """Return text as a YAML scalar in double quotes, whatever is in it."""
    return _safe(json.dumps(str(text), ensure_ascii=False))


def flow(words: Iterable[Any]) -> Markup:
    """Return plain words as a YAML list on one line."""
    return _safe(f"[{', '.join(str(_guarded(word)) for word in words)}]")


def markdown(text: str) -> Markup:
    """Return text that Markdown shows as it is."""
    return _safe(_MARKDOWN.sub(r"\\\1", str(text)))


def sql_text(text: str) -> Markup:
    """Return text as a SQL literal."""
    return _safe("'" + str(text).replace("'", "''") + "'")


def sql_identifier(text: str) -> Markup:
    """Return text as a quoted SQL name."""
    return _safe('"' + str(text).replace('"', '""') + '"')


def own_words(text: str) -> Markup:
    """Return a text of this program, never one of its user's, on one line."""
    return _safe(" ".join(str(text).split()))


def title(name: str) -> Markup:
    """Return a plain name in words, the first with a capital: `Consumer banking`."""
    return _safe(str(_guarded(name)).replace("_", " ").capitalize())


def _guarded(value: Any) -> Any:
    plain = isinstance(value, Markup | int | float) or (
        isinstance(value, str) and _PLAIN.fullmatch(value)
    )
    if not plain:
        raise MeshError(
            "A template would write a text that nothing has quoted.",
            remedy="Report it to this program's maintainers with the command.",
        )
    return value


def _safe(text: str) -> Markup:
    return Markup(text)  # noqa: S704 - a mark for `_guarded`; nothing here is HTML
