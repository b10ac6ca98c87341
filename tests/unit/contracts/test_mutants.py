"""Every loosening is found, whatever field it is in: random mutants of a real mesh."""

import copy
import json
import random
from dataclasses import replace
from datetime import timedelta
from itertools import product as combinations

import pytest

from fl_plugin.contracts.diff import changes
from fl_plugin.contracts.pairs import compare
from fl_plugin.contracts.side import read_side
from fl_plugin.contracts.verdict import worst
from fl_plugin.manifest.contract import (
    Approval,
    ColumnContract,
    DpBudget,
    ProductContract,
    QualityFloors,
)
from fl_plugin.policy.decision import decide
from fl_plugin.policy.fingerprint import policy_fingerprint
from tests.unit.contracts.conftest import NOW
from tests.unit.contracts.mutants import (
    BLOCKS,
    COLUMN,
    CONTRACT,
    PURPOSES,
    USES,
    mutants,
)

HOW_MANY = 500
CONSUMERS = {n: {"org_unit": (n,)} for n in ("ml_coe", "marketing", "sales")}


def questions(product):
    """Yield consumer, purpose, uses, columns, and which doubtful fact goes with it."""
    roles = [(n, r) for n, c in product.columns.items() for r in c.contract.roles]
    roles += [
        (name, "shared_label")
        for name, column in product.columns.items()
        if column.contract.label_sharing == "shared"
    ]
    for name, role in roles:
        for use in ("evaluate", "train_horizontal", "predict"):
            yield "ml_coe", "credit_risk", (use,), {name: role}, ""
    feature = next(((n, r) for n, r in roles if r == "feature"), None)
    for name, role in [feature] if feature else []:
        asked = {name: role}
        uses: list[tuple[str, ...]] = [(use,) for use in USES]
        uses.append(("train_horizontal", "evaluate"))
        for consumer, purpose, some in combinations(CONSUMERS, PURPOSES, uses):
            yield consumer, purpose, some, asked, ""
        for doubt in ("one approver", "old", "poor", "few", "long", "epsilon"):
            yield "ml_coe", "credit_risk", ("evaluate",), asked, doubt
    restricted = {n: r for n, r in roles if r == "label"}
    yield "ml_coe", "credit_risk", ("evaluate",), restricted, "one approver"


def facts_of(base, product, question):
    """Return the facts of a question; the grant is as wide as can be, and current."""
    consumer, purpose, uses, columns, doubt = question
    now_print = policy_fingerprint(product)
    grant = replace(
        base.grants[0],
        domain=product.domain,
        products=(product.name,),
        product_ids=(product.unique_id,),
        consumer=consumer,
        purpose=purpose,
        uses=uses,
        columns=tuple(columns),
        approved_by=product.owner.stewards[: 1 if doubt == "one approver" else 2],
        epsilon=9.0 if doubt == "epsilon" else None,
        policy=now_print,
        expires=NOW.date() + timedelta(days=360 if doubt == "long" else 30),
    )
    return replace(
        base,
        request=replace(
            base.request,
            consumer=consumer,
            purpose=purpose,
            uses=uses,
            columns=columns,
            product=product.name,
            version=product.version,
            epsilon=4.5 if doubt == "epsilon" else None,
        ),
        caller=consumer,
        node=replace(base.node, domain=product.domain, consumers=CONSUMERS),
        product=product,
        grants=(grant,),
        policy_fingerprint=now_print,
        table={n: c.data_type for n, c in product.columns.items()},
        measured=replace(
            base.measured,
            built_at=NOW - timedelta(hours=724 if doubt == "old" else 0.01),
            completeness=0.95 if doubt == "poor" else 1.0,
        ),
        rows=23 if doubt == "few" else 495,
        filter_columns=(),
    )


def opened_by(base, head, facts):
    """Return what a domain refuses on the base and allows on the head."""
    asked = [*questions(base), *questions(head)]
    return [
        question
        for question in asked
        if decide(facts_of(facts, head, question)).complete
        and not decide(facts_of(facts, base, question)).complete
    ]


@pytest.fixture(scope="session")
def made(raw, unedited, vocabulary, tmp_path_factory):
    """500 mutants that are valid contracts: each, its product, its changes."""
    path = tmp_path_factory.mktemp("mutants") / "manifest.json"
    found = []
    seeded = random.Random(20261121)  # noqa: S311 no secret
    for mutant in mutants(raw, seeded):
        content = copy.copy(raw)
        package = mutant.product.split(".")[1]
        content["nodes"] = {
            i: n for i, n in raw["nodes"].items() if n["package_name"] == package
        }
        node = copy.deepcopy(raw["nodes"][mutant.product])
        content["nodes"][mutant.product] = node
        mutant.into(content)
        path.write_text(json.dumps(content))
        head = read_side(path, vocabulary)
        products = [p for p in head.products if p.unique_id == mutant.product]
        if not products:
            continue  # not a contract any more: refused everywhere, and "breaking"
        both = compare(unedited, head, products[0].domain, NOW)
        changed = changes(both, lambda _, c: c)
        found.append((mutant, products[0], changed))
        if len(found) == HOW_MANY:
            break
    return found


def test_the_mutator_knows_every_word_of_a_contract():
    """A word that is added to contracts has to be given a meaning here."""
    words = set(CONTRACT) | set(BLOCKS) | {"product"}
    assert words == set(ProductContract.model_fields)
    for name, block in (
        ("dp", DpBudget),
        ("approval", Approval),
        ("quality", QualityFloors),
    ):
        assert set(BLOCKS[name]) == set(block.model_fields)
    assert set(COLUMN) == set(ColumnContract.model_fields)


def test_every_single_field_loosening_is_found(made, figure):
    loosening = [m for m, _, _ in made if m.loosens]
    missed = [
        (m.path, m.what)
        for m, _, changed in made
        if m.loosens and worst(c.verdict for c in changed) != "loosened"
    ]
    found = len(loosening) - len(missed)
    figure("policy diff: mutants of a manifest", len(made))
    figure(f"policy diff: loosenings found, of {len(loosening)}", found)
    assert len(made) == HOW_MANY
    assert len(loosening) >= 200
    assert missed == []


def test_what_loosens_nothing_is_not_called_loosened(made):
    """Else nobody would look at the verdict any more."""
    cried = [
        (m.path, m.what, [c.kind for c in changed if c.verdict == "loosened"])
        for m, _, changed in made
        if not m.loosens and worst(c.verdict for c in changed) == "loosened"
    ]
    assert cried == []


def test_no_mutant_goes_unnoticed(made):
    assert [m.path for m, _, changed in made if not changed] == []


def test_every_mutant_has_a_family_of_its_own(made):
    assert not [
        m.path for m, _, changed in made if "unknown" in {c.kind for c in changed}
    ]


def test_what_a_domain_would_newly_allow_is_called_loosened(
    made, unedited, facts_with, figure
):
    """The domain's own rules as the oracle, with a grant as wide as it can be."""
    facts, opened = facts_with(), 0
    before = {p.unique_id: p for p in unedited.products}
    for product in before.values():
        assert any(
            decide(facts_of(facts, product, q)).complete for q in questions(product)
        )
    for mutant, product, changed in made[::4]:  # each is asked a hundred questions
        more = opened_by(before[mutant.product], product, facts)
        opened += bool(more)
        verdict = worst(c.verdict for c in changed)
        assert not more or verdict == "loosened", (mutant.path, mutant.what, more[0])
    figure("policy diff: mutants that open something by the domain's rules", opened)
    assert opened >= 15
