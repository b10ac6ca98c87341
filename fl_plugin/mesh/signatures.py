"""A domain's name under its contracts and under the head of its ledger."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from fl_plugin.errors import ContractError, LedgerError, StorageError
from fl_plugin.files import whole
from fl_plugin.ledger.record import Head
from fl_plugin.ledger.store import Ledger
from fl_plugin.manifest.contract import ContractBlock
from fl_plugin.manifest.validation import validated
from fl_plugin.manifest.words import Name, PublicKey, Signature
from fl_plugin.mesh.auditing import ledgers_of
from fl_plugin.mesh.policies import Policies
from fl_plugin.policy.fingerprint import policy_fingerprint
from fl_plugin.policy.node import load_node
from fl_plugin.policy.signed_contracts import (
    SIGNATURES_FILE,
    contract_key,
    contract_statement,
    load_signatures,
)
from fl_plugin.signing.keys import load_key
from fl_plugin.signing.statement import Statement

LARGEST_HEAD = 10_000
_ABOUT = """\
# What this domain's key has signed: the policy of each product, by its fingerprint.
# Written by `fl contract sign`. The key stands in principals.yml.
"""


class SignedHead(ContractBlock):
    """The newest record of a ledger, as the domain's key has signed it."""

    domain: Name
    sequence: int
    hash: str
    key: PublicKey
    signature: Signature

    @property
    def head(self) -> Head:
        """The record."""
        return Head(self.sequence, self.hash)


@dataclass(frozen=True)
class Signatures:
    """The signatures of the domains of the mesh in `root`."""

    root: Path

    def sign_contract(self, product: str, key: Path) -> Path:
        """Sign the policy of a product as its domain built it last.

        Returns:
            The file that holds the signature.

        Raises:
            ContractError: The key is not the one that principals.yml names.
            MeshError: There is no such product, or no such key.
        """
        found, node = Policies(self.root).product(product)
        signer = load_key(key)
        known = node.principals.domains.get(found.domain)
        if known is None or known.key != signer.public:
            raise ContractError(
                f"principals.yml, as {found.domain} has pinned it, names another key "
                f"for {found.domain}, or none.",
                remedy=f"Put `key: {signer.public}` under `domains: {found.domain}:` "
                f"there, then: fl access pin {found.domain}",
            )
        folder = self.root / "domains" / found.domain
        signed = load_signatures(folder).model_dump()["contracts"]
        signed[contract_key(found)] = {
            "policy": policy_fingerprint(found),
            "signature": contract_statement(found).signed_by(signer),
        }
        body = yaml.safe_dump({"contracts": signed}, sort_keys=True, width=200)
        return _written(folder / SIGNATURES_FILE, _ABOUT + body)

    def sign_head(self, domain: str, key: Path) -> SignedHead:
        """Sign the newest record of a domain's ledger.

        Kept by somebody else, it shows a ledger that was cut or written anew.

        Raises:
            UsageError: The domain does not exist.
            StorageError: It has no ledger yet, or there is no such key.
        """
        (path,) = ledgers_of(self.root, domain).values()
        with Ledger.open(path, write=False) as ledger:
            head = ledger.head()
        signer = load_key(key)
        return SignedHead(
            domain=domain,
            sequence=head.sequence,
            hash=head.hash,
            key=signer.public,
            signature=_head_statement(domain, head).signed_by(signer),
        )

    def read_head(self, file: Path) -> SignedHead:
        """Return a signed head whose signature holds.

        Raises:
            StorageError: The file cannot be read.
            LedgerError: It is no signed head, or not signed by the domain's key as
                the domain has pinned it.
        """
        found = _read_head(file)
        ledgers_of(self.root, found.domain)
        known = load_node(self.root / "domains" / found.domain).principals.domains
        entry = known.get(found.domain)
        statement = _head_statement(found.domain, found.head)
        if entry is None or not statement.holds(entry.key, found.signature):
            raise LedgerError(
                f"{file.name} is not signed by the key of {found.domain}.",
                remedy="Ask the domain for a head signed with the key that "
                "principals.yml names.",
            )
        return found


def _head_statement(domain: str, head: Head) -> Statement:
    facts = {"domain": domain, "sequence": head.sequence, "hash": head.hash}
    return Statement("head", facts)


def _read_head(file: Path) -> SignedHead:
    try:
        with file.open("rb") as opened:
            block: Any = json.loads(opened.read(LARGEST_HEAD))
    except OSError:
        raise StorageError(
            f"{file.name} cannot be read.",
            remedy="Name a file that `fl audit head` wrote.",
        ) from None
    except (ValueError, RecursionError):
        block = None
    try:
        return validated(SignedHead, block, file.name)
    except ContractError:
        raise LedgerError(
            f"{file.name} is no signed head.",
            remedy="Name a file that `fl audit head` wrote.",
        ) from None


def _written(path: Path, text: str) -> Path:
    try:
        with whole(path) as file:
            file.write(text.encode())
    except OSError:
        raise StorageError(
            f"{path.parent.name}/{path.name} cannot be written.",
            remedy="Check the rights on the domain's folder, then try again.",
        ) from None
    return path
