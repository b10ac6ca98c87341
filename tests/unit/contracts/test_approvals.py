"""A loosening is accepted where stewards of both sides have said yes to just that."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from fl_plugin.contracts.approving import Yes
from fl_plugin.contracts.area import Contracts
from fl_plugin.errors import ContractError, PolicyError, StorageError, UsageError
from fl_plugin.policy.principals import principals_digest
from fl_plugin.signing.keys import create_key
from tests.unit.contracts.conftest import (
    NOW,
    PRODUCT,
    column,
    group,
    mesh,
    new_version,
    node,
)

STEWARD = "steward.consumer@bank.example"
SECOND = "risk.consumer@bank.example"
AUTHOR = "author@bank.example"
FILE = "domains/consumer_banking/approvals.yml"


def smaller_cohort(raw):
    mesh(raw)["min_cohort"] = 20


def restricted_column(raw):
    column(raw, "is_bad")["label_sharing"] = "shared"


def other_stewards(raw):
    group(raw)["stewards"] = ["new@bank.example", "more@bank.example"]


def yes(by=STEWARD, **words):
    told: dict[str, Any] = {
        "author": AUTHOR,
        "reason": "Agreed with risk.",
        "at": NOW,
    } | words
    return Yes(by=by, **told)


def diff(root, **words):
    return Contracts(root).diff(root / "base.json", **({"now": NOW} | words))


def approve(root, *args, **words):
    return Contracts(root).approve(root / "base.json", yes(*args, **words))


def entries(root):
    return yaml.safe_load((root / FILE).read_text())["approvals"]


def write(root, found):
    (root / FILE).write_text(yaml.safe_dump({"approvals": found}))


def test_without_an_approval_a_loosening_ends_with_2(small_mesh):
    found = diff(small_mesh(smaller_cohort))
    assert (found.verdict, found.exit_code) == ("loosened", 2)


def test_a_steward_s_approval_ends_it_with_0_and_is_told(small_mesh):
    root = small_mesh(smaller_cohort)
    approve(root)
    found = diff(root)
    assert found.exit_code == 0
    (change,) = found.changes
    assert change.verdict == "loosened"  # it still is one
    assert change.accepted is not None
    assert (change.accepted.by, change.accepted.reason) == (
        (STEWARD,),
        "Agreed with risk.",
    )


def test_an_approval_covers_no_other_change(small_mesh):
    root = small_mesh(smaller_cohort)
    approve(root)
    small_mesh(lambda raw: mesh(raw).update(min_cohort=19))
    assert diff(root).exit_code == 2


def test_an_approval_covers_no_other_base(small_mesh):
    root = small_mesh(smaller_cohort)
    approve(root)
    small_mesh(smaller_cohort, lambda raw: mesh(raw).update(min_cohort=26))
    assert diff(root).exit_code == 2


def test_a_loosening_that_no_fingerprint_sees_is_not_approved_by_the_way(small_mesh):
    root = small_mesh(smaller_cohort)
    approve(root)

    def also_a_test_less(raw):
        smaller_cohort(raw)
        tests = [i for i, n in raw["nodes"].items() if "in_range" in i]
        del raw["nodes"][next(i for i in tests if "consumer_banking" in i)]

    small_mesh(also_a_test_less)
    assert diff(root).exit_code == 2


def test_other_words_and_other_sql_leave_an_approval_alone(small_mesh):
    root = small_mesh(smaller_cohort)
    approve(root)

    def edit(raw):
        smaller_cohort(raw)
        node(raw)["description"] = "Otherwise."
        node(raw)["columns"]["age"]["description"] = "Otherwise."
        node(raw)["checksum"]["checksum"] = "0" * 64

    small_mesh(edit)
    assert diff(root).exit_code == 0


@pytest.mark.parametrize(
    ("by", "why"),
    [
        (AUTHOR, "author"),
        (AUTHOR.upper(), "author"),
        ("stranger@bank.example", "not a steward"),
    ],
)
def test_who_may_not_approve_is_told_so_and_nothing_is_written(small_mesh, by, why):
    root = small_mesh(smaller_cohort)
    with pytest.raises(PolicyError, match=why):
        approve(root, by)
    assert not (root / FILE).exists()


def test_a_swap_of_stewards_cannot_approve_itself(small_mesh):
    root = small_mesh(other_stewards)
    with pytest.raises(PolicyError, match="before and after"):
        approve(root, "new@bank.example")
    with pytest.raises(PolicyError, match="before and after"):
        approve(root, STEWARD)  # is none afterwards


def test_a_file_written_by_hand_cannot_do_what_the_verb_refuses(small_mesh):
    root = small_mesh(lambda raw: group(raw)["stewards"].append("new@bank.example"))
    approve(root)
    (entry,) = entries(root)
    assert diff(root).exit_code == 0
    for by, why in (
        ("new@bank.example", "before and after"),
        (AUTHOR, "author"),
    ):
        write(root, [entry | {"by": [by]}])
        found = diff(root)
        assert found.exit_code == 2
        assert why in " ".join(found.notes)


def test_ci_knows_who_wrote_the_change(small_mesh):
    root = small_mesh(smaller_cohort)
    approve(root)
    assert diff(root, authors=(STEWARD.upper(),)).exit_code == 2
    assert diff(root, authors=(SECOND,)).exit_code == 0


def test_an_approval_from_tomorrow_does_not_count_today(small_mesh):
    root = small_mesh(smaller_cohort)
    approve(root, at=NOW + timedelta(days=1))
    found = diff(root)
    assert found.exit_code == 2
    assert "has not come" in " ".join(found.notes)


def test_a_restricted_column_takes_two(small_mesh):
    root = small_mesh(restricted_column)
    approve(root)
    assert diff(root).exit_code == 2
    assert "2 must approve, 1 count" in " ".join(diff(root).notes)
    approve(root, SECOND)
    assert diff(root).exit_code == 0
    (entry,) = entries(root)
    assert entry["by"] == [STEWARD, SECOND]


def test_one_steward_in_two_spellings_is_one(small_mesh):
    root = small_mesh(restricted_column)
    approve(root)
    (entry,) = entries(root)
    write(root, [entry | {"by": [STEWARD, STEWARD.upper()]}])
    assert diff(root).exit_code == 2


def test_the_stricter_side_says_how_many(small_mesh):
    def fewer(raw):
        mesh(raw)["approval"]["approvers"] = 1

    def more(raw):
        mesh(raw)["approval"]["approvers"] = 2

    root = small_mesh(fewer, more)
    approve(root)
    assert diff(root).exit_code == 2
    approve(root, SECOND)
    assert diff(root).exit_code == 0


def test_what_breaks_is_not_approved_by_a_steward(small_mesh):
    def edit(raw):
        smaller_cohort(raw)
        del node(raw)["columns"]["job"]

    root = small_mesh(edit)
    assert diff(root).exit_code == 2  # both: the graver one
    approve(root)
    assert (diff(root).verdict, diff(root).exit_code) == ("breaking", 1)


def test_a_new_version_may_be_looser_where_stewards_say_so(small_mesh):
    root = small_mesh(lambda raw: new_version(raw, min_cohort=20))
    assert diff(root).exit_code == 2
    assert [a.product for a in approve(root)] == [PRODUCT]
    assert diff(root).exit_code == 0


def test_an_unsigned_yes_does_not_count_where_signatures_are_required(
    small_mesh, tmp_path
):
    root = small_mesh(smaller_cohort)
    key, other = (create_key(tmp_path / name) for name in ("a.pem", "b.pem"))
    sign_in(root, key.public)
    with pytest.raises(PolicyError, match="has not signed"):
        approve(root)
    with pytest.raises(PolicyError, match="no valid signature"):
        approve(root, key=other)
    approve(root, key=key)
    assert diff(root).exit_code == 0
    (entry,) = entries(root)
    for spoiled in ({"reason": "Another."}, {"author": "x@bank.example"}):
        write(root, [entry | spoiled])
        found = diff(root)
        assert found.exit_code == 2
        assert "no valid signature" in " ".join(found.notes)


def test_a_wrong_signature_counts_for_nothing_even_where_none_is_needed(
    small_mesh, tmp_path
):
    root = small_mesh(smaller_cohort)
    with pytest.raises(PolicyError, match="no valid signature"):
        approve(root, key=create_key(tmp_path / "stranger.pem"))


def sign_in(root, public):
    """Name a steward's key, pin the list, and require signatures."""
    principals = {"people": {STEWARD: {"domain": "consumer_banking", "key": public}}}
    (root / "principals.yml").write_text(yaml.safe_dump(principals))
    file = root / "domains" / "consumer_banking" / "node.yml"
    settings = yaml.safe_load(file.read_text())
    settings.pop("consumers", None)
    settings |= {
        "principals": principals_digest(root),
        "require_signatures": ["contracts"],
    }
    file.write_text(yaml.safe_dump(settings))


def test_nothing_to_approve_is_said(small_mesh):
    with pytest.raises(UsageError, match="No contract is loosened"):
        approve(small_mesh(lambda raw: mesh(raw).update(min_cohort=26)))


@pytest.mark.parametrize(
    "spoil",
    [
        {"by": []},
        {"from": "sha256:0"},
        {"reason": "two\nlines"},
        {"words": "unknown"},
        {"author": None},
    ],
)
def test_a_spoiled_file_is_an_error_and_no_approval(small_mesh, spoil):
    root = small_mesh(smaller_cohort)
    approve(root)
    write(root, [entries(root)[0] | spoil])
    with pytest.raises(ContractError, match=r"approvals\.yml"):
        diff(root)


def test_a_file_that_cannot_be_written_is_told_and_left_as_it_was(
    small_mesh, monkeypatch
):
    root = small_mesh(restricted_column)
    approve(root)
    before = sorted((root / FILE).parent.iterdir()), (root / FILE).read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(StorageError, match=r"approvals\.yml"):
        approve(root, SECOND)
    assert (
        sorted((root / FILE).parent.iterdir()),
        (root / FILE).read_bytes(),
    ) == before


def test_the_domain_of_a_base_is_found_by_itself(small_mesh, raw):
    """A domain's own manifest as base is compared with the domain's own head."""
    root = small_mesh(smaller_cohort)
    own = root / "domains" / "consumer_banking" / "target"
    own.mkdir()
    content = json.loads((root / "target" / "manifest.json").read_text())
    content["metadata"]["project_name"] = "consumer_banking"
    content["exposures"] = {
        i: e for i, e in content["exposures"].items() if "consumer_banking" in i
    }
    (own / "manifest.json").write_text(json.dumps(content))
    base = json.loads((root / "base.json").read_text())
    base["metadata"]["project_name"] = "consumer_banking"
    base["exposures"] = content["exposures"]
    (root / "base.json").write_text(json.dumps(base))
    found = diff(root)
    assert {c.kind for c in found.changes} >= {"cohort.lowered"}
    (change,) = [c for c in found.changes if c.kind == "cohort.lowered"]
    assert "study credit_risk" in {t.through for t in change.consumers}
    with pytest.raises(UsageError, match="not of auto_finance"):
        diff(root, domain="auto_finance")


def test_an_unknown_domain_is_told_with_the_nearest(small_mesh):
    root = small_mesh(smaller_cohort)
    with pytest.raises(UsageError) as caught:
        diff(root, domain="consumer_bank")
    assert "consumer_banking" in caught.value.remedy
