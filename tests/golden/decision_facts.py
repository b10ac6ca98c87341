"""A row of the decision table, made into the facts that a domain would decide on.

The contract, the grant and the settings are read as a domain reads them: from dbt's
nodes, from a message, from `node.yml` and the files beside it. What cannot be read is
not there, and the answer is no.
"""

import copy
import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fl_plugin.errors import MeshError
from fl_plugin.manifest.exposures import read_grant
from fl_plugin.manifest.fields import Fields
from fl_plugin.manifest.products import read_product
from fl_plugin.manifest.types import Grant, Owner, Product
from fl_plugin.manifest.validation import validated
from fl_plugin.manifest.vocabulary import Vocabulary, check
from fl_plugin.plan.wire import read_request
from fl_plugin.policy.approval import approval_digest, approval_statement
from fl_plugin.policy.fingerprint import policy_fingerprint
from fl_plugin.policy.node import load_node
from fl_plugin.policy.types import Facts, Measured, Node
from fl_plugin.signing.keys import SigningKey

LEFT_OUT = "(left out)"
CURRENT = "(current)"  # the fingerprint of the policy as it now is
OTHER = "(another)"  # a fingerprint of something else
SIGNED = "(signed)"  # a valid signature of whoever it stands beside
PINNED = "(pinned)"  # the digest of principals.yml as it now is
THIS = "(this grant)"
KEY = "(key)"
SHA = "sha256:" + "0" * 64

DOMAIN, MODEL = "consumer_banking", "credit_profile"
PRODUCT_ID = f"model.{DOMAIN}.{MODEL}.v1"
BASE: Mapping[str, Any] = yaml.safe_load(
    (Path(__file__).parent / "decision_base.yaml").read_text("utf-8")
)


class UnreadableError(Exception):
    """A domain that reads this has no such product, grant, setting or request."""


def changed(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the base with each path set; a step into a list is into its first."""
    document = copy.deepcopy(dict(BASE))
    for path, value in changes.items():
        *way, last = path.split("/")
        place: Any = document
        for step in way:
            place = place.setdefault(step, {})
            place = place[0] if isinstance(place, list) else place
        if value == LEFT_OUT:
            place.pop(last, None)
        else:
            place[last] = copy.deepcopy(value)
    return document


def facts_of(document: Mapping[str, Any], folder: Path) -> Facts:
    """Return the facts that a changed base describes.

    Raises:
        UnreadableError: A part of it is not valid.
    """
    try:
        product = product_of(document)
        node = _node(document, folder)
        grant = _grant(document, product, node)
        request = read_request(document["request"])
    except MeshError as error:
        raise UnreadableError(str(error)) from None
    facts = Facts(
        request=request,
        caller="",
        now=datetime.max.replace(tzinfo=UTC),
        clock_floor=None,
        node=node,
        product=product,
        grants=(grant,),
        policy_fingerprint=policy_fingerprint(product),
        table=None,
        measured=Measured(**document["measured"]),
        mesh_min_cohort=0,
    )
    return replace(facts, **_told(document["facts"], grant))


def _told(told: Mapping[str, Any], grant: Grant) -> dict[str, Any]:
    found = {name: _frozen(value) for name, value in told.items()}
    if found.get("policy_fingerprint") == CURRENT:
        del found["policy_fingerprint"]
    digests = {THIS: approval_digest(grant)}
    found["revoked"] = frozenset(digests.get(d, d) for d in found["revoked"])
    return found


def product_of(document: Mapping[str, Any]) -> Product:
    """Return the product, read from the node that dbt would write."""
    node = {
        "package_name": DOMAIN,
        "name": MODEL,
        "unique_id": PRODUCT_ID,
        "version": 1,
        "latest_version": 1,
        "access": "public",
        "contract": {"enforced": True},
        "group": DOMAIN,
        "database": DOMAIN,
        "schema": "main",
        "alias": "credit_profile_v1",
        "config": {"materialized": "table", "meta": {"mesh": document["contract"]}},
        "columns": {n: _column(c) for n, c in document["columns"].items()},
    }
    owners = {f"group.{DOMAIN}.{DOMAIN}": Owner(**_texts(document["owner"]))}
    accepted = {
        (PRODUCT_ID, name): tuple(column["accepted_values"])
        for name, column in document["columns"].items()
        if column.get("accepted_values") is not None
    }
    product = read_product(Fields(node, "node"), owners, accepted)
    words = validated(Vocabulary, document["vocabulary"], "mesh_policy.yml")
    check(product, words)
    told = {n: _frozen(v) for n, v in document.get("product", {}).items()}
    if "relation" in told:
        told["relation"] = replace(product.relation, **told["relation"])
    return replace(product, **told)


def _column(column: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "description": column.get("description", ""),
        "data_type": column.get("data_type", ""),
        "constraints": [] if column.get("nullable", True) else [{"type": "not_null"}],
        "config": {"meta": {"mesh": column["mesh"]}},
    }


def _grant(document: Mapping[str, Any], product: Product, node: Node) -> Grant:
    block = copy.deepcopy(document["grant"])
    decision = block.get("decision", {})
    current = policy_fingerprint(product)
    if isinstance(decision, dict) and "policy" in decision:
        marks = {CURRENT: current, OTHER: SHA}
        decision["policy"] = marks.get(decision["policy"], decision["policy"])
    signatures = decision.get("signatures") if isinstance(decision, dict) else None
    if isinstance(signatures, dict):  # signed once it is known what is signed
        decision["signatures"] = {n: _blank(s) for n, s in signatures.items()}
    about = document["exposure"]
    exposure = {
        "name": about.get("name"),
        "package_name": DOMAIN,
        "config": {"meta": {"mesh": block}},
        "depends_on": {"nodes": about.get("depends_on", [])},
    }
    models = {PRODUCT_ID: f"{DOMAIN}.{MODEL}"}
    grant = read_grant(Fields(_dates_as_text(exposure), "exposure"), models)
    if about.get("package_name") != DOMAIN:
        grant = replace(grant, domain=about.get("package_name", ""))
    if not isinstance(signatures, dict):
        return grant
    signed = {n: _signature(grant, n, s) for n, s in signatures.items()}
    return replace(grant, signatures=signed)


def key_of(name: str) -> SigningKey:
    """Return a key that is the same in every run."""
    seed = hashlib.sha256(name.encode()).digest()
    return SigningKey(Ed25519PrivateKey.from_private_bytes(seed))


def _blank(signature: Any) -> Any:
    marked = signature == SIGNED or str(signature).startswith("(by ")
    return key_of("blank").sign(b"") if marked else signature


def _signature(grant: Grant, name: str, signature: Any) -> Any:
    """Return a signature: "(signed)", or "(by somebody)" with another one's key."""
    if signature == SIGNED:
        return approval_statement(grant, name).signed_by(key_of(name))
    if str(signature).startswith("(by "):
        other = signature[4:-1]
        return approval_statement(grant, name).signed_by(key_of(other))
    return signature


def _node(document: Mapping[str, Any], folder: Path) -> Node:
    parts = {n: document.get(n) for n in ("principals", "node", "permissions")}
    place = folder / hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
    home = place / "domains" / DOMAIN
    if not home.exists():
        home.mkdir(parents=True)
        people = copy.deepcopy(parts["principals"]) or {}
        for name, somebody in _people(people):
            if somebody.get("key") == KEY:
                somebody["key"] = key_of(name).public
        pinned = _written(place / "principals.yml", people)
        node = dict(parts["node"] or {})
        if node.get("principals") == PINNED:
            node["principals"] = pinned
        _written(home / "node.yml", node)
        if parts["permissions"] is not None:
            _written(home / "permissions.yml", parts["permissions"])
    return load_node(home)


def _people(principals: Any) -> list[tuple[str, dict[str, Any]]]:
    found = [principals.get(n) or {} for n in ("people", "domains")]
    return [
        (name, somebody)
        for part in found
        if isinstance(part, dict)
        for name, somebody in part.items()
        if isinstance(somebody, dict)
    ]


def _written(file: Path, content: Any) -> str:
    text = yaml.safe_dump(_dates_as_text(content), sort_keys=False)
    file.write_text(text, "utf-8")
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_frozen(v) for v in value)
    return value


def _texts(block: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _frozen(value) for name, value in block.items()}


def _dates_as_text(value: Any) -> Any:
    """Return what a manifest holds: dates are text there."""
    if isinstance(value, dict):
        return {k: _dates_as_text(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_dates_as_text(v) for v in value]
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    return value
