"""A row filter is a grammar, not a string: checked over DuckDB's own parse tree.

Allowed are the product's columns, literals, and/or/not, comparisons, between, in,
is null, coalesce, + - * /, a few functions of one argument and casts to plain types.
Everything else is refused, above all what this file does not know: a node, a key or
a value that a later DuckDB adds is refused until it is listed here.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from fl_plugin.errors import ContractError

MAX_DEPTH = 40
MAX_NODES = 500

_FUNCTIONS = {"lower", "upper", "trim", "abs", "length"}
_OPERATORS = {"+": (1, 2), "-": (1, 2), "*": (2,), "/": (2,)}
_LOGIC = {
    "OPERATOR_NOT",
    "OPERATOR_COALESCE",
    "OPERATOR_IS_NULL",
    "OPERATOR_IS_NOT_NULL",
    "COMPARE_IN",
    "COMPARE_NOT_IN",
}
_COMPARISONS = {
    "COMPARE_EQUAL",
    "COMPARE_NOTEQUAL",
    "COMPARE_LESSTHAN",
    "COMPARE_LESSTHANOREQUALTO",
    "COMPARE_GREATERTHAN",
    "COMPARE_GREATERTHANOREQUALTO",
    "COMPARE_DISTINCT_FROM",
    "COMPARE_NOT_DISTINCT_FROM",
}
_CONJUNCTIONS = {"CONJUNCTION_AND", "CONJUNCTION_OR"}
_LITERALS = {"BOOLEAN", "INTEGER", "NUMERIC", "STRING", "NULL_LITERAL"}
_WHOLE = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"}
_TYPES = _WHOLE | {"BOOLEAN", "FLOAT", "DOUBLE", "DECIMAL", "VARCHAR", "DATE"}
_TYPES |= {"TIMESTAMP"}
_PLACES = {"query_location", "query_location_length"}

Tree = Mapping[str, Any]


def columns_of(tree: Tree, allowed_columns: Sequence[str]) -> tuple[str, ...]:
    """Return the columns that a row filter reads, sorted, in the product's spelling.

    Args:
        tree: What DuckDB's `json_serialize_sql` gives for
            `select * from t where <filter>`.
        allowed_columns: The product's columns.

    Raises:
        ContractError: The filter holds anything but the grammar above.
    """
    spelling = {name.casefold(): name for name in allowed_columns}
    found: set[str] = set()
    budget = iter(range(MAX_NODES))
    pending = [(_condition(tree), 1)]
    while pending:
        node, depth = pending.pop()
        if depth > MAX_DEPTH or next(budget, None) is None:
            raise _refused("is too long or too deeply nested")
        if _text(node, "class") == "COLUMN_REF":
            found.add(_column(node, spelling))
            continue
        check = _GRAMMAR.get(_text(node, "class"))
        if check is None:
            raise _refused("holds something that is not listed as allowed")
        pending += [(child, depth + 1) for child in check(node)]
    return tuple(sorted(found))


def _condition(tree: Tree) -> Tree:
    """Return the where clause of one plain `select * from t where ...`."""
    statements = tree.get("statements")
    if tree.get("error") is not False or not isinstance(statements, list):
        raise _refused("cannot be parsed")
    if len(statements) != 1:
        raise _refused("holds more than one statement")
    statement = _mapping(statements[0])
    node = _mapping(statement.get("node"))
    _nothing_but(statement, {"node"})
    _nothing_but(node, _SELECT)
    if node.get("type") != "SELECT_NODE" or not _is_plain_select(node):
        raise _refused("holds more than a condition")
    return _mapping(node.get("where_clause"))


_SELECT = {"type", "select_list", "from_table", "where_clause", "aggregate_handling"}


def _is_plain_select(node: Tree) -> bool:
    picked, table = node.get("select_list"), _mapping(node.get("from_table"))
    if not isinstance(picked, list) or len(picked) != 1:
        return False
    star = _mapping(picked[0])
    _nothing_but(star, {"class", "type"})
    _nothing_but(table, {"type", "table_name", "qualified_name"})
    return (
        star.get("class") == "STAR"
        and table.get("type") == "BASE_TABLE"
        and table.get("table_name") == "t"
        and node.get("aggregate_handling") == "STANDARD_HANDLING"
        and _is_unqualified(table, "t")
    )


def _column(node: Tree, spelling: Mapping[str, str]) -> str:
    _nothing_but(node, {"class", "type", "column_names"})
    names = node.get("column_names")
    if not isinstance(names, list) or len(names) != 1 or not isinstance(names[0], str):
        raise _refused("qualifies a column")
    name = spelling.get(names[0].casefold())
    if name is None:
        raise _refused("reads a column that the product has not got")
    return name


def _constant(node: Tree) -> Iterator[Tree]:
    _nothing_but(node, {"class", "type", "literal"})
    literal = _mapping(node.get("literal"))
    _nothing_but(literal, {"kind", "text"})
    if literal.get("kind") not in _LITERALS:
        raise _refused("holds a literal of an unusual kind")
    yield from ()


def _logic(node: Tree) -> Iterator[Tree]:
    _nothing_but(node, {"class", "type", "children"})
    _one_of(node, _LOGIC | _CONJUNCTIONS)
    yield from _children(node, "children")


def _comparison(node: Tree) -> Iterator[Tree]:
    _nothing_but(node, {"class", "type", "left", "right"})
    _one_of(node, _COMPARISONS)
    yield from (_mapping(node.get(side)) for side in ("left", "right"))


def _between(node: Tree) -> Iterator[Tree]:
    parts = ("input", "lower", "upper")
    _nothing_but(node, {"class", "type", *parts})
    _one_of(node, {"COMPARE_BETWEEN"})
    yield from (_mapping(node.get(part)) for part in parts)


def _cast(node: Tree) -> Iterator[Tree]:
    _nothing_but(node, {"class", "type", "child", "type_expr"})
    _one_of(node, {"OPERATOR_CAST"})
    kind = _mapping(node.get("type_expr"))
    _nothing_but(kind, {"class", "type", "type_name", "qualified_name", "children"})
    name = _text(kind, "type_name")
    if name.upper() not in _TYPES or not _is_unqualified(kind, name):
        raise _refused("casts to a type that is not listed as allowed")
    for size in _children(kind, "children"):  # of decimal(5, 2)
        if _text(size, "class") != "CONSTANT":
            raise _refused("casts to a type that is not listed as allowed")
        yield size
    yield _mapping(node.get("child"))


def _function(node: Tree) -> Iterator[Tree]:
    plain = {"class", "type", "function_name", "is_operator", "arguments", "order_bys"}
    _nothing_but(node, plain | {"qualified_name"})
    _nothing_but(_mapping(node.get("order_bys")), {"type"})
    name, arguments = _text(node, "function_name"), _children(node, "arguments")
    known = (1,) if name in _FUNCTIONS else _OPERATORS.get(name, ())
    if len(arguments) not in known or not _is_unqualified(node, name):
        raise _refused("calls a function that is not listed as allowed")
    if (name in _OPERATORS) is not node.get("is_operator"):
        raise _refused("calls a function that is not listed as allowed")
    for argument in arguments:
        _nothing_but(argument, {"expression"})
        yield _mapping(argument.get("expression"))


_GRAMMAR: Mapping[str, Callable[[Tree], Iterator[Tree]]] = {
    "BETWEEN": _between,
    "CAST": _cast,
    "COMPARISON": _comparison,
    "CONJUNCTION": _logic,
    "CONSTANT": _constant,
    "FUNCTION": _function,
    "OPERATOR": _logic,
}


def _nothing_but(node: Tree, known: set[str]) -> None:
    """Refuse a key that says something and is not known here."""
    for key, value in node.items():
        if key not in known and key not in _PLACES and not _says_nothing(value):
            raise _refused("holds more than a condition")


def _says_nothing(value: object) -> bool:
    """Return whether a value is DuckDB's way to write that nothing was said."""
    if isinstance(value, Mapping):
        return all(_says_nothing(below) for below in value.values())
    return value is None or value is False or value in ("", [])


def _is_unqualified(node: Tree, name: str) -> bool:
    qualified = _mapping(node.get("qualified_name"))
    _nothing_but(qualified, {"path"})
    return qualified.get("path") == [name]


def _one_of(node: Tree, types: set[str]) -> None:
    if node.get("type") not in types:
        raise _refused("holds an operator that is not listed as allowed")


def _children(node: Tree, key: str) -> list[Tree]:
    found = node.get(key)
    if not isinstance(found, list):
        raise _refused("cannot be read")
    return [_mapping(child) for child in found]


def _mapping(value: object) -> Tree:
    if not isinstance(value, Mapping):
        raise _refused("cannot be read")
    return value


def _text(node: Tree, key: str) -> str:
    found = node.get(key)
    return found if isinstance(found, str) else ""


def _refused(why: str) -> ContractError:
    return ContractError(
        f"The row filter {why}.",
        remedy="Write one condition over the product's own columns: comparisons, "
        "between, in, is null, coalesce, + - * /, lower, upper, trim, abs, length "
        "and cast.",
    )
