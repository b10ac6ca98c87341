"""What a consumer asks of one product's rows, as a message brings it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from fl_plugin.errors import MessageError
from fl_plugin.manifest.types import Product
from fl_plugin.party.query_sql import LONGEST_QUERY
from fl_plugin.party.sandbox import not_sql
from fl_plugin.plan.wire import LONGEST_TEXT, MOST_COLUMNS, read_request
from fl_plugin.policy.rules.s05_purpose_use import SHARED_LABEL
from fl_plugin.policy.types import Request

_STEERING = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LONGEST_SHOWN = 64


@dataclass(frozen=True, kw_only=True)
class Question:
    """A query, or a sample where there is no SQL.

    Args:
        request: Who asks, of which product, for which purpose. Its columns and uses
            are the domain's to fill in: what a message says of them counts nothing.
        sql: The query.
        columns: Of a sample; empty for all that are granted.
        rows: How many at most; the domain's own bound may be lower.
    """

    request: Request
    sql: str | None
    columns: tuple[str, ...]
    rows: int

    @property
    def text(self) -> str:
        """The SQL, or a sample in words: what the domain keeps of the question."""
        if self.sql is not None:
            return self.sql.encode("utf-8", "replace").decode()
        names = ", ".join(map(shown_name, self.columns)) or "all granted"
        return f"sample of {self.rows} rows: {names}"

    def check_text(self) -> None:
        """Look at the SQL before anything is done with it.

        Raises:
            UsageError: It is too long, or is not text.
        """
        if self.sql is not None and not _is_text(self.sql):
            raise not_sql()

    def asking(self, columns: tuple[str, ...], product: Product | None) -> Request:
        """Return the request for these columns, each in the role a query has it in."""
        return replace(
            self.request,
            uses=("query",),
            columns={name: _role(product, name) for name in columns},
            algorithm="",
            parameters={},
            secure_aggregation=False,
            parties=1,
            epsilon=None,
        )


def read_question(body: Mapping[str, Any]) -> Question:
    """Return the question in a message.

    Raises:
        MessageError: It is malformed.
    """
    sql, columns, rows = body.get("sql"), body.get("columns"), body.get("rows")
    if not (sql is None or isinstance(sql, str)) or type(rows) is not int or rows < 1:
        raise _malformed()
    if not isinstance(columns, list) or len(columns) > MOST_COLUMNS:
        raise _malformed()
    names = tuple(name for name in columns if isinstance(name, str))
    if len(set(names)) != len(columns) or any(len(n) > LONGEST_TEXT for n in names):
        raise _malformed()
    return Question(
        request=read_request(body.get("request")), sql=sql, columns=names, rows=rows
    )


def shown_name(name: str) -> str:
    """Return a name that is not the product's own, as a record may hold it."""
    return name.encode("ascii", "replace").decode()[:_LONGEST_SHOWN]


def _role(product: Product | None, name: str) -> str:
    column = product.columns.get(name) if product else None
    roles = column.contract.roles if column else ()
    # The value leaves in the clear: for a label that is what sharing it means.
    if "label" in roles:
        return SHARED_LABEL
    return roles[0] if roles else "feature"


def _is_text(sql: str) -> bool:
    try:
        sql.encode()
    except UnicodeEncodeError:
        return False
    return 0 < len(sql) <= LONGEST_QUERY and not _STEERING.search(sql)


def _malformed() -> MessageError:
    return MessageError(
        "A message holds a malformed query.",
        remedy="Check that every node runs the same version of fl_plugin.",
    )
