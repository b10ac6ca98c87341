"""Nothing about a product is left out of the comparison."""

import json
from dataclasses import fields, replace
from typing import Literal

from fl_plugin.contracts.behind import NOTHING, Behind
from fl_plugin.contracts.diff import explained
from fl_plugin.contracts.flat import differences, flatten, is_policy, state_digest
from fl_plugin.contracts.pairs import Pair
from fl_plugin.manifest.contract import ProductContract
from fl_plugin.manifest.types import Product
from fl_plugin.policy.fingerprint import policy_fingerprint


class LaterContract(ProductContract):
    """A contract of a later release, with a word that no family knows."""

    export: Literal["never", "always"] = "never"


def pair(base, head):
    return Pair(base, head, "same", NOTHING, NOTHING)


def test_every_field_of_a_product_is_compared(product_with):
    told = {path[0] for path in flatten(product_with(), NOTHING)}
    assert told >= {f.name for f in fields(Product)} - {"event_time"}
    assert ("event_time",) in flatten(product_with(), NOTHING)


def test_a_word_that_no_family_knows_counts_as_loosened(product_with):
    base = product_with()
    block = base.contract.model_dump(mode="json")
    later = [
        replace(base, contract=LaterContract.model_validate_json(_json(block, word)))
        for word in ("never", "always")
    ]
    (found,) = explained(pair(*later))
    assert (found.kind, found.verdict) == ("unknown", "loosened")
    assert found.paths == (("contract", "export"),)


def _json(block, word):
    return json.dumps(block | {"export": word})


def test_a_word_at_its_default_is_no_change(product_with):
    base = product_with()
    said = product_with(
        contract={"quality": base.contract.quality.model_dump() | {"on_breach": "stop"}}
    )
    assert differences(flatten(base, NOTHING), flatten(said, NOTHING)) == []


def test_descriptions_and_sql_do_not_end_an_approval(product_with):
    base = product_with()
    other = Behind(made_from={"model.x": "1"}, hooks="2")
    told = replace(base, description="Otherwise.", tags=("other",))
    assert state_digest(base, NOTHING) == state_digest(told, other)


def test_everything_else_ends_it(product_with):
    base = product_with()
    digest = state_digest(base, NOTHING)
    assert digest != state_digest(product_with(contract={"min_cohort": 26}), NOTHING)
    assert digest != state_digest(base, Behind(constraints={"check": "1"}))
    others = {
        "access": "private",
        "contract_enforced": False,
        "materialized": "view",
        "event_time": "amount",
        "key": (),
        "owner": replace(base.owner, email="other@bank.example"),
        "relation": replace(base.relation, database="other"),
    }
    for name, value in others.items():
        assert digest != state_digest(replace(base, **{name: value}), NOTHING), name
    columns = dict(base.columns)
    columns["description"] = replace(columns["amount"], name="description")
    named = replace(base, columns=columns)
    wider = replace(
        named,
        columns=columns
        | {"description": replace(columns["description"], nullable=False)},
    )
    assert state_digest(named, NOTHING) != state_digest(wider, NOTHING)


def test_the_fingerprint_covers_what_is_called_policy(product_with):
    """`is_policy` and the policy's fingerprint say the same of each field."""
    base = product_with()
    for name, value in (
        ("description", "Otherwise."),
        ("tags", ("other",)),
        ("materialized", "view"),
        ("event_time", "amount"),
        ("access", "private"),
        ("contract_enforced", False),
        ("key", ("amount",)),
        ("owner", replace(base.owner, email="other@bank.example")),
        ("owner", replace(base.owner, stewards=("other@bank.example",))),
        ("relation", replace(base.relation, schema="other")),
    ):
        head = replace(base, **{name: value})
        paths = pair(base, head).differing
        stops = policy_fingerprint(base) != policy_fingerprint(head)
        assert {is_policy(path) for path in paths} == {stops}
