"""Every way in which one thing of a policy can be made stricter.

Taking a role from a column counts only where no deny rule selects columns by role: such
a rule says what it is about, and a column that no longer is that is no longer denied.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from fl_plugin.manifest.contract import ColumnContract, ProductContract
from fl_plugin.manifest.types import Product
from fl_plugin.manifest.validation import validated
from fl_plugin.policy.fingerprint import policy_fingerprint
from fl_plugin.policy.types import Facts
from tests.properties.random_facts import CLASSES, COLUMNS, NOW, PURPOSES, USES, Dice

Words = dict[str, Any]
OfContract = Callable[[Words, Dice], Words]
OfFacts = Callable[[Facts, Dice], Facts]


def tightened(facts: Facts, dice: Dice) -> tuple[str, Facts]:
    """Return the name of a tightening and the facts after it.

    The stewards confirm the grants that held, so that only the word itself decides.
    """
    name = dice.choice(NAMES)
    if name in OF_FACTS:
        return name, OF_FACTS[name](facts, dice)
    if facts.product is None:
        return name, facts
    product = facts.product
    if name in OF_CONTRACT:
        words = product.contract.model_dump(mode="json")
        changed = words | OF_CONTRACT[name](words, dice)
        contract = validated(ProductContract, changed, "product")
        return name, _confirmed(facts, replace(product, contract=contract))
    column = product.columns[dice.choice(COLUMNS)]
    block = column.contract.model_dump(mode="json")
    keeps = OF_COLUMN_UNLESS.get(name)
    if keeps and _selects_by(product.contract.model_dump(mode="json"), keeps):
        return name, facts
    stricter = block | OF_COLUMN[name](block, dice)
    own = replace(column, contract=validated(ColumnContract, stricter, "column"))
    columns = {**product.columns, column.name: own}
    return name, _confirmed(facts, replace(product, columns=columns))


def _confirmed(facts: Facts, product: Product) -> Facts:
    old, new = facts.policy_fingerprint, policy_fingerprint(product)
    grants = tuple(
        replace(g, policy=new) if g.policy == old else g for g in facts.grants
    )
    return replace(facts, product=product, grants=grants, policy_fingerprint=new)


def _without(words: Sequence[Any], dice: Dice) -> list[Any]:
    gone = dice.choice(words)
    return [word for word in words if word != gone] or list(words)


def _fewer(word: str) -> OfContract:
    """Take a purpose or a use from the contract, and from its allow rules."""

    def tighten(contract: Words, dice: Dice) -> Words:
        kept = _without(contract[word], dice)
        rules = [
            {**rule, word: left}
            for rule in contract["allow"]
            if (left := [w for w in rule[word] if w in kept])
        ]
        return {word: kept, "allow": rules}

    return tighten


def _narrower_rule(word: str) -> OfContract:
    def tighten(contract: Words, dice: Dice) -> Words:
        return {
            "allow": [
                {**rule, word: _without(rule[word], dice)} for rule in contract["allow"]
            ]
        }

    return tighten


def _one_rule_less(contract: Words, dice: Dice) -> Words:
    rules = list(contract["allow"])
    return {"allow": rules[:-1] if dice.random() < 0.5 else rules[1:]}


def _wider_allow_key(contract: Words, dice: Dice) -> Words:
    return {
        "allow": [
            {**rule, "consumer": {**rule["consumer"], "country": ["at"]}}
            for rule in contract["allow"]
        ]
    }


def _more_denied(contract: Words, dice: Dice) -> Words:
    rule: Words = dice.choice(
        (
            {"purposes": [dice.choice(PURPOSES)]},
            {"uses": [dice.choice(USES)]},
            {"consumer": {"org_unit": [dice.choice(("ml_coe", "marketing"))]}},
            {"columns": {"names": [dice.choice(COLUMNS)]}},
            {"columns": {"classification": [dice.choice(CLASSES)]}},
        )
    )
    return {"deny": [*contract["deny"], rule]}


def _denied_for_more(contract: Words, dice: Dice) -> Words:
    """Take a line from each deny rule that has another: it then matches more."""
    wider = []
    for rule in contract["deny"]:
        said = [w for w in ("consumer", "purposes", "uses", "columns") if rule[w]]
        gone = dice.choice(said) if len(said) > 1 else None
        wider.append({w: v for w, v in rule.items() if w != gone and v})
    return {"deny": wider}


def _number(*path: str, by: Callable[[float], float]) -> OfContract:
    """Make a number stricter where there is one."""

    def tighten(contract: Words, dice: Dice) -> Words:
        word, *below = path
        if not below:
            value = contract[word]
            return {} if value is None else {word: by(value)}
        block = contract[word]
        if block is None or block[below[0]] is None:
            return {}
        return {word: {**block, below[0]: by(block[below[0]])}}

    return tighten


def _floors(contract: Words, dice: Dice) -> Words:
    word = dice.choice(("completeness", "validity", "uniqueness"))
    quality = contract["quality"]
    return {"quality": {**quality, word: min(1.0, (quality[word] or 0.9) + 0.02)}}


def _more_approvers(contract: Words, dice: Dice) -> Words:
    approval = contract["approval"]
    more = approval["restricted_approvers"] + dice.choice((0, 1))
    return {"approval": {**approval, "approvers": more, "restricted_approvers": more}}


def _noise_for_all(contract: Words, dice: Dice) -> Words:
    if contract["dp"] is None:
        return {}
    return {"dp": {**contract["dp"], "required_for": list(PURPOSES)}}


def _no_budget(contract: Words, dice: Dice) -> Words:
    # Without a budget nothing with an epsilon may run; without required_for it may not
    # be taken away, since that would also take away the demand.
    if contract["dp"] is None or contract["dp"]["required_for"]:
        return {}
    return {"dp": None}


def _selects_by(contract: Words, word: str) -> bool:
    return any(r["columns"] and r["columns"][word] for r in contract["deny"])


OF_CONTRACT: Mapping[str, OfContract] = {
    "a purpose less": _fewer("purposes"),
    "a use less": _fewer("uses"),
    "allowed for a purpose less": _narrower_rule("purposes"),
    "allowed for a use less": _narrower_rule("uses"),
    "an allow rule less": _one_rule_less,
    "an allow rule asks for one more attribute": _wider_allow_key,
    "a deny rule more": _more_denied,
    "a deny rule with a line less": _denied_for_more,
    "a higher cohort": _number("min_cohort", by=lambda n: n + 15),
    "fresher": _number("freshness_hours", by=lambda n: n / 2),
    "fewer days": _number("approval", "max_days", by=lambda n: max(1, n - 10)),
    "less drift": _number("quality", "drift_psi", by=lambda n: n / 2),
    "less epsilon": _number("dp", "epsilon", by=lambda n: n / 2),
    "higher floors": _floors,
    "a broken floor stops": lambda c, _: {
        "quality": c["quality"] | {"on_breach": "stop"}
    },
    "more approvers": _more_approvers,
    "noise for every purpose": _noise_for_all,
    "no budget": _no_budget,
    "restricted": lambda _, __: {"classification": "restricted"},
    "retired": lambda _, __: {"status": "retired"},
}


OF_COLUMN: Mapping[str, OfContract] = {
    "a column for fewer uses": lambda c, d: {
        "uses": _without(c["uses"] or list(USES), d)
    },
    "a column for no use": lambda _, __: {"uses": []},
    "a restricted column": lambda _, __: {"classification": "restricted"},
    "a column without roles": lambda _, __: {"roles": [], "label_sharing": None},
    "a personal column": lambda c, _: {"pii": c["pii"] or "quasi"},
    "a masked column": lambda _, __: {"mask": "null"},
    "a protected label": lambda c, _: {
        "label_sharing": "protected" if "label" in c["roles"] else None
    },
}

# Not where a deny rule selects columns by this word.
OF_COLUMN_UNLESS = {
    "a column without roles": "roles",
}


def _grant_less(**words: Callable[[Any, Dice], Any]) -> OfFacts:
    def tighten(facts: Facts, dice: Dice) -> Facts:
        grants = tuple(
            replace(g, **{w: less(getattr(g, w), dice) for w, less in words.items()})
            for g in facts.grants
        )
        return replace(facts, grants=grants)

    return tighten


def _node_less(**words: Any) -> OfFacts:
    return lambda facts, _: replace(facts, node=replace(facts.node, **words))


def _one_less(words: Sequence[Any], dice: Dice) -> tuple[Any, ...]:
    return tuple(words[1:])


OF_FACTS: Mapping[str, OfFacts] = {
    "a grant of fewer uses": _grant_less(uses=_one_less),
    # Shorter by some days, it could be one that the contract allows at last; and so
    # with a column or an approver less.
    "a grant of no column": _grant_less(columns=lambda *_: ()),
    "a grant that ends today": _grant_less(expires=lambda *_: NOW.date()),
    "a grant that nobody approved": _grant_less(approved_by=lambda *_: ()),
    "a grant revoked": _grant_less(status=lambda *_: "revoked"),
    "no grants": lambda facts, _: replace(facts, grants=()),
    "no algorithms": _node_less(algorithms={}),
    "nobody known": _node_less(consumers={}),
    "masks required": _node_less(secure_aggregation="required"),
    "signatures required": _node_less(require_signatures=("grants", "contracts")),
    "a domain with an empty list of permissions": _node_less(permissions=()),
    "another list of principals": _node_less(principals_pinned=False),
    "a higher floor of the mesh": lambda facts, _: replace(
        facts, mesh_min_cohort=facts.mesh_min_cohort + 25
    ),
    "more spent": lambda facts, _: replace(
        facts, epsilon_spent=facts.epsilon_spent + 1
    ),
    "a clock that was ahead": lambda facts, _: replace(
        facts, clock_floor=facts.now + timedelta(days=1)
    ),
}
NAMES = (*OF_CONTRACT, *OF_COLUMN, *OF_FACTS)
