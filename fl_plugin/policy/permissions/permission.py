"""The words of a permission: who gives what to whom, on which resource.

The verbs are those of tag-based access control in a data catalog (AWS Lake Formation,
"Lake Formation tag-based access control"): describe, select, alter, create_table on
data, describe and associate on tags, and super, which stands for all of them.
"""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from fl_plugin.manifest.contract import ContractBlock
from fl_plugin.manifest.words import Attributes, Name, Person, ProductName, SomeNames

PERMISSIONS_FILE = "permissions.yml"
MOST = 1000
Verb = Literal["describe", "select", "alter", "create_table", "associate", "super"]
Verbs = Annotated[tuple[Verb, ...], Field(max_length=6)]
TagExpression = Annotated[dict[Name, SomeNames], Field(min_length=1)]


class Principal(ContractBlock):
    """Exactly one of: a consumer, a domain, a role, a person, or all with attributes.

    Keys of `attributes` are joined by and, values by or; only a receiver may be named
    by them.
    """

    consumer: Name | None = None
    domain: Name | None = None
    role: Name | None = None
    person: Person | None = None
    attributes: Annotated[Attributes, Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (
            len(self.model_fields_set) != 1
            or None in self.model_dump(include=self.model_fields_set).values()
        ):
            raise ValueError(
                "must be one of consumer, domain, role, person and attributes"
            )
        return self

    def __str__(self) -> str:
        """Return "consumer ml_coe"."""
        if self.attributes is not None:
            wanted = ", ".join(
                f"{k}: {' or '.join(v)}" for k, v in self.attributes.items()
            )
            return f"everybody with {wanted}"
        kind = next(iter(self.model_fields_set))
        return f"{kind} {getattr(self, kind)}"


class Resource(ContractBlock):
    """Exactly one of: a named product, products by tags, a whole domain, a tag.

    Keys of `tags` are joined by and, values by or. `domain` covers its products too.
    """

    product: ProductName | None = None
    tags: TagExpression | None = None
    domain: Name | None = None
    tag: TagExpression | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (
            len(self.model_fields_set) != 1
            or None in self.model_dump(include=self.model_fields_set).values()
        ):
            raise ValueError("must be one of product, tags, domain and tag")
        return self

    def __str__(self) -> str:
        """Return "product consumer_banking.credit_profile"."""
        named = self.tags or self.tag
        if named is None:
            return (
                f"product {self.product}" if self.product else f"domain {self.domain}"
            )
        words = ", ".join(f"{k}: {' or '.join(v)}" for k, v in named.items())
        return f"products with {words}" if self.tags else f"the tag {words}"


class Permission(ContractBlock):
    """One line of who may do what.

    Args:
        name: Of this line; unique in its file.
        effect: "deny" wins over every allow, whoever gave it.
        given_by: Whose right it rests on; without that right it counts for nothing.
        to: Who receives it.
        verbs: What the receiver may do.
        grant_option: What the receiver may also pass on.
        resource: What it is about.
        expires: It ends when this day begins (UTC).
    """

    name: Name
    effect: Literal["allow", "deny"] = "allow"
    given_by: Principal
    to: Principal
    verbs: Annotated[Verbs, Field(min_length=1)]
    grant_option: Verbs = ()
    resource: Resource
    expires: date | None = None

    @model_validator(mode="after")
    def _given_by_somebody(self) -> Self:
        if self.given_by.attributes is not None:
            raise ValueError("given_by must name a consumer, domain, role or person")
        if self.effect == "deny" and self.grant_option:
            raise ValueError("a deny has no grant_option")
        return self


Permissions = Annotated[tuple[Permission, ...], Field(max_length=MOST)]


class PermissionsFile(ContractBlock):
    """A domain's `permissions.yml`."""

    permissions: Permissions

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        insist_on_names(self.permissions)
        return self


def insist_on_names(permissions: tuple[Permission, ...]) -> None:
    """Refuse two permissions of one name.

    Raises:
        ValueError: A name stands there twice.
    """
    if len({p.name for p in permissions}) < len(permissions):
        raise ValueError("two permissions have the same name")
