"""Who holds what, by trying every chain: slow, plain, and not the plug-in's own way.

Permissions are mappings as permissions.yml has them. A chain is a list of permissions,
none twice, of which the first is given by the owner and each next one by whoever
received the one before with the grant option.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

Line = Mapping[str, Any]
Principals = Mapping[str, Any]


def holds(
    name: tuple[str, str], verb: str, target: Line, world: Line, today: date
) -> bool:
    """Return whether somebody ("consumer", "a") holds a verb on a target.

    A target is {"product": ..., "domain": ..., "tags": ...}, {"domain": ...} or
    {"tag": [key, value]}; a world has "principals" and "permissions".
    """
    about = [
        line
        for line in world["permissions"]
        if covers(line["resource"], target)
        and (line.get("expires") is None or date.fromisoformat(line["expires"]) > today)
    ]
    people = world["principals"]
    if is_barred(name, verb, about, people):
        return False
    if owns(name, target, people):
        return True
    return any(
        verb_in(verb, line["verbs"])
        and is_meant(line["to"], name, people)
        and Chains(verb, target, about, people).reach_the_owner(line, ())
        for line in about
        if line.get("effect", "allow") == "allow"
    )


@dataclass(frozen=True)
class Chains:
    """The permissions about one target, alive today."""

    verb: str
    target: Line
    about: Sequence[Line]
    people: Principals

    def reach_the_owner(self, line: Line, used: tuple[str, ...]) -> bool:
        """Return whether some chain leads from a permission up to the owner."""
        ((kind, giver_name),) = line["given_by"].items()
        giver = (kind, giver_name)
        if is_barred(giver, self.verb, self.about, self.people):
            return False
        if owns(giver, self.target, self.people):
            return True
        below = (*used, line["name"])
        return any(
            above["name"] not in below
            and above.get("effect", "allow") == "allow"
            and verb_in(self.verb, above.get("grant_option", ()))
            and is_meant(above["to"], giver, self.people)
            and self.reach_the_owner(above, below)
            for above in self.about
        )


def is_barred(
    name: tuple[str, str], verb: str, about: Sequence[Line], people: Principals
) -> bool:
    """A deny wins; and no role of theirs may hold it."""
    denied = any(
        line.get("effect") == "deny"
        and (verb_in(verb, line["verbs"]) or verb == "super")
        and is_meant(line["to"], name, people)
        for line in about
    )
    roles = roles_of(name, people)
    if roles is None:
        return denied
    most = {v for role in roles for v in people["roles"].get(role, ())}
    return denied or not (verb in most or "super" in most)


def roles_of(name: tuple[str, str], people: Principals) -> Sequence[str] | None:
    """Return somebody's roles; None for a domain, which needs none."""
    kind, who = name
    if kind == "domain":
        return None
    if kind == "role":
        return [who]
    part = people["consumers"] if kind == "consumer" else people["people"]
    found: Sequence[str] = part.get(who, {}).get("roles", [])
    return found


def owns(name: tuple[str, str], target: Line, people: Principals) -> bool:
    """The domain owns its data, the mesh owner the tags; stewards act for a domain."""
    kind, who = name
    if "tag" in target:
        return "mesh_owner" in (roles_of(name, people) or ())
    if kind == "domain":
        return bool(who == target["domain"])
    if kind != "person":
        return False
    person = people["people"].get(who, {})
    acts = {"steward", "product_owner"} & set(person.get("roles", []))
    return bool(acts) and person.get("domain") == target["domain"]


def is_meant(to: Line, name: tuple[str, str], people: Principals) -> bool:
    """Return whether a permission's receiver is somebody."""
    ((kind, wanted),) = to.items()
    if kind == "attributes":
        own: Mapping[str, Sequence[str]] = {}
        if name[0] == "consumer":
            own = people["consumers"].get(name[1], {}).get("attributes", {})
        return all(set(v) & set(own.get(k, ())) for k, v in wanted.items())
    if kind == "role":
        return wanted in (roles_of(name, people) or ())
    if kind == "domain" and name[0] == "person":
        return owns(name, {"domain": wanted}, people)
    return (kind, wanted) == name


def covers(resource: Line, target: Line) -> bool:
    ((kind, wanted),) = resource.items()
    if kind == "tag":
        key, value = target.get("tag", ("", ""))
        return value in wanted.get(key, ())
    if "tag" in target:
        return False
    if kind == "domain":
        return bool(wanted == target["domain"])
    if kind == "product":
        return bool(wanted == target.get("product"))
    tags = target.get("tags", {})
    return "product" in target and all(tags.get(k) in v for k, v in wanted.items())


def verb_in(verb: str, verbs: Sequence[str]) -> bool:
    return verb in verbs or "super" in verbs
