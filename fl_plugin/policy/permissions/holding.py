"""Whether somebody holds a verb on something, and by which chain of permissions.

A permission counts for nothing by itself: who gives it must own the resource or hold
the verb with the grant option, and so on up to the owner. What is revoked upstream is
therefore cut downstream, and a circle of permissions gives nobody anything. A deny
wins, for the one who asks and for everybody in the chain.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from fl_plugin.policy.permissions.permission import (
    Permission,
    Principal,
    Resource,
    Verb,
)

MESH_OWNER = ("role", "mesh_owner")  # owns the vocabulary, and so its tags


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Who somebody is: names such as ("consumer", "ml_coe"), and attributes.

    Args:
        names: Every name that a permission may call them by.
        may: What their roles allow at most; None for those who need no role.
    """

    names: frozenset[tuple[str, str]]
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    may: frozenset[str] | None = None


@dataclass(frozen=True, kw_only=True)
class Target:
    """What is asked about: a product of a domain, a domain, or one value of a tag."""

    domain: str = ""
    product: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    tag: tuple[str, str] | None = None

    @property
    def owner(self) -> tuple[str, str]:
        """Who needs no permission."""
        return MESH_OWNER if self.tag else ("domain", self.domain)

    def __str__(self) -> str:
        """Return it in words."""
        if self.tag:
            return f"the tag {self.tag[0]}: {self.tag[1]}"
        return self.product or f"the domain {self.domain}"


@dataclass(frozen=True, kw_only=True)
class Holding:
    """The answer.

    Args:
        reason: held | owner | role | denied | missing.
        chain: Names of the permissions, from the owner down; for a denial, the deny.
    """

    held: bool
    reason: str
    chain: tuple[str, ...] = ()


Lookup = Callable[[Principal], Identity]


@dataclass(frozen=True, kw_only=True)
class Question:
    """A verb on a target on a day, among these permissions.

    Args:
        who: Returns the identity behind the name of a giver.
    """

    verb: Verb
    target: Target
    today: date
    permissions: Sequence[Permission]
    who: Lookup

    def answer(self, asker: Identity) -> Holding:
        """Return whether the asker holds the verb."""
        denial = self._denial(asker)
        if denial is not None:
            return Holding(held=False, reason="denied", chain=(denial.name,))
        if not _role_allows(asker, self.verb):
            return Holding(held=False, reason="role")
        if self.target.owner in asker.names:
            return Holding(held=True, reason="owner")
        valid = self._valid()
        for permission in valid.values():
            found = permission.permission
            if self.verb_in(found.verbs) and _is(found.to, asker):
                return Holding(
                    held=True, reason="held", chain=(*permission.above, found.name)
                )
        return Holding(held=False, reason="missing")

    def verb_in(self, verbs: Sequence[str]) -> bool:
        """Return whether these verbs hold the one in question."""
        return self.verb in verbs or "super" in verbs

    def _denial(self, asker: Identity) -> Permission | None:
        return next(
            (
                p
                for p in self.permissions
                if p.effect == "deny"
                and self._alive(p)
                and _is(p.to, asker)
                and _covers(p.resource, self.target)
                # A deny of super takes everything; a deny of one verb takes super too.
                and (self.verb_in(p.verbs) or self.verb == "super")
            ),
            None,
        )

    def _valid(self) -> dict[str, "_Valid"]:
        """Return the permissions whose chain reaches the owner, nearest first."""
        waiting = {
            p.name: (p, self.who(p.given_by))
            for p in self.permissions
            if p.effect == "allow"
            and self._alive(p)
            and _covers(p.resource, self.target)
        }
        waiting = {n: (p, g) for n, (p, g) in waiting.items() if self._may_give(g)}
        found: dict[str, _Valid] = {}
        queue: deque[_Valid] = deque()
        for name, (permission, giver) in list(waiting.items()):
            if self.target.owner in giver.names:
                queue.append(_Valid(permission, ()))
                del waiting[name]
        while queue:
            valid = queue.popleft()
            found[valid.permission.name] = valid
            if not self.verb_in(valid.permission.grant_option):
                continue
            above = (*valid.above, valid.permission.name)
            for name, (permission, giver) in list(waiting.items()):
                if _is(valid.permission.to, giver):
                    queue.append(_Valid(permission, above))
                    del waiting[name]
        return found

    def _may_give(self, giver: Identity) -> bool:
        return self._denial(giver) is None and _role_allows(giver, self.verb)

    def _alive(self, permission: Permission) -> bool:
        return permission.expires is None or permission.expires > self.today


@dataclass(frozen=True)
class _Valid:
    permission: Permission
    above: tuple[str, ...]  # the chain it rests on, from the owner down


def _role_allows(asker: Identity, verb: str) -> bool:
    return asker.may is None or verb in asker.may or "super" in asker.may


def _is(principal: Principal, asker: Identity) -> bool:
    if principal.attributes is not None:
        return all(
            not set(values).isdisjoint(asker.attributes.get(key, ()))
            for key, values in principal.attributes.items()
        )
    return name_of(principal) in asker.names


def name_of(principal: Principal) -> tuple[str, str]:
    """Return ("consumer", "ml_coe") for a principal that is named."""
    kind = next(iter(principal.model_fields_set))
    return kind, str(getattr(principal, kind)).casefold()


def _covers(resource: Resource, target: Target) -> bool:
    if resource.tag is not None:
        key, value = target.tag or ("", "")
        return value in resource.tag.get(key, ())
    if target.tag is not None:
        return False
    if resource.domain is not None:
        return resource.domain == target.domain
    if resource.product is not None:
        return resource.product == target.product
    # The words stand in the contract, which the domain owns.
    return bool(target.product) and all(
        target.tags.get(key) in values for key, values in (resource.tags or {}).items()
    )
