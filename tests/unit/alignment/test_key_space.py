"""The estimate refuses what can be tried out, and lets long random keys pass."""

import random
from datetime import date, timedelta
from uuid import UUID

import pytest

from fl_plugin.alignment.key_space import key_bits

LEAST = 40
DRAW = random.Random(5)  # noqa: S311 - keys for a test
NAMES = ["anna", "bernd", "clara", "david", "eva", "frank", "gina", "hans", "ida", "jo"]
LAST = ["smith", "miller", "brown", "garcia", "rossi", "novak", "meyer", "dupont"]


def letters(alphabet, length, count=2_000):
    return ["".join(DRAW.choices(alphabet, k=length)) for _ in range(count)]


@pytest.mark.parametrize(
    "texts",
    [
        [str(i) for i in range(1, 5_000)],
        [f"cust-{i:012d}" for i in range(5_000)],
        [f"DE{i:09d}X" for i in range(5_000)],
        letters("0123456789", 9),
        [f"+49{DRAW.randrange(10**9)}" for _ in range(2_000)],
        [(date(1950, 1, 1) + timedelta(days=i)).isoformat() for i in range(5_000)],
        [f"{a} {b}" for a in NAMES for b in LAST],
        ["7"],
    ],
    ids=[
        "serial",
        "prefixed",
        "country",
        "nine-digits",
        "phone",
        "days",
        "names",
        "one",
    ],
)
def test_keys_that_can_be_tried_are_small(texts):
    assert key_bits(texts) < LEAST


@pytest.mark.parametrize(
    ("texts", "least", "most"),
    [
        ([str(UUID(int=DRAW.getrandbits(128))) for _ in range(500)], 110, 130),
        (letters("0123456789abcdef", 32, 500), 118, 130),
        (letters("0123456789abcdefghijklmnopqrstuvwxyz", 16), 78, 84),
        (letters("0123456789", 16), 52, 54),
    ],
    ids=["uuid", "hex", "token", "sixteen-digits"],
)
def test_random_keys_are_as_large_as_they_are(texts, least, most):
    assert least < key_bits(texts) < most


def test_numbers_close_together_are_few_whatever_their_size():
    assert key_bits([str(10**15 + i) for i in range(1_000)]) < 11


def test_what_can_stand_at_each_place_counts():
    alphabet = "abcdefghijklmnopqrstuvwxyz"
    parts = (letters(alphabet, 2), letters("0123456789", 2), letters(alphabet, 3))
    plates = list(map("".join, zip(*parts, strict=True)))
    assert abs(key_bits(plates) - (5 * 4.70 + 2 * 3.32)) < 0.1


def test_few_random_keys_are_not_taken_for_guessable():
    assert 118 < key_bits(letters("0123456789abcdef", 32, 20)) < 130


def test_no_keys_have_no_space():
    assert key_bits([]) == 0
    assert key_bits(["", ""]) == 0
