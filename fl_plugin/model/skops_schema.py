"""The tree inside a skops file: which nodes may stand in it, and stable numbers."""

from collections.abc import Iterator
from typing import Any

_NUMPY = {("dtype", "DTypeNode"), ("float64", "NdArrayNode"), ("float64", "TypeNode")}
_BUILTINS = {
    ("dict", "DictNode"),
    ("list", "ListNode"),
    ("slice", "SliceNode"),
    ("str", "JsonNode"),
    ("str", "TypeNode"),
    ("tuple", "TupleNode"),
}
_ESTIMATORS = {
    ("sklearn.compose._column_transformer", "ColumnTransformer"),
    ("sklearn.impute._base", "SimpleImputer"),
    ("sklearn.linear_model._logistic", "LogisticRegression"),
    ("sklearn.pipeline", "Pipeline"),
    ("sklearn.preprocessing._data", "StandardScaler"),
    ("sklearn.preprocessing._encoders", "OneHotEncoder"),
}
# (module, class, loader): exactly what `build_pipeline` can make, far less than
# everything that skops trusts.
ALLOWED = frozenset(
    {("numpy", *pair) for pair in _NUMPY | {("ndarray", "NdArrayNode")}}
    | {("builtins", *pair) for pair in _BUILTINS}
    | {(*pair, "ObjectNode") for pair in _ESTIMATORS}
)
_MARKS = ("__module__", "__class__", "__loader__")


def untrusted_node(schema: Any) -> str | None:
    """Return the first node that no model of this package holds, if any."""
    for node in _dicts(schema):
        if any(mark in node for mark in _MARKS):
            kind = tuple(node.get(mark) for mark in _MARKS)
            if not _allowed(kind):
                return ".".join(_plain(part) for part in kind[:2])
    return None


def renumber(schema: Any) -> list[str]:
    """Number nodes and array members in order of appearance, in place.

    skops numbers by memory address, and which values share an address differs from
    process to process. Here every node gets its own number and every array its own
    member, shared or not: the bytes then depend on the values alone.

    Returns:
        The old member names; the one at place i is now `array_name(i)`.
    """
    names: list[str] = []
    for number, node in enumerate(_dicts(schema), start=1):
        if "__id__" in node:
            node["__id__"] = number
        if isinstance(node.get("file"), str):
            names.append(node["file"])
            node["file"] = array_name(len(names) - 1)
    return names


def array_name(place: int) -> str:
    """Return the member name of the array at `place`."""
    return f"{place:03d}.npy"


def _dicts(root: Any) -> Iterator[dict[str, Any]]:
    """Yield every mapping, outermost first, without recursion."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting.extend(reversed(node.values()))
        elif isinstance(node, list):
            waiting.extend(reversed(node))


def _allowed(kind: tuple[Any, ...]) -> bool:
    return all(isinstance(part, str) for part in kind) and kind in ALLOWED


def _plain(part: Any) -> str:
    return part[:80] if isinstance(part, str) and part.isprintable() else "?"
