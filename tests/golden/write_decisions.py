"""Writes decisions.yaml from the rows in decision_rows/.

    python -m tests.golden.write_decisions

The rows say what the answer must be; they were written from docs/governance.md. The
file is what is reviewed and what the test reads: a changed answer shows in its diff.
"""

from collections.abc import Iterator
from pathlib import Path

import yaml

from tests.golden.decision_rows import (
    asked_rows,
    contract_rows,
    grant_rows,
    known_rows,
    node_rows,
    permission_rows,
    product_rows,
    rule_rows,
)
from tests.golden.decision_rows.spec import Row

TABLE = Path(__file__).parent / "decisions.yaml"
HEAD = """\
# What a domain answers: one thing of decision_base.yaml changed in each row.
#   at, is   the field and its value; "(left out)" takes it away
#   with     what else differs from the base
#   then     allowed, at_opening, a reason code, or unreadable: what cannot be read is
#            not there, and the answer is no
# Written by write_decisions.py, reviewed as data.
"""


class _Dumper(yaml.SafeDumper):
    """Writes every value out, however often it stands there."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 PyYAML's
        return True


def all_rows() -> Iterator[Row]:
    """Yield every row, grouped by what it is about."""
    yield from rule_rows.vocabulary_rows()
    yield from contract_rows.contract_rows()
    yield from rule_rows.rule_rows()
    yield from product_rows.product_rows()
    yield from grant_rows.grant_rows()
    yield from node_rows.node_rows()
    yield from node_rows.principals_rows()
    yield from permission_rows.permission_rows()
    yield from asked_rows.asked_rows()
    yield from known_rows.measured_rows()
    yield from known_rows.known_rows()


def table() -> str:
    """Return the file's text."""
    lines = [HEAD]
    before = ""
    for row in all_rows():
        if row["at"] != before:
            before = row["at"]
            lines.append(f"# {before}\n")
        text = yaml.dump(
            row,
            Dumper=_Dumper,
            default_flow_style=True,
            sort_keys=False,
            width=1_000_000,
        )
        lines.append(f"- {text}")
    return "".join(lines)


if __name__ == "__main__":
    TABLE.write_text(table(), "utf-8")
