"""Principals x verbs x resources over random permissions, against every chain there is.

Delegation, revocation above, circles, expiry, roles, attributes, tags and denials.
"""

import itertools
import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, get_args

import pytest

from fl_plugin.policy.permissions.holding import Question, Target
from fl_plugin.policy.permissions.permission import (
    PermissionsFile,
    Principal,
    Verb,
)
from fl_plugin.policy.principals import Principals
from tests.properties.permission_oracle import holds
from tests.properties.random_facts import Dice

WORLDS, CHUNKS = 60, 4
SEED = 20260913
TODAY = date(2026, 11, 21)
VERBS = get_args(Verb)
PEOPLE: dict[str, Any] = {
    "roles": {
        "mesh_owner": ["describe", "associate"],
        "steward": ["describe", "select", "alter", "create_table", "associate"],
        "data_scientist": ["describe", "select"],
        "crawler": ["describe", "alter"],
        "admin": ["super"],
    },
    "consumers": {
        "coe": {
            "attributes": {"unit": ["ml"], "country": ["de", "at"]},
            "roles": ["data_scientist"],
        },
        "desk": {"attributes": {"unit": ["sales"]}, "roles": ["data_scientist"]},
        "robot": {"attributes": {"unit": ["ml"]}, "roles": ["crawler", "admin"]},
        "guest": {"attributes": {"country": ["de"]}},
    },
    "people": {
        "steward@bank.example": {"roles": ["steward"], "domain": "cards"},
        "risk@bank.example": {"roles": ["steward"], "domain": "loans"},
        "cy@bank.example": {"roles": ["mesh_owner"]},
        "di@bank.example": {"roles": ["data_scientist"], "domain": "cards"},
    },
}
NAMES: list[tuple[str, str]] = [
    *(("consumer", name) for name in PEOPLE["consumers"]),
    *(("person", name) for name in PEOPLE["people"]),
    *(("role", name) for name in PEOPLE["roles"]),
    *(("domain", name) for name in ("cards", "loans")),
]
TAGS = {"region": ["eu", "us"], "subject": ["customer", "account"]}
TARGETS: list[dict[str, Any]] = [
    {
        "domain": "cards",
        "product": "cards.spend",
        "tags": {"region": "eu", "subject": "customer"},
    },
    {"domain": "cards", "product": "cards.limits", "tags": {"region": "us"}},
    {"domain": "loans", "product": "loans.book", "tags": {"region": "eu"}},
    {"domain": "cards"},
    {"tag": ("region", "eu")},
    {"tag": ("subject", "account")},
]


def random_lines(dice: Dice, count: int) -> list[dict[str, Any]]:
    """Return permissions of which many rest on, or speak of, the ones before."""
    lines: list[dict[str, Any]] = []
    for number in range(count):
        line = random_line(dice, number)
        before = dice.choice(lines) if lines else line
        related = dice.random() < 0.5 and "attributes" not in before["to"]
        if related and line.get("effect") == "deny":
            line["to"] = dice.choice((before["to"], before["given_by"]))
        elif related:
            line |= {"given_by": before["to"], "resource": before["resource"]}
        lines.append(line)
    return lines


def random_line(dice: Dice, number: int) -> dict[str, Any]:
    kind, giver = dice.mostly(dice.choice(NAMES), [("domain", "cards")], 0.6)
    line: dict[str, Any] = {
        "name": f"line_{number}",
        "given_by": {kind: giver},
        "to": random_receiver(dice),
        "verbs": dice.some(VERBS, 0.35),
        "resource": random_resource(dice),
    }
    if dice.random() < 0.2:
        line["effect"] = "deny"
    elif dice.random() < 0.7:
        line["grant_option"] = dice.some(VERBS, 0.35)
    if dice.random() < 0.2:
        line["expires"] = dice.choice(("2026-11-21", "2026-11-22", "2020-01-01"))
    return line


def random_receiver(dice: Dice) -> dict[str, Any]:
    if dice.random() < 0.2:
        keys = dice.some(("unit", "country"))
        words = {"unit": ["ml", "sales"], "country": ["de", "at"]}
        return {"attributes": {key: dice.some(words[key]) for key in keys}}
    kind, name = dice.choice(NAMES)
    return {kind: name}


def random_resource(dice: Dice) -> dict[str, Any]:
    tags = {key: dice.some(TAGS[key]) for key in dice.some(tuple(TAGS))}
    return dice.choice(
        (
            {"domain": "cards"},
            {"domain": dice.choice(("cards", "loans"))},
            {"product": "cards.spend"},
            {"product": dice.choice(("cards.limits", "loans.book"))},
            {"tags": tags},
            {"tag": tags},
        )
    )


def world(lines: list[dict[str, Any]]) -> tuple[dict[str, Any], "Read"]:
    block = {"permissions": lines}
    return {"principals": PEOPLE, **block}, Read(block)


class Read:
    """The same world, as the plug-in reads it."""

    principals = Principals.model_validate_json(json.dumps(PEOPLE))

    def __init__(self, block: Mapping[str, Any]) -> None:
        self.file = PermissionsFile.model_validate_json(json.dumps(block))

    def holds(self, name: tuple[str, str], verb: Any, target: dict[str, Any]) -> bool:
        kind, who = name
        question = Question(
            verb=verb,
            target=Target(**target),
            today=TODAY,
            permissions=self.file.permissions,
            who=self.principals.identity,
        )
        asker = self.principals.identity(Principal.model_validate({kind: who}))
        return question.answer(asker).held


def matrix() -> Iterator[tuple[tuple[str, str], str, dict[str, Any]]]:
    return itertools.product(NAMES, VERBS, TARGETS)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_everybody_holds_just_what_some_chain_gives_them(chunk, figure):
    dice = Dice(SEED + chunk)
    asked = held = 0
    for _ in range(WORLDS):
        lines = random_lines(dice, dice.choice((2, 4, 6, 8)))
        plain, read = world(lines)
        for name, verb, target in matrix():
            expected = holds(name, verb, target, plain, TODAY)
            assert read.holds(name, verb, target) == expected, (name, verb, target)
            asked += 1
            held += expected
    assert held > asked / 50
    figure("answers of principals x verbs x resources, as every chain says", asked)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_line_less_or_a_denial_more_gives_nobody_anything(chunk, figure):
    dice = Dice(SEED + CHUNKS + chunk)
    cuts = 0
    for _ in range(6):
        lines = random_lines(dice, 5)
        _, before = world(lines)
        allowed = [line for line in lines if line.get("effect") != "deny"]
        denial = random_line(dice, 99) | {"effect": "deny", "grant_option": []}
        changes = [[x for x in lines if x is not gone] for gone in allowed]
        for changed in [*changes, [*lines, denial]]:
            _, after = world(changed)
            for name, verb, target in matrix():
                if after.holds(name, verb, target):
                    assert before.holds(name, verb, target), (name, verb, target)
            cuts += 1
    figure("permissions revoked or denied, nobody gains by it", cuts)
