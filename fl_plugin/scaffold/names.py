"""What a new part may be called, and which free text may stand in its files.

A name becomes a folder, a file, a dbt resource, a SQL identifier and a YAML scalar that
nobody quotes; it must be plain in all five. Free text is quoted, and dbt renders Jinja
in YAML and Markdown, so what Jinja, HTML or a terminal would act on is refused.
"""

import re

from fl_plugin.errors import UsageError
from fl_plugin.manifest.validation import shown
from fl_plugin.scaffold.reserved import SQL_WORDS, TAKEN, YAML_WORDS

LONGEST = 48  # room for what is put before and behind it: stg_, .duckdb, an index
_NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*", re.ASCII)
_ADDRESS = re.compile(
    r"[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+", re.ASCII
)
_ACTIVE = re.compile(r"[{}<>\\`]")  # Jinja, HTML, escapes, code spans
_LONGEST_TEXT = 300

_DEVICE = re.compile(r"(?:com|lpt)[0-9]")


def check_name(name: str, what: str) -> str:
    """Return the name of a new mesh, domain, product or study.

    Raises:
        UsageError: It is not plain snake_case, too long, or means something already.
    """
    check_plain(name, what)
    dbts = name == "dbt" or name.startswith("dbt_")
    if name in SQL_WORDS | YAML_WORDS | TAKEN or _DEVICE.fullmatch(name) or dbts:
        raise UsageError(
            f"{name} cannot be the name of a {what}: SQL, YAML, dbt or the mesh itself "
            "uses that word.",
            remedy=f"Add a word to it, such as {name}_{what}.",
        )
    return name


def check_plain(name: str, what: str) -> str:
    """Return a name that is plain snake_case, reserved word or not.

    Raises:
        UsageError: It is not.
    """
    if not _NAME.fullmatch(name) or len(name) > LONGEST:
        raise UsageError(
            f"{shown(name)!r} cannot be the name of a {what}.",
            remedy="Use snake_case: a-z first, then a-z and 0-9, single underscores "
            f"between words, at most {LONGEST} characters.",
        )
    return name


def check_text(text: str, what: str) -> str:
    """Return free text on one line.

    Raises:
        UsageError: It is empty or too long, or holds what Jinja, HTML or a terminal
            would act on.
    """
    plain = text.strip()
    if not is_text(plain):
        raise UsageError(
            f"The {what} cannot be used.",
            remedy=f"One line of 1 to {_LONGEST_TEXT} printable characters, without "
            "{ } < > \\ and backticks.",
        )
    return plain


def is_text(text: str) -> bool:
    """Return whether a text may stand in a file, once quoted."""
    short = 0 < len(text) <= _LONGEST_TEXT
    return short and text.isprintable() and not _ACTIVE.search(text)


def check_address(address: str, what: str) -> str:
    """Return a mail address.

    Raises:
        UsageError: It is none.
    """
    if not _ADDRESS.fullmatch(address) or len(address) > LONGEST * 4:
        raise UsageError(
            f"The {what} is not a mail address.",
            remedy="Write it like steward.lending@bank.example.",
        )
    return address
