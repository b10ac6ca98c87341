"""What a query reads, and that it does nothing but read one product.

Checked over DuckDB's own parse tree: one select; tables are the product and what the
query itself names in `with`; functions, operators, types and joins stand in
`party.query_words`, and so does every key that may say something. What is not listed is
refused, above all what a later DuckDB adds.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fl_plugin.errors import PolicyError
from fl_plugin.party import query_words as words
from fl_plugin.party.sandbox import not_sql

LONGEST_QUERY = 10_000
MAX_DEPTH = 120
MAX_NODES = 6_000

Tree = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Reads:
    """What a query reads of its product.

    Args:
        columns: The product's columns that it names, sorted, in the product's
            spelling; an alias of the same name counts too, which is the safe side.
        everything: It also says `*`, or names no column at all, as `count(*)` does.
        unknown: The first name that is neither a column nor an alias; "" if none.
    """

    columns: tuple[str, ...]
    everything: bool
    unknown: str


@dataclass
class _Seen:
    """What the walk has met so far."""

    product: bool = False
    star: bool = False
    references: list[tuple[str, ...]] = field(default_factory=list)
    given: set[str] = field(default_factory=set)  # names that the query gives


@dataclass(frozen=True, kw_only=True)
class _Place:
    """A part of the tree, how deep it lies, and the `with` names that hold there."""

    part: Any
    depth: int
    scope: frozenset[str]


def reads_of(tree: Tree, product: str, columns: Sequence[str]) -> Reads:
    """Return what a query reads.

    Args:
        tree: What DuckDB's `json_serialize_sql` gives for it.
        product: `<domain>.<model>`, the only table that it may name, with or without
            the domain.
        columns: The product's.

    Raises:
        PolicyError: It holds anything but the grammar above.
        UsageError: It is no query.
    """
    seen = _Seen()
    budget = iter(range(MAX_NODES))
    pending = [_Place(part=_statement(tree), depth=1, scope=frozenset())]
    while pending:
        place = pending.pop()
        if place.depth > MAX_DEPTH or next(budget, None) is None:
            raise _refused("is too long or too deeply nested")
        if isinstance(place.part, Mapping):
            _check(place, product, seen)
            pending += _below(place)
        elif isinstance(place.part, list):
            pending += (_within(place, part, place.scope) for part in place.part)
    return _reads(seen, columns)


def _statement(tree: Tree) -> Tree:
    statements = tree.get("statements")
    if tree.get("error") is not False or not isinstance(statements, list):
        raise not_sql()
    if len(statements) != 1 or not isinstance(statements[0], Mapping):
        raise _refused("is more than one statement")
    if set(statements[0]) - {"node", "named_param_map"}:
        raise _refused("is not a plain select")
    if statements[0].get("named_param_map"):
        raise _refused("has parameters")
    node = statements[0].get("node")
    if not isinstance(node, Mapping) or node.get("type") not in words.NODES:
        raise _refused("is not a plain select")
    return node


def _reads(seen: _Seen, columns: Sequence[str]) -> Reads:
    if not seen.product:
        raise _refused("reads nothing of the product")
    spelling = {name.casefold(): name for name in columns}
    found: set[str] = set()
    unknown = ""
    for reference in seen.references:
        # Of `a.b` either may be the column; both count, which is the safe side.
        hits = {spelling[n.casefold()] for n in reference if n.casefold() in spelling}
        found |= hits
        given = reference[-1].casefold() in seen.given | words.CONSTANTS
        unknown = unknown or ("" if hits or given else reference[-1])
    return Reads(
        columns=tuple(sorted(found)),
        everything=seen.star or not found,
        unknown=unknown,
    )


def _below(place: _Place) -> Iterator[_Place]:
    """Yield the parts of a mapping; a `with` name holds after it, not before."""
    part, scope = place.part, place.scope
    for name, query in _named_queries(part):
        yield _within(place, query, scope)
        scope |= {name}
    for key, value in part.items():
        if key != "cte_map":
            yield _within(place, value, scope)


def _named_queries(part: Tree) -> Iterator[tuple[str, Any]]:
    ctes = part.get("cte_map")
    if not ctes:
        return
    if not isinstance(ctes, Mapping) or set(ctes) != {"map"}:
        raise _refused("names queries in a way that is not known")
    for entry in ctes["map"]:
        if set(entry) != {"key", "value"} or not isinstance(entry["key"], str):
            raise _refused("names queries in a way that is not known")
        yield entry["key"].casefold(), entry["value"]


def _within(place: _Place, part: Any, scope: frozenset[str]) -> _Place:
    return _Place(part=part, depth=place.depth + 1, scope=scope)


def _check(place: _Place, product: str, seen: _Seen) -> None:
    part = place.part
    for key, value in part.items():
        if key not in words.KEYS and not _says_nothing(value):
            raise _refused("says something that is not listed as allowed")
    _remember_names(part, seen)
    if "class" in part:
        _check_expression(part, seen)
    elif isinstance(part.get("type"), str) and "sample_size" not in part:
        _check_node(place, product, seen)


def _check_expression(part: Tree, seen: _Seen) -> None:
    kind = part["class"]
    if kind not in words.EXPRESSIONS:
        raise _refused("holds an expression that is not listed as allowed")
    if kind in {"FUNCTION", "WINDOW"}:
        _check_function(part)
    elif kind == "OPERATOR" and part.get("type") not in words.LOGIC:
        raise _refused("holds an operator that is not listed as allowed")
    elif kind == "CONSTANT" and _kind_of_literal(part) not in words.LITERALS:
        raise _refused("holds a literal of an unusual kind")
    elif kind == "TYPE":
        name = str(part.get("type_name")).upper()
        if name not in words.TYPES or len(_path(part)) != 1:
            raise _refused("casts to a type that is not listed as allowed")
    elif kind == "STAR":
        seen.star = True


def _check_function(part: Tree) -> None:
    name = part.get("function_name")
    known = words.OPERATORS | words.FUNCTIONS
    if name not in known or _path(part) != [name]:
        raise _refused("calls a function that is not listed as allowed")


def _check_node(place: _Place, product: str, seen: _Seen) -> None:
    part = place.part
    if part["type"] not in words.NODES:
        raise _refused("reads from something that is not the product")
    if part["type"] == "BASE_TABLE":
        _check_table(part, product, place.scope, seen)
    if part["type"] == "JOIN":
        if part.get("join_type") not in words.JOINS:
            raise _refused("joins in a way that is not listed as allowed")
        if part.get("ref_type") not in words.WAYS:
            raise _refused("joins in a way that is not listed as allowed")
        seen.star = seen.star or part.get("ref_type") == "NATURAL"
        seen.references += ((str(name),) for name in part.get("using_columns", []))


def _check_table(part: Tree, product: str, scope: frozenset[str], seen: _Seen) -> None:
    path = [str(name).casefold() for name in _path(part)]
    seen.given.add(path[-1] if path else "")
    if len(path) == 1 and path[0] in scope:
        return
    domain, _, model = product.casefold().partition(".")
    if path not in ([model], [domain, model]):
        raise _refused(f"reads a table that is not {product}")
    seen.product = True


def _remember_names(part: Tree, seen: _Seen) -> None:
    """Keep what is referred to, and what the query gives names to."""
    for key in ("alias", "table_name"):
        if isinstance(part.get(key), str):
            seen.given.add(part[key].casefold())
    for key in ("aliases", "column_name_alias"):
        seen.given |= {str(name).casefold() for name in part.get(key) or ()}
    if part.get("class") == "COLUMN_REF":
        names = part.get("column_names")
        if not isinstance(names, list) or not 0 < len(names) <= 3:  # noqa: PLR2004
            raise _refused("names a column in a way that is not known")
        seen.references.append(tuple(str(name) for name in names))


def _path(part: Tree) -> list[Any]:
    qualified = part.get("qualified_name")
    path = qualified.get("path") if isinstance(qualified, Mapping) else None
    return path if isinstance(path, list) else []


def _kind_of_literal(part: Tree) -> object:
    literal = part.get("literal")
    return literal.get("kind") if isinstance(literal, Mapping) else None


def _says_nothing(value: object) -> bool:
    """Return whether a value is DuckDB's way to write that nothing was said."""
    if isinstance(value, Mapping):
        return all(_says_nothing(below) for below in value.values())
    return value is None or value is False or value in ("", [])


def _refused(why: str) -> PolicyError:
    return PolicyError(
        f"The query {why}.",
        remedy="Write one select over the product alone, with plain expressions, "
        "aggregates, joins with itself and `with`.",
        reason="query.not_allowed",
    )
