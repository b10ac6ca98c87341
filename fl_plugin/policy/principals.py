"""Who there is in a mesh: `principals.yml`, which every domain pins by digest.

Consumers with their attributes and roles, the people who decide and their keys, the
domains' keys, and who may put which tag on a product. A domain looks at this file only
while its digest is the one in the domain's own `node.yml`: an edit that the domain has
not seen counts for nothing.
"""

import hashlib
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from fl_plugin.errors import ContractError
from fl_plugin.manifest.contract import ContractBlock
from fl_plugin.manifest.validation import validated
from fl_plugin.manifest.words import Attributes, Name, Names, Person, PublicKey
from fl_plugin.manifest.yaml_files import read_yaml
from fl_plugin.policy.permissions.holding import Identity, name_of
from fl_plugin.policy.permissions.permission import (
    Permissions,
    Principal,
    Verbs,
    insist_on_names,
)

PRINCIPALS_FILE = "principals.yml"
# Who speaks for the domain they belong to.
ACTS_FOR_DOMAIN = frozenset({"steward", "product_owner"})


class Consumer(ContractBlock):
    """A team that uses products; allow and deny rules look at its attributes."""

    attributes: Attributes = Field(default_factory=dict)
    roles: Names = ()
    contact: Person | None = None


class Somebody(ContractBlock):
    """A person, or a role address that persons share."""

    roles: Names = ()
    domain: Name | None = None
    key: PublicKey | None = None


class DomainKey(ContractBlock):
    """A domain's public key: it signs contracts and the heads of its ledger."""

    key: PublicKey


class Principals(ContractBlock):
    """The words of `principals.yml`.

    Args:
        roles: Role to the verbs that whoever has it may hold at most.
        people: By address.
        tag_permissions: Who may put which tag on a product; None where every domain
            may use every tag of the vocabulary.
    """

    roles: dict[Name, Verbs] = Field(default_factory=dict)
    consumers: dict[Name, Consumer] = Field(default_factory=dict)
    people: dict[Person, Somebody] = Field(default_factory=dict)
    domains: dict[Name, DomainKey] = Field(default_factory=dict)
    tag_permissions: Permissions | None = None

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        insist_on_names(self.tag_permissions or ())
        if any(p.resource.tag is None for p in self.tag_permissions or ()):
            raise ValueError("tag_permissions are about a tag (resource: {tag: ...})")
        if len({a.casefold() for a in self.people}) < len(self.people):
            raise ValueError("people names one address twice")
        used = {r for c in self.consumers.values() for r in c.roles}
        used |= {r for p in self.people.values() for r in p.roles}
        unknown = sorted(used - set(self.roles))
        if unknown:
            raise ValueError(f"roles does not say what {unknown[0]} may do")
        return self

    def key_of(self, address: str) -> str | None:
        """Return a person's public key, if they have one."""
        wanted = address.strip().casefold()
        found = {a.casefold(): p for a, p in self.people.items()}.get(wanted)
        return found.key if found else None

    def identity(self, principal: Principal) -> Identity:
        """Return who a name stands for; a name without an entry has only itself."""
        kind, name = name_of(principal)
        if kind == "consumer":
            consumer = self.consumers.get(name)
            return _identity(
                (kind, name),
                consumer.roles if consumer else (),
                consumer.attributes if consumer else {},
                self.roles,
            )
        if kind == "person":
            people = {a.casefold(): p for a, p in self.people.items()}
            somebody = people.get(name, Somebody())
            found = _identity((kind, name), somebody.roles, {}, self.roles)
            if somebody.domain and ACTS_FOR_DOMAIN & set(somebody.roles):
                names = found.names | {("domain", somebody.domain)}
                return Identity(names=names, may=found.may)
            return found
        if kind == "role":
            return _identity((kind, name), (name,), {}, self.roles)
        return Identity(names=frozenset({(kind, name)}))


def _identity(
    own: tuple[str, str],
    roles: Names,
    attributes: Attributes,
    known: dict[str, Verbs],
) -> Identity:
    names = {own, *(("role", role) for role in roles)}
    may = frozenset(verb for role in roles for verb in known.get(role, ()))
    return Identity(names=frozenset(names), attributes=attributes, may=may)


def load_principals(root: Path) -> Principals:
    """Return the principals of the mesh in `root`.

    Raises:
        ContractError: The file is missing or not valid.
    """
    file = root / PRINCIPALS_FILE
    return validated(Principals, read_yaml(file), PRINCIPALS_FILE)


def principals_digest(root: Path) -> str:
    """Return "sha256:" and the digest of the file's bytes, as node.yml pins it.

    Raises:
        ContractError: The file is missing.
    """
    try:
        content = (root / PRINCIPALS_FILE).read_bytes()
    except OSError:
        raise ContractError(
            f"{PRINCIPALS_FILE} cannot be read.",
            remedy="It stands in the mesh's root folder, beside mesh_policy.yml.",
        ) from None
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
