"""Every field that a decision looks at, with the answer that is written down.

decisions.yaml is the table: read it as a person would, and correct the code, not the
table, unless the rule itself was changed.
"""

import ast
import dataclasses
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel

import fl_plugin.policy
from fl_plugin.manifest.contract import ColumnContract, ProductContract
from fl_plugin.manifest.grant_contract import GrantContract
from fl_plugin.manifest.types import Column, Owner, Product, Relation
from fl_plugin.manifest.vocabulary import Vocabulary
from fl_plugin.policy.decision import decide
from fl_plugin.policy.node import NodeSettings
from fl_plugin.policy.permissions.permission import PermissionsFile
from fl_plugin.policy.principals import Principals
from fl_plugin.policy.types import Facts, Measured, Request
from tests.golden.decision_facts import (
    UnreadableError,
    changed,
    facts_of,
)
from tests.golden.write_decisions import TABLE, table

FEWEST_ROWS = 500
# The C loader is ten times as fast, where PyYAML was built with it.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
ROWS = yaml.load(TABLE.read_text("utf-8"), Loader=LOADER)  # noqa: S506 a safe loader
READ_ELSEWHERE = {
    Facts: {"request", "node", "measured"},  # each has rows of its own
    Product: {"columns", "contract", "owner", "relation"},
    Column: {"name", "contract"},
}


def answer(row: dict[str, Any], folder: Any) -> str:
    changes = row.get("with", {}) | {row["at"]: row["is"]}
    try:
        facts = facts_of(changed(changes), folder)
    except UnreadableError:
        return "unreadable"
    decision = decide(facts)
    if decision.refusal is not None:
        return decision.refusal.reason
    return "allowed" if decision.complete else "at_opening"


def test_every_row_is_decided_as_written_down(tmp_path_factory, figure):
    folder = tmp_path_factory.mktemp("decisions")
    found = [(row, answer(row, folder)) for row in ROWS]
    wrong = [
        f"{row['at']} = {row['is']!r} with {row.get('with')}: {said}, not {row['then']}"
        for row, said in found
        if said != row["then"]
    ]
    assert wrong == []
    assert len(ROWS) >= FEWEST_ROWS
    figure("rows of the decision table, decided as written down", len(ROWS))


def test_the_base_is_allowed(tmp_path):
    assert decide(facts_of(changed({}), tmp_path)).complete


def test_no_row_stands_twice():
    seen = Counter(yaml.safe_dump([r["at"], r["is"], r.get("with")]) for r in ROWS)
    assert [text for text, times in seen.items() if times > 1] == []


def test_the_table_is_what_its_rows_say():
    assert TABLE.read_text("utf-8") == table()


def test_every_reason_of_the_rules_stands_in_the_table():
    """A reason that nothing leads to is dead, or has no row yet."""
    told = {row["then"] for row in ROWS}
    assert sorted(reasons_of_the_rules() - told) == []


def test_every_field_has_a_row_where_it_is_there_and_one_where_it_is_not():
    by_field: dict[str, set[str]] = {}
    for row in ROWS:
        by_field.setdefault(generic(row["at"]), set()).add(row["case"])
    bare = sorted(set(fields_of_a_decision()) - set(by_field))
    assert bare == [], "give these fields rows in tests/golden/decision_rows"
    thin = {
        name
        for name, cases in by_field.items()
        if name in set(fields_of_a_decision()) and len(cases) < 2
    }
    assert sorted(thin - ONE_CASE) == []


def reasons_of_the_rules() -> set[str]:
    """Return every reason code that is written out in the policy's code."""
    found = set()
    for file in Path(fl_plugin.policy.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name, first = node.func, node.args[0]
            refuses = isinstance(name, ast.Name) and name.id == "Refusal"
            if refuses and isinstance(first, ast.Constant):
                found.add(str(first.value))
    return found


# Whatever they hold, it is allowed, and they are never missing.
ONE_CASE = {"product/materialized", "product/key", "product/relation/database"}
ONE_CASE |= {"product/relation/schema", "product/relation/identifier"}
ONE_CASE |= {"owner/name", "owner/email", "owner/support"}
# There in every other row.
ONE_CASE |= {"facts/product", "facts/grants", "facts/table"}


def generic(path: str) -> str:
    """Return a path with a star for what is a name and no field."""
    stars = {
        ("columns",): 1,
        ("principals", "consumers"): 2,
        ("principals", "people"): 2,
        ("principals", "domains"): 2,
    }
    steps = path.split("/")
    for start, at in stars.items():
        if tuple(steps[:at]) == start and len(steps) > at:
            steps[at] = "*"
    return "/".join(steps)


def fields_of_a_decision() -> Iterator[str]:
    """Yield the path of every field that a domain reads before it answers."""
    yield from below(Vocabulary, "vocabulary")
    yield from below(ProductContract, "contract")
    yield from below(ColumnContract, "columns/*/mesh")
    yield from below(GrantContract, "grant")
    yield from below(NodeSettings, "node")
    yield from below(Principals, "principals")
    yield from below(PermissionsFile, "permissions")
    values = {
        Request: "request",
        Measured: "measured",
        Facts: "facts",
        Product: "product",
        Owner: "owner",
        Relation: "product/relation",
        Column: "columns/*",
    }
    for kind, place in values.items():
        for field in dataclasses.fields(kind):
            if field.name not in READ_ELSEWHERE.get(kind, set()):
                yield f"{place}/{field.name}"


def below(model: type[BaseModel], place: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        path = f"{place}/{name}"
        yield path
        inner, starred = model_in(field.annotation)
        # Tag permissions are permissions, which have rows of their own.
        if inner is not None and name != "tag_permissions":
            yield from below(inner, f"{path}/*" if starred else path)


def model_in(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    """Return the model inside an annotation, and whether it stands in a mapping."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    found = [model_in(a)[0] for a in get_args(annotation)]
    inner = next((f for f in found if f is not None), None)
    return inner, getattr(annotation, "__origin__", None) is dict
