"""A domain's signatures under its contracts: `signatures.yml` beside `node.yml`.

A domain's key signs the fingerprint of a product's policy. Where the node requires it,
a contract that was changed without the key counts for nothing.
"""

from pathlib import Path

from pydantic import Field

from fl_plugin.manifest.contract import ContractBlock
from fl_plugin.manifest.types import Product
from fl_plugin.manifest.validation import validated
from fl_plugin.manifest.words import Fingerprint, Signature
from fl_plugin.manifest.yaml_files import read_yaml
from fl_plugin.policy.fingerprint import policy_fingerprint
from fl_plugin.policy.types import Node
from fl_plugin.signing.statement import Statement

SIGNATURES_FILE = "signatures.yml"


class SignedContract(ContractBlock):
    """The policy that was signed, and the signature."""

    policy: Fingerprint
    signature: Signature


class SignaturesFile(ContractBlock):
    """The words of `signatures.yml`: contracts by product, with their version."""

    contracts: dict[str, SignedContract] = Field(default_factory=dict)


def contract_statement(product: Product) -> Statement:
    """Return what a domain signs who stands by this contract."""
    facts = {
        "product": product.name,
        "version": product.version,
        "policy": policy_fingerprint(product),
    }
    return Statement("contract", facts)


def contract_key(product: Product) -> str:
    """Return the product's name in `signatures.yml`, "d.p" or "d.p.v1"."""
    return product.name + (
        f".v{product.version}" if product.version is not None else ""
    )


def load_signatures(folder: Path) -> SignaturesFile:
    """Return a domain's signatures; none where it has no such file.

    Raises:
        ContractError: The file is not valid.
    """
    file = folder / SIGNATURES_FILE
    if not file.exists():
        return SignaturesFile()
    return validated(SignaturesFile, read_yaml(file), f"{folder.name}/{file.name}")


def is_contract_signed(product: Product, node: Node, folder: Path) -> bool:
    """Return whether the domain's key has signed the contract as it is now.

    Raises:
        ContractError: `signatures.yml` is not valid.
    """
    key = node.principals.domains.get(product.domain)
    found = load_signatures(folder).contracts.get(contract_key(product))
    if key is None or found is None:
        return False
    return contract_statement(product).holds(key.key, found.signature)
