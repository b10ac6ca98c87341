"""The tree inside a skops file: which nodes may stand in it, and stable numbers."""

import json
from collections.abc import Iterator
from typing import Any

from fl_plugin.algorithms.installed import algorithms

NodeType = tuple[str, str, str]  # module, class, loader

_NUMPY = {
    ("numpy", "dtype", "DTypeNode"),
    ("numpy", "ndarray", "NdArrayNode"),
    ("numpy", "float64", "TypeNode"),
    *(
        ("numpy", kind, "NdArrayNode")
        for kind in ("bool", "float32", "float64", "int32", "int64", "uint8", "uint32")
    ),
}
_BUILTINS = {
    ("builtins", "dict", "DictNode"),
    ("builtins", "list", "ListNode"),
    ("builtins", "slice", "SliceNode"),
    ("builtins", "str", "JsonNode"),
    ("builtins", "str", "TypeNode"),
    ("builtins", "tuple", "TupleNode"),
}
_ESTIMATORS = {
    (module, name, "ObjectNode")
    for module, name in (
        ("sklearn.compose._column_transformer", "ColumnTransformer"),
        ("sklearn.impute._base", "MissingIndicator"),
        ("sklearn.impute._base", "SimpleImputer"),
        ("sklearn.pipeline", "Pipeline"),
        ("sklearn.preprocessing._data", "RobustScaler"),
        ("sklearn.preprocessing._data", "StandardScaler"),
        ("sklearn.preprocessing._encoders", "OneHotEncoder"),
        ("sklearn.preprocessing._encoders", "OrdinalEncoder"),
    )
}
# Exactly what every pipeline may hold, far less than everything that skops trusts.
COMMON = frozenset(_NUMPY | _BUILTINS | _ESTIMATORS)
_MARKS = ("__module__", "__class__", "__loader__")


def allowed_types(schema: Any) -> frozenset[NodeType]:
    """Return what a file with this schema may hold: the types of its algorithm.

    The file says itself which algorithm it is of. That opens nothing: each installed
    algorithm's types are those of a fitted estimator without code of its own.
    """
    for text in _facts_texts(schema):
        try:
            name = json.loads(json.loads(text))["algorithm"]
            return COMMON | frozenset(algorithms()[name].types)
        except (ValueError, TypeError, KeyError):
            continue
    return COMMON


def trusted_names(allowed: frozenset[NodeType]) -> list[str]:
    """Return the types for skops, which it would not build by itself."""
    return sorted({f"{module}.{name}" for module, name, _ in allowed})


def untrusted_node(schema: Any, allowed: frozenset[NodeType] = COMMON) -> str | None:
    """Return the first node that a file with these types may not hold, if any."""
    for node in _dicts(schema):
        if any(mark in node for mark in _MARKS):
            kind = tuple(node.get(mark) for mark in _MARKS)
            if not all(isinstance(part, str) for part in kind) or kind not in allowed:
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


def _facts_texts(schema: Any) -> Iterator[str]:
    for node in _dicts(schema):
        facts = node.get("mesh_facts_")
        if isinstance(facts, dict) and isinstance(facts.get("content"), str):
            yield facts["content"]


def _plain(part: Any) -> str:
    return part[:80] if isinstance(part, str) and part.isprintable() else "?"
