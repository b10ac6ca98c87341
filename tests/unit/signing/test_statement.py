from pathlib import Path

import pytest

from fl_plugin.errors import StorageError, UsageError
from fl_plugin.signing.keys import create_key, is_signed, load_key
from fl_plugin.signing.statement import Statement

FACTS = {"grant": "g_credit_risk", "by": "steward.consumer@bank.example", "days": 90}


def test_a_key_that_was_written_signs_as_before(tmp_path: Path) -> None:
    made = create_key(tmp_path / "steward.pem")
    kept = load_key(tmp_path / "steward.pem")
    statement = Statement("grant", FACTS)
    assert kept.public == made.public
    assert statement.holds(made.public, statement.signed_by(kept))


@pytest.mark.parametrize("changed", [{"days": 91}, {"by": "x"}, {"more": None}])
def test_a_signature_is_under_these_facts_and_no_others(
    tmp_path: Path, changed: dict[str, object]
) -> None:
    key = create_key(tmp_path / "k")
    signature = Statement("grant", FACTS).signed_by(key)
    assert not Statement("grant", FACTS | changed).holds(key.public, signature)


def test_a_signature_is_under_one_kind_of_statement(tmp_path: Path) -> None:
    key = create_key(tmp_path / "k")
    signature = Statement("grant", FACTS).signed_by(key)
    assert not Statement("contract", FACTS).holds(key.public, signature)


def test_another_key_has_not_signed(tmp_path: Path) -> None:
    key, other = create_key(tmp_path / "a"), create_key(tmp_path / "b")
    signature = Statement("head", FACTS).signed_by(key)
    assert not Statement("head", FACTS).holds(other.public, signature)


@pytest.mark.parametrize(
    "text", ["", "ed25519:", "ed25519:!!", "ed25519:" + "A" * 43 + "=", "x" * 10_000]
)
def test_what_is_no_key_or_no_signature_holds_nothing(
    tmp_path: Path, text: str
) -> None:
    key = create_key(tmp_path / "k")
    assert not is_signed(key.public, b"m", text)
    assert not is_signed(text, b"m", key.sign(b"m"))


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    create_key(tmp_path / "k")
    with pytest.raises(UsageError, match="exists already"):
        create_key(tmp_path / "k")


def test_a_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    create_key(tmp_path / "k")
    (tmp_path / "k").chmod(0o644)
    with pytest.raises(StorageError, match="Others may read"):
        load_key(tmp_path / "k")


@pytest.mark.parametrize("text", ["", "-----BEGIN PRIVATE KEY-----\nAAAA\n"])
def test_a_file_that_holds_no_key_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "k").write_text(text)
    (tmp_path / "k").chmod(0o600)
    with pytest.raises(StorageError, match="holds no Ed25519 key"):
        load_key(tmp_path / "k")


def test_a_key_says_nothing_of_itself(tmp_path: Path) -> None:
    assert "Ed25519" not in repr(create_key(tmp_path / "k"))
