"""Makes one change in one field of a contract and knows whether it loosens.

What a field means is written down here once more, apart from the families of changes:
a field that neither knows makes a test fail.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.unit.contracts.conftest import Raw

Mutation = tuple[str, Any, bool]  # what happens, the new value, whether it loosens
Mutator = Callable[[Any, random.Random], Iterator[Mutation]]
GONE = object()
LEVELS = ("public", "internal", "confidential", "restricted")


@dataclass(frozen=True)
class Mutant:
    """One change: where it is made, what happens, and whether it loosens."""

    product: str  # dbt's unique id
    path: tuple[str, ...]
    what: str
    value: Any
    loosens: bool

    def into(self, raw: Raw) -> None:
        """Make the change."""
        holder = raw["nodes"][self.product]
        for step in self.path[:-1]:
            holder = holder.setdefault(step, {})
        if self.value is GONE:
            holder.pop(self.path[-1], None)
        else:
            holder[self.path[-1]] = self.value


def number(looser: str, *, optional: bool = True, top: float = 10**6) -> Mutator:
    """A number with one loose direction; without it everything is at its loosest."""

    def mutate(value: Any, rng: random.Random) -> Iterator[Mutation]:
        whole = isinstance(value, int)
        fresh = rng.randint(30, 60) if top > 1 else 0.5
        if value is None:
            yield "set", fresh, False
            return
        up = value + (rng.randint(1, 9) if whole else (min(top, 1e9) - value) * 0.3)
        down = value - rng.randint(1, 9) if whole else value * rng.uniform(0.3, 0.9)
        if value < up <= top:
            yield "raised", up, looser == "higher"
        if 0 < down < value:
            yield "lowered", down, looser == "lower"
        if optional:
            yield "removed", GONE, True

    return mutate


def words(known: tuple[str, ...], *, opens: bool = True, few: int = 1) -> Mutator:
    """A list of words, of which one more opens, or closes."""

    def mutate(value: Any, rng: random.Random) -> Iterator[Mutation]:
        held = list(value or ())
        more = [w for w in known if w not in held]
        if more:
            yield "a word more", [*held, rng.choice(more)], opens
        if len(held) > few:
            less = list(held)
            less.remove(rng.choice(held))
            yield "a word less", less, not opens
        if len(held) > 1:
            yield "reordered", held[::-1], False

    return mutate


def one_of(
    known: tuple[str, ...],
    is_looser: Callable[[Any, Any], bool],
    default: str | None = None,
) -> Mutator:
    """A single word; `is_looser` says it of the old and the new one.

    Without it a `default` holds, which is then no change to write down.
    """

    def mutate(value: Any, rng: random.Random) -> Iterator[Mutation]:
        value = value or default
        for other in known:
            if other != value:
                yield f"{value} to {other}", other, is_looser(value, other)
        if value is not None and default is None:
            yield "removed", GONE, is_looser(value, None)

    return mutate


def level(own: str) -> Mutator:
    """A class; without one the product's holds."""

    def is_lower(before: Any, after: Any) -> bool:
        return LEVELS.index(after or own) < LEVELS.index(before or own)

    return one_of(LEVELS, is_lower)


def row_filter(value: Any, rng: random.Random) -> Iterator[Mutation]:
    if value is None:
        yield "added", "age >= 18", False
        return
    yield "changed", f"age >= {rng.randint(1, 90)} or true", True
    yield "removed", GONE, True


def allow(value: Any, rng: random.Random) -> Iterator[Mutation]:
    rules = [dict(r) for r in value or ()]
    stranger = {"org_unit": [rng.choice(["marketing", "sales", "audit"])]}
    if rules:
        rule = rules[0]
        yield "a rule more", [*rules, rule | {"consumer": stranger}], True
        wider = {"org_unit": [*rule["consumer"]["org_unit"], "sales"]}
        yield "a wider rule", [rule | {"consumer": wider}, *rules[1:]], True
        narrow = rule["consumer"] | {"region": ["eu"]}
        yield "a narrower rule", [rule | {"consumer": narrow}, *rules[1:]], False
        yield "no rule", [], False
        if len(rule["uses"]) > 1:
            yield "a use less", [rule | {"uses": rule["uses"][1:]}, *rules[1:]], False


def deny(value: Any, rng: random.Random) -> Iterator[Mutation]:
    rules = [dict(r) for r in value or ()]
    stranger = {"consumer": {"org_unit": [rng.choice(["sales", "audit"])]}}
    yield "a rule more", [*rules, stranger], False
    if rules:
        rule = rules[0]
        yield "a rule less", rules[1:], True
        narrow = rule["consumer"] | {"region": ["eu"]}
        yield "a narrower rule", [rule | {"consumer": narrow}, *rules[1:]], True
        for name, some in (("purposes", ["credit_risk"]), ("uses", ["evaluate"])):
            if name not in rule:
                yield f"only some {name}", [rule | {name: some}, *rules[1:]], True
        if "columns" in rule and len(rule["columns"].get("pii", ())) > 1:
            fewer = {"pii": rule["columns"]["pii"][:1]}
            yield "fewer columns", [rule | {"columns": fewer}, *rules[1:]], True


def tags(value: Any, rng: random.Random) -> Iterator[Mutation]:
    held = dict(value or {})
    for key in held:
        yield "a tag less", {k: v for k, v in held.items() if k != key}, True
    other = rng.choice(["auto_finance", "commercial_banking", "asset_management"])
    if held.get("lob") != other:
        yield "another tag", held | {"lob": other}, True


def bounds(value: Any, rng: random.Random) -> Iterator[Mutation]:
    if value is None:
        yield "set", [0, 1], False
        return
    low, high = value
    step = rng.uniform(0.01, 0.4) * (high - low)
    yield "higher", [low, high + step], True
    yield "lower", [low - step, high], True
    yield "shifted", [low + step, high + step], True
    yield "narrower", [low + step, high], False
    yield "removed", GONE, True


def column_uses(value: Any, rng: random.Random) -> Iterator[Mutation]:
    if value is None:
        yield "narrowed", ["aggregate"], False
        return
    yield from words(USES)(value, rng)
    yield "freed", GONE, True


def roles(value: Any, rng: random.Random) -> Iterator[Mutation]:
    held = list(value or ())
    for role in ROLES:
        if role not in held:
            yield f"also {role}", [*held, role], True
        else:
            rest = [r for r in held if r != role]
            yield f"no longer {role}", rest, role == "protected"


PURPOSES = ("credit_risk", "fraud_detection")
USES = ("aggregate", "train_horizontal", "train_vertical", "evaluate", "predict")
ROLES = ("join_key", "feature", "label", "protected")
# Every word of a contract. `product` names it: another name is another product.
CONTRACT: dict[str, Mutator] = {
    "status": one_of(
        ("draft", "active", "retired"), lambda before, after: after == "active"
    ),
    "tags": tags,
    "purposes": words(PURPOSES),
    "uses": words(USES),
    "allow": allow,
    "deny": deny,
    "row_filter": row_filter,
    "min_cohort": number("lower"),
    "freshness_hours": number("higher"),
    "retention_days": number("higher"),
    "classification": level("public"),  # it has to be there
}
BLOCKS: dict[str, dict[str, Mutator]] = {
    "dp": {
        "required_for": words((*PURPOSES, *USES), opens=False, few=0),
        "epsilon": number("higher", optional=False),
        "delta": number("higher", optional=False, top=0.99),
        "per": words(("consumer", "purpose"), few=0),
        "period_days": number("lower", optional=False),
    },
    "approval": {
        "approvers": number("lower", optional=False),
        "restricted_approvers": number("lower", optional=False),
        "max_days": number("higher", optional=False),
    },
    "quality": {
        "completeness": number("lower", top=1.0),
        "validity": number("lower", top=1.0),
        "uniqueness": number("lower", top=1.0),
        "drift_psi": number("higher"),
        "on_breach": one_of(
            ("stop", "warn"), lambda before, after: after == "warn", "stop"
        ),
    },
}
COLUMN: dict[str, Mutator] = {
    "roles": roles,
    "classification": level("public"),  # the product's, in its place
    "pii": one_of(
        ("identifier", "quasi", "sensitive"), lambda before, after: before is not None
    ),
    "uses": column_uses,
    "bounds": bounds,
    "label_sharing": one_of(
        ("shared", "protected"), lambda before, after: after == "shared"
    ),
    "mask": one_of(
        ("null", "hash", "year", "bucket"), lambda before, after: before is not None
    ),
}
# Fields of dbt's own that a decision looks at.
NODE: dict[str, Mutator] = {
    "access": one_of(
        ("private", "protected", "public"),
        lambda before, after: after > before,  # also in this order
        "public",
    ),
    "deprecation_date": one_of(
        ("2026-12-01", "2027-12-01"), lambda before, after: before is not None
    ),
    "database": one_of(("other_bank",), lambda before, after: True),
}
MESH = ("config", "meta", "mesh")


def mutants(raw: Raw, rng: random.Random) -> Iterator[Mutant]:
    """Yield every mutation of every field of every product, in random order."""
    found = [m for unique_id in products(raw) for m in _of_product(raw, unique_id, rng)]
    rng.shuffle(found)
    yield from found


def products(raw: Raw) -> list[str]:
    """Return dbt's ids of the products."""
    return sorted(
        i for i, n in raw["nodes"].items() if "mesh" in n["config"].get("meta", {})
    )


def _of_product(raw: Raw, unique_id: str, rng: random.Random) -> Iterator[Mutant]:
    found = raw["nodes"][unique_id]
    block = found["config"]["meta"]["mesh"]
    places: list[tuple[tuple[str, ...], Any, Mutator]] = [
        ((*MESH, name), block.get(name), mutate) for name, mutate in CONTRACT.items()
    ]
    for below, fields in BLOCKS.items():
        if below in block:
            places += [
                ((*MESH, below, name), block[below].get(name), mutate)
                for name, mutate in fields.items()
            ]
    for name, column in found["columns"].items():
        held = column["config"]["meta"].get("mesh", {})
        path: tuple[str, ...] = ("columns", name, *MESH)
        known = COLUMN | {"classification": level(block["classification"])}
        places += [((*path, w), held.get(w), m) for w, m in known.items()]
    places += [((n,), found.get(n), m) for n, m in NODE.items() if n != "database"]
    places.append((("database",), found["database"], NODE["database"]))
    for path, value, mutate in places:
        for what, new, loosens in mutate(value, rng):
            yield Mutant(unique_id, path, what, new, loosens)
