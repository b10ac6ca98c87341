"""Each rule spells what people write differently in one way, and says so in words."""

import unicodedata
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fl_plugin.alignment.rules import RULES, is_missing, rule_for
from fl_plugin.errors import ContractError

WINTER = timezone(timedelta(hours=1))
NAIVE = datetime(2026, 11, 21)  # noqa: DTZ001 - as databases give them
ID = UUID("12345678-1234-5678-1234-567812345678")


@pytest.mark.parametrize(
    ("rule", "spellings"),
    [
        ("text", ["Anna  Smith", " anna smith", "ANNA\tSMITH\n", "anna\u00a0smith"]),
        ("text", ["Straße 5", "STRASSE 5", "strasse\u200b 5"]),
        ("text", ["José", unicodedata.normalize("NFD", "JOSÉ"), "\ufeffjosé"]),
        ("text", ["A1", "\uff21\uff11", "a1"]),
        ("text", ["7", 7, 7.0, Decimal("7.00")]),
        ("text", ["2026-11-21", date(2026, 11, 21), NAIVE]),
        ("text", [str(ID), str(ID).upper(), ID]),
        ("exact", [7, 7.0, Decimal(7)]),
        ("exact", [datetime(2026, 1, 1, 1, tzinfo=WINTER), date(2026, 1, 1)]),
        ("digits", ["007", "7", 7, "0-0 7", 7.0, "\u0667"]),
        ("digits", ["000", "0", 0]),
        (
            "digits_as_written",
            ["0049 30", "0049-30", "\uff10\uff10\uff14\uff19\uff13\uff10"],
        ),
        ("email", ["Anna@Example.org ", "anna@example.ORG"]),
        (
            "date",
            ["2026-11-21", date(2026, 11, 21), datetime(2026, 11, 21, 9, tzinfo=UTC)],
        ),
        ("date", ["2026-11-21T09:00:00", " 2026-11-21 "]),
    ],
)
def test_a_rule_spells_equal_keys_equally(rule, spellings):
    spelt = {rule_for(rule).spell(s) for s in spellings}
    assert len(spelt) == 1
    assert spelt != {""}


@pytest.mark.parametrize(
    ("rule", "one", "other"),
    [
        ("text", "007", 7),
        ("text", "anna smith", "annasmith"),
        ("text", "jose", "josé"),
        ("exact", "7", 7),
        ("exact", "a", "A"),
        ("exact", "a", "a "),
        ("exact", "2026-11-21", date(2026, 11, 21)),
        ("exact", str(ID), ID),
        ("digits", "70", "7"),
        ("digits_as_written", "007", "7"),
        ("email", "a.b@example.org", "ab@example.org"),
        ("date", "2026-11-21", "2026-11-12"),
    ],
)
def test_a_rule_tells_other_keys_apart(rule, one, other):
    assert rule_for(rule).spell(one) != rule_for(rule).spell(other)


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        ("text", ""),
        ("text", " \u200b\t"),
        ("exact", ""),
        ("exact", " \u200b"),
        ("digits", "none"),
        ("digits_as_written", "-"),
        ("email", "anna"),
        ("email", "anna@b@c"),
        ("email", "anna smith@example.org"),
        ("email", 7),
        ("date", "21.11.2026"),
        ("date", "2026-02-30"),
        ("date", 20261121),
    ],
)
def test_what_is_no_key_is_spelt_empty(rule, value):
    assert rule_for(rule).spell(value) == ""


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        ("text", 7.5),
        ("text", True),
        ("exact", b"7"),
        ("exact", float("inf")),
        ("exact", 2.0**60),
        ("digits", Decimal("7.1")),
        ("digits", -7),
        ("digits", date(2026, 11, 21)),
        ("digits", True),
        ("digits_as_written", 7),
    ],
)
def test_a_column_that_does_not_fit_its_rule_is_refused_without_its_values(rule, value):
    with pytest.raises(ContractError) as refusal:
        rule_for(rule).spell(value)
    assert "7" not in refusal.value.problem


@given(st.text())
def test_spelling_text_twice_changes_nothing(text):
    once = rule_for("text").spell(text)
    assert rule_for("text").spell(once) == once


@given(st.text(), st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
def test_how_text_is_composed_makes_no_difference(text, form):
    spell = rule_for("text").spell
    assert spell(unicodedata.normalize(form, text)) == spell(text)


@given(st.text(alphabet=st.characters(codec="ascii")))
def test_ascii_text_is_spelt_as_any_other(text):
    spell = rule_for("text").spell
    assert spell(text + "\u00df") == spell(text + "ss")


@given(st.integers(0, 10**30))
def test_digits_of_a_number_and_of_its_text_agree(number):
    spell = rule_for("digits").spell
    assert spell(number) == spell(f"00{number:,}") == str(number)


def test_missing_values_are_recognised():
    assert all(map(is_missing, [None, float("nan"), Decimal("nan")]))
    assert not any(map(is_missing, ["", 0, "nan"]))


def test_every_rule_is_documented_in_its_own_words():
    page = (Path(__file__).parents[3] / "docs" / "matching.md").read_text()
    assert all(f"| `{r.name}` | {r.words} |" in page for r in RULES.values())


def test_an_unknown_rule_is_refused_with_those_there_are():
    with pytest.raises(ContractError) as refusal:
        rule_for("soundex")
    assert all(name in refusal.value.remedy for name in RULES)
