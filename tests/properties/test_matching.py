"""A matching equals a plain join, whatever the tables: 1,000 random cases.

Each case draws who has which customers and how each domain happens to spell their keys;
what should match is known from the draw alone.
"""

import random
import unicodedata
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from fl_plugin.alignment.keys import normalise
from fl_plugin.errors import ContractError
from tests.matching import SALT, Meeting, terms_for

CASES = 1_000
TESTS = 20
WAYS: list[dict[str, Any]] = [
    {},
    {"salted": True},
    {"salted": True, "method": "keyed_hash"},
]
MISSING = [None, "", "   ", float("nan"), "\u200b"]
FIRST = ["Zoë", "Ørsted", "STRASSE", "O'Neil", "Nguyễn", "İpek", "ﬁona", "\uff37ide"]


def spelt_text(draw, who):
    text = f"{FIRST[who % len(FIRST)]} {who}"
    if draw.random() < 0.5:
        text = unicodedata.normalize(draw.choice(["NFC", "NFD", "NFKC"]), text)
    change = draw.choice([str.upper, str.lower, str.casefold, str.title, str])
    # What casefolding cannot undo is left as it is: the dotted capital I, for one.
    text = text if "İ" in text or "i\u0307" in text else change(text)
    blank = draw.choice([" ", "  ", "\t", "\u00a0", " \u200b"])
    return draw.choice(["", " "]) + text.replace(" ", blank) + draw.choice(["", "\n"])


def spelt_digits(draw, who):
    plain = f"{who:05d}"
    return draw.choice(
        [who, plain, f" {plain}", f"{plain[:2]}-{plain[2:]}", float(who), Decimal(who)]
    )


def spelt_email(draw, who):
    text = f"anna.{who}@example.org"
    return draw.choice([text, text.upper(), f" {text} ", text.title()])


def spelt_exact(draw, who):
    # Even ones are numbers, odd ones text that looks like the number beside it.
    return f"{who - 1}" if who % 2 else draw.choice([who, float(who)])


def spelt_date(draw, who):
    day = datetime(1950, 1, 1, 9, tzinfo=UTC) + timedelta(days=who)
    return draw.choice([day, day.date(), day.isoformat(), f" {day.date()} "])


SPELT = {
    "text": spelt_text,
    "digits": spelt_digits,
    "email": spelt_email,
    "exact": spelt_exact,
    "date": spelt_date,
}


class Case:
    """One draw: domains, customers, and tables of key columns with gaps."""

    def __init__(self, seed):
        self.draw = draw = random.Random(seed)  # noqa: S311 - tables for a test
        self.parties = [f"d{i}" for i in range(draw.randint(2, 5))]
        self.rules = draw.choices(list(SPELT), k=draw.choice([1, 1, 2]))
        customers = draw.randint(1, 40)
        share = draw.choice([0.2, 0.6, 0.95])
        self.whose = {
            p: [w for w in range(customers) if draw.random() < share] or [0]
            for p in self.parties
        }
        self.tables = {p: self._table(self.whose[p]) for p in self.parties}
        self.terms = terms_for(
            self.parties,
            rules=tuple(self.rules),
            seed=draw.randrange(5),
            longest_part=draw.choice([3, 16, 100]),
            **draw.choice(WAYS),
        )

    def _table(self, customers):
        """Customers in random order, and a few rows without a whole key (None)."""
        draw = self.draw
        rows = [*customers, *[None] * draw.randint(0, 4)]
        draw.shuffle(rows)
        return rows, [self._row(who) for who in rows]

    def _row(self, who):
        parts = [SPELT[rule](self.draw, who or 0) for rule in self.rules]
        if who is None:
            parts[self.draw.randrange(len(parts))] = self.draw.choice(MISSING)
        return parts

    def keys(self, party, extra=()):
        rows = [*self.tables[party][1], *extra]
        columns = {f"k{i}": [r[i] for r in rows] for i in range(len(self.rules))}
        return normalise(columns, self.rules, min_cohort=5)

    def match(self):
        keys = {p: self.keys(p) for p in self.parties}
        salt = SALT if self.terms.salted else b""
        meeting = Meeting.of(self.terms, keys, salt=salt)
        return meeting.run(), meeting.parties


def joined(case):
    return set.intersection(*({*who} for who in case.whose.values()))


@pytest.mark.parametrize("test", range(TESTS))
def test_a_matching_equals_a_plain_join(test):
    for seed in range(test, CASES, TESTS):
        case = Case(seed)
        end, parties = case.match()
        expected = joined(case)
        assert end.rows == len(expected), seed
        found = [
            [case.tables[p][0][row] for row in parties[p].matched.rows]
            for p in case.parties
        ]
        assert all(f == found[0] for f in found), seed
        assert sorted(found[0]) == sorted(expected), seed
        numbers = [parties[p].matched.hashes.tolist() for p in case.parties]
        assert all(n == numbers[0] == sorted(n) for n in numbers), seed


@pytest.mark.parametrize("seed", range(200))
def test_a_customer_in_two_rows_is_refused_however_spelt(seed):
    case = Case(seed)
    party = case.parties[0]
    again = case._row(case.whose[party][0])
    with pytest.raises(ContractError, match="share a key"):
        case.keys(party, extra=[again])
