"""The pinned list of who there is, keys and the signatures they check."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from fl_plugin.errors import ContractError
from fl_plugin.manifest.validation import validated
from fl_plugin.policy.approval import approval_digest, approval_statement
from fl_plugin.policy.decision import decide
from fl_plugin.policy.node import load_node
from fl_plugin.policy.permissions.permission import PermissionsFile
from fl_plugin.policy.principals import Principals, principals_digest
from fl_plugin.policy.signed_contracts import (
    contract_key,
    contract_statement,
    is_contract_signed,
)
from fl_plugin.signing.keys import create_key

PRINCIPALS = """
roles: {data_scientist: [describe, select], mesh_owner: [associate]}
consumers:
  ml_coe: {attributes: {org_unit: [ml_coe]}, roles: [data_scientist]}
"""
NODE = """
domain: consumer_banking
database: data/consumer_banking.duckdb
"""
STEWARDS = ("steward.consumer@bank.example", "risk.consumer@bank.example")


def mesh(root: Path, principals: str = PRINCIPALS, pin: str = "") -> Path:
    folder = root / "domains" / "consumer_banking"
    folder.mkdir(parents=True, exist_ok=True)
    (root / "principals.yml").write_text(principals)
    digest = pin or principals_digest(root)
    (folder / "node.yml").write_text(f'{NODE}principals: "{digest}"\n')
    return folder


def reason(decision: Any) -> str:
    return decision.refusal.reason if decision.refusal else ""


def test_a_pinned_list_says_who_the_consumers_are(tmp_path):
    node = load_node(mesh(tmp_path))
    assert node.consumers == {"ml_coe": {"org_unit": ("ml_coe",)}}
    assert node.principals_pinned


def test_an_edit_that_was_not_pinned_leaves_nobody_known(tmp_path):
    folder = mesh(tmp_path)
    (tmp_path / "principals.yml").write_text(PRINCIPALS + "# one more line\n")
    node = load_node(folder)
    assert not node.principals_pinned
    assert (node.consumers, node.principals) == ({}, Principals())


def test_an_edit_that_was_not_pinned_is_refused_with_the_way_out(facts_with):
    decision = decide(facts_with(node={"principals_pinned": False}))
    assert reason(decision) == "consumer.list_changed"
    assert decision.refusal is not None
    assert "fl access pin consumer_banking" in decision.refusal.remedy


def test_a_node_keeps_its_own_list_or_pins_the_mesh_s(tmp_path):
    folder = mesh(tmp_path)
    with (folder / "node.yml").open("a") as file:
        file.write("consumers: {ml_coe: {org_unit: [ml_coe]}}\n")
    with pytest.raises(ContractError, match="not both"):
        load_node(folder)


def test_a_list_that_is_missing_is_an_error(tmp_path):
    folder = mesh(tmp_path)
    (tmp_path / "principals.yml").unlink()
    with pytest.raises(ContractError, match=r"principals\.yml cannot be read"):
        load_node(folder)


@pytest.mark.parametrize(
    "block",
    [
        {"consumers": {"ml_coe": {"roles": ["unknown"]}}},
        {"consumers": {"../up": {}}},
        {"people": {"no address": {}}},
        {"people": {"a@b.example": {}, "A@b.example": {}}},
        {"people": {"a@b.example": {"key": "ed25519:short"}}},
        {"domains": {"consumer_banking": {}}},
        {"roles": {"steward": ["drop"]}},
        {"more": {}},
        {
            "tag_permissions": [
                {
                    "name": "data",
                    "given_by": {"role": "mesh_owner"},
                    "to": {"domain": "consumer_banking"},
                    "verbs": ["select"],
                    "resource": {"domain": "consumer_banking"},
                }
            ]
        },
    ],
)
def test_a_list_that_is_not_clear_is_refused(block):
    with pytest.raises(ContractError):
        validated(Principals, block, "principals")


ONE_TAG = {"tag": {"lob": ["consumer_banking"]}}


def tag_line(**change: Any) -> dict[str, Any]:
    return {
        "name": "its_line",
        "given_by": {"role": "mesh_owner"},
        "to": {"domain": "consumer_banking"},
        "verbs": ["associate"],
        "resource": {
            "tag": {
                "lob": ["consumer_banking"],
                "region": ["eu"],
                "subject": ["customer"],
            }
        },
    } | change


@pytest.mark.parametrize(
    ("lines", "refused"),
    [
        (None, ""),
        ([], "tag.not_associated"),
        ([tag_line()], ""),
        ([tag_line(verbs=["describe"])], "tag.not_associated"),
        ([tag_line(to={"domain": "auto_finance"})], "tag.not_associated"),
        (
            [tag_line(resource={"tag": {"lob": ["consumer_banking"]}})],
            "tag.not_associated",
        ),
        ([tag_line(given_by={"domain": "consumer_banking"})], "tag.not_associated"),
    ],
)
def test_tags_are_the_mesh_owner_s_to_give(facts_with, lines, refused):
    roles = {"mesh_owner": ["associate"]}
    block = {"roles": roles} | ({} if lines is None else {"tag_permissions": lines})
    principals = validated(Principals, block, "principals")
    assert reason(decide(facts_with(node={"principals": principals}))) == refused


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ({}, ""),
        ({"verbs": ["describe"]}, "permission.missing"),
        ({"to": {"consumer": "marketing"}}, "permission.missing"),
        ({"given_by": {"consumer": "ml_coe"}}, "permission.missing"),
        ({"resource": {"tags": {"lob": ["auto_finance"]}}}, "permission.missing"),
        ({"effect": "deny"}, "permission.denied"),
        ({"expires": "2026-11-21"}, "permission.missing"),
    ],
)
def test_a_consumer_needs_the_permission_to_select(facts_with, change, refused):
    line = {
        "name": "to_coe",
        "given_by": {"domain": "consumer_banking"},
        "to": {"attributes": {"org_unit": ["ml_coe"]}},
        "verbs": ["select"],
        "resource": {"tags": {"lob": ["consumer_banking"]}},
    } | change
    file = validated(PermissionsFile, {"permissions": [line]}, "permissions")
    facts = facts_with(node={"permissions": file.permissions})
    assert reason(decide(facts)) == refused


def test_an_empty_list_of_permissions_permits_nothing(facts_with):
    assert reason(decide(facts_with(node={"permissions": ()}))) == "permission.missing"


def keyed(tmp_path: Path, domain: str = "consumer_banking") -> tuple[Any, Principals]:
    keys = {a: create_key(tmp_path / f"{a}.pem") for a in (*STEWARDS, domain)}
    block = {
        "people": {a: {"key": keys[a].public} for a in STEWARDS},
        "domains": {domain: {"key": keys[domain].public}},
    }
    return keys, validated(Principals, block, "principals")


def test_a_node_may_require_each_approver_s_signature(tmp_path, facts_with):
    keys, principals = keyed(tmp_path)
    node = {"principals": principals, "require_signatures": ("grants",)}
    facts = facts_with(node=node)
    assert reason(decide(facts)) == "grant.unsigned"
    (grant,) = facts.grants
    signed = {a: approval_statement(grant, a).signed_by(keys[a]) for a in STEWARDS}
    whole = replace(facts, grants=(replace(grant, signatures=signed),))
    assert decide(whole).allowed
    half = {STEWARDS[0]: signed[STEWARDS[0]]}
    facts = replace(facts, grants=(replace(grant, signatures=half),))
    assert reason(decide(facts)) == "grant.unsigned"


@pytest.mark.parametrize(
    "change",
    [
        {"days": 91},
        {"columns": ("amount", "age", "is_bad", "opt_out")},
        {"uses": ("train_horizontal", "evaluate", "aggregate")},
        {"study": "fraud"},
        {"consumer": "marketing"},
        {"requested_by": "other@bank.example"},
        {"name": "g_other"},
        {"epsilon": 1.0},
    ],
)
def test_a_signature_covers_every_word_of_the_grant(tmp_path, facts_with, change):
    keys, principals = keyed(tmp_path)
    facts = facts_with()
    (grant,) = facts.grants
    signed = {a: approval_statement(grant, a).signed_by(keys[a]) for a in STEWARDS}
    changed = replace(grant, signatures=signed, **change)
    node = replace(facts.node, principals=principals, require_signatures=("grants",))
    request = replace(facts.request, study=changed.study, consumer=changed.consumer)
    facts = replace(
        facts, grants=(changed,), node=node, request=request, caller=changed.consumer
    )
    assert not decide(facts).allowed


def test_one_steward_s_key_signs_for_no_other(tmp_path, facts_with):
    keys, principals = keyed(tmp_path)
    node = {"principals": principals, "require_signatures": ("grants",)}
    facts = facts_with(node=node)
    (grant,) = facts.grants
    key = keys[STEWARDS[0]]
    signed = {a: approval_statement(grant, a).signed_by(key) for a in STEWARDS}
    facts = replace(facts, grants=(replace(grant, signatures=signed),))
    assert reason(decide(facts)) == "grant.unsigned"


def test_a_node_may_require_its_own_signature_under_the_contract(facts_with):
    node = {"require_signatures": ("contracts",)}
    assert reason(decide(facts_with(node=node))) == "contract.unsigned"
    assert decide(facts_with(node=node, contract_signed=True)).allowed


def test_the_domain_s_key_signs_the_contract_as_it_stands(
    tmp_path, product_with, facts_with
):
    keys, principals = keyed(tmp_path)
    product, node = product_with(), replace(facts_with().node, principals=principals)
    signature = contract_statement(product).signed_by(keys["consumer_banking"])
    (tmp_path / "signatures.yml").write_text(
        f'contracts:\n  {contract_key(product)}:\n    policy: "sha256:{"0" * 64}"\n'
        f'    signature: "{signature}"\n'
    )
    assert is_contract_signed(product, node, tmp_path)
    loosened = product_with(contract={"min_cohort": 20})
    assert not is_contract_signed(loosened, node, tmp_path)
    assert not is_contract_signed(product, facts_with().node, tmp_path)
    assert not is_contract_signed(product, node, tmp_path / "elsewhere")


def test_a_revoked_approval_stays_dead_whatever_the_file_says(facts_with):
    facts = facts_with()
    digest = approval_digest(facts.grants[0])
    decision = decide(replace(facts, revoked=frozenset({digest})))
    assert reason(decision) == "grant.revoked"


def test_no_edit_of_its_file_revives_a_revoked_grant(facts_with, grant_with):
    facts = facts_with()
    dead = frozenset({approval_digest(facts.grants[0])})
    edited = grant_with(
        facts.product, days=91, decided_at=date(2026, 11, 5), uses=("evaluate",) * 2
    )
    facts = replace(facts, grants=(edited,), revoked=dead)
    assert reason(decide(facts)) == "grant.revoked"


def test_a_revocation_ends_no_other_approval(facts_with, grant_with):
    facts = facts_with()
    other = grant_with(facts.product, name="g_other")
    dead = frozenset({approval_digest(facts.grants[0])})
    facts = replace(facts, grants=(*facts.grants, other), revoked=dead)
    assert decide(facts).grant == "g_other"
