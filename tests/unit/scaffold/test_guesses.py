"""A guess may only close a door."""

from itertools import product

import pytest

from fl_plugin.scaffold.csv_file import FileColumn
from fl_plugin.scaffold.guesses import guess, likely_keys

KINDS = ("varchar", "integer", "bigint", "double", "boolean", "date", "timestamp")


def column(name, data_type="integer", **fields):
    return FileColumn(
        name=name,
        header=name,
        data_type=data_type,
        **{
            "nullable": False,
            "unique": False,
            "few": False,
            "negative": False,
            "binary": False,
        }
        | fields,
    )


def guessed(name, data_type="integer", **fields):
    return guess(column(name, data_type, **fields), is_key=False, is_label=False)


@pytest.mark.parametrize("data_type", KINDS)
@pytest.mark.parametrize(
    ("name", "role", "pii"),
    [
        ("sex", "protected", "sensitive"),
        ("foreign_worker", "protected", "sensitive"),
        ("e_mail", "", "identifier"),
        ("customer_name", "", "identifier"),
        ("iban", "", "identifier"),
    ],
)
def test_what_is_personal_by_its_name_is_restricted_and_no_feature(
    name, role, pii, data_type
):
    found = guessed(name, data_type, few=True)
    assert (found.role, found.pii, found.classification) == (role, pii, "restricted")


def test_what_tells_somebody_apart_together_with_others_says_so():
    assert guessed("age").pii == guessed("zip_code", "varchar").pii == "quasi"
    assert guessed("birth_date", "date").role == ""


def test_text_that_is_no_category_has_no_role():
    assert guessed("comment", "varchar").role == ""
    assert guessed("comment", "varchar").classification == "restricted"
    assert guessed("colour_of_car", "varchar", few=True).role == "protected"
    assert guessed("kind", "varchar", few=True).role == "feature"


def test_nothing_is_ever_guessed_to_be_public_or_shared():
    names = ("amount", "sex", "e_mail", "age", "comment")
    for name, kind, flag in product(names, KINDS, (None, "is_key", "is_label")):
        words = {"is_key": flag == "is_key", "is_label": flag == "is_label"}
        found = guess(column(name, kind), **words)
        assert found.classification in {"confidential", "restricted"}
        assert found.label_sharing in {"", "protected"}
        assert (found.role in {"join_key", "label"}) <= (
            found.classification == "restricted"
        )


def test_the_key_is_unique_and_rather_one_that_is_called_so():
    plain, called = (
        column("word", "varchar", unique=True),
        column("row_id", unique=True),
    )
    repeated, measured = column("id"), column("weight_id", "double", unique=True)
    assert likely_keys((plain, called, repeated, measured)) == ("row_id",)
    assert likely_keys((plain, repeated, measured)) == ("word",)
    assert likely_keys((repeated, measured)) == ()
