"""What CI finds: each broken rule once, and nothing where nothing is broken."""

import shutil

import pytest

from fl_plugin.access.deciding import Voice
from fl_plugin.errors import BuildError, UsageError

NAME = "g_credit_risk_ml_coe"


@pytest.fixture
def granted(small_mesh):
    small_mesh.ask()
    small_mesh.approve_by_both("lending")
    return small_mesh


def reasons(mesh, **words):
    return [(b.grant, b.reason) for b in mesh.access.check(**words).broken]


def edit(mesh, old, new):
    path = mesh.file("lending")
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    mesh.parse()


def test_a_sound_mesh_has_nothing_to_tell(granted):
    found = granted.access.check()
    assert found.broken == ()
    assert found.domains == ("cards", "lending")
    assert found.grants == 2


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (", risk.lending@bank.example]", "]", "grant.approvers"),
        ("risk.lending@bank.example]", "scientist@bank.example]", "grant.approvers"),
        ("risk.lending@bank.example]", "x@bank.example]", "grant.approvers"),
        ("by: [steward.lending@", "by: [STEWARD.lending@", None),
        ("- age", "- nothing", "column.unknown"),
        ("- age", "- note", "column.role"),
        ("- age", "- customer_id", "column.use"),
        ("train_horizontal,", "aggregate,", "use.not_allowed"),
        ("purpose: credit_risk", "purpose: fraud_detection", "purpose.not_allowed"),
        ('policy: "sha256:', 'policy: "sha256:0', "grant.not_valid"),
        ("status: approved", "status: aproved", "grant.not_valid"),
        ("            at:", "            att:", "grant.not_valid"),
        ("ref('credit_profile')", "ref('other')", "grant.not_valid"),
        ("status: approved", "status: requested", None),
        ("status: approved", "status: revoked", None),
    ],
)
def test_each_broken_rule_is_told_with_its_reason(granted, old, new, reason):
    edit(granted, old, new)
    assert reasons(granted) == ([(NAME, reason)] if reason else [])


def test_an_approval_for_another_policy_is_broken(granted):
    granted.contracts["lending"]["min_cohort"] = 20
    granted.parse()
    assert reasons(granted) == [(NAME, "grant.policy_changed")]


def test_a_grant_longer_than_the_contract_allows_is_broken(granted):
    edit(granted, "days: 90", "days: 400")
    edit(granted, 'expires: "2027-02-19"', 'expires: "2027-06-01"')
    assert reasons(granted) == [(NAME, "grant.too_long")]


def test_an_approval_of_tomorrow_is_broken(granted):
    granted.later(days=-1)
    assert reasons(granted, domain="lending") == [(NAME, "grant.not_yet_valid")]


def test_a_grant_that_has_run_out_is_no_error(granted):
    edit(granted, "risk.lending@bank.example]", "x@bank.example]")
    granted.later(days=90)
    assert reasons(granted) == []


def test_a_request_with_a_false_first_approval_is_broken(small_mesh):
    small_mesh.ask()
    small_mesh.approve("lending", "steward")
    edit(small_mesh, "steward.lending@bank.example", "scientist@bank.example")
    assert reasons(small_mesh) == [(NAME, "grant.approvers")]


def test_what_the_manifest_does_not_know_yet_has_to_be_parsed(granted):
    path = granted.file("lending")
    path.write_text(path.read_text().replace("              - age\n", ""))
    assert reasons(granted) == [(NAME, "grant.not_parsed")]


def test_a_grant_outside_the_folder_of_grants_is_found(granted):
    hidden = granted.root / "domains" / "lending" / "models" / "products" / "x.yml"
    shutil.move(granted.file("lending"), hidden)
    granted.parse()
    assert reasons(granted) == [(NAME, "grant.elsewhere")]
    (standing,) = granted.access.list("lending")
    assert standing.state == "unbuilt"


def test_a_file_that_leads_out_of_the_domain_is_not_read(granted, tmp_path):
    outside = tmp_path / "outside.yml"
    shutil.move(granted.file("lending"), outside)
    granted.file("lending").symlink_to(outside)
    found = granted.access.check("lending").broken
    assert [b.reason for b in found] == ["grant.not_valid", "grant.elsewhere"]


def test_a_grant_described_twice_is_found(granted):
    shutil.copy(granted.file("lending"), granted.file("lending", "again"))
    assert "grant.not_valid" in [r for _, r in reasons(granted)]


@pytest.mark.parametrize(
    "text",
    [
        "exposures: [",
        "exposures: 3\n",
        "exposures: [3]\n",
        "exposures:\n  - &a {name: x}\n  - *a\n",
        "exposures:\n  - name: x\n    config: {meta: {mesh: {requst: {}}}}\n",
        "exposures:\n  - config: {meta: {mesh: {request: {}}}}\n",
        "exposures:\n  - name: '../x'\n    config: {meta: {mesh: {request: {}}}}\n",
        "a: " + "[" * 3000,
        "a: " + "x" * 300_000,
        "\x00",
        "exposures:\n  - name: [1]\n    config: {meta: {mesh: {request: {}}}}\n",
    ],
)
def test_a_broken_file_is_one_sentence_and_hides_no_other(granted, text):
    granted.file("lending", "broken").write_text(text)
    found = granted.access.check("lending")
    assert [b.reason for b in found.broken] == ["grant.not_valid"]
    assert len(found.broken[0].sentence) < 400
    states = {s.grant: s.state for s in granted.access.list("lending")}
    assert states.pop(NAME) == "live"
    assert list(states.values()) == ["invalid"]


def test_every_domain_must_be_parsed(granted):
    (granted.root / "domains" / "cards" / "target" / "manifest.json").unlink()
    with pytest.raises(BuildError, match="does not exist"):
        granted.access.check()
    assert reasons(granted, domain="lending") == []


@pytest.mark.parametrize("domain", ["nothing", "../lending", "", "\u202e"])
def test_an_unknown_domain_is_said(granted, domain):
    with pytest.raises(UsageError, match="no domain"):
        granted.access.check(domain)


def test_a_signature_that_does_not_hold_is_broken_even_if_none_is_required(small_mesh):
    small_mesh.ask()
    keys = small_mesh.sign_with("lending", "steward", "risk")
    for who in ("steward", "risk"):
        small_mesh.approve("lending", who, key=keys[who])
    small_mesh.parse()
    edit(small_mesh, "              - age\n", "")
    assert reasons(small_mesh) == [(NAME, "grant.unsigned")]
    node = small_mesh.root / "domains" / "lending" / "node.yml"
    node.write_text(node.read_text().replace("- grants", ""))
    node.write_text(node.read_text().replace("require_signatures:", "").strip() + "\n")
    assert reasons(small_mesh) == [(NAME, "grant.signature")]


@pytest.fixture
def base(granted, tmp_path):
    manifest = granted.root / "domains" / "lending" / "target" / "manifest.json"
    return shutil.copy(manifest, tmp_path / "base.json")


@pytest.mark.parametrize("text", [None, "", "{}", "[" * 9999, '{"metadata": 3}'])
def test_a_base_that_is_no_manifest_is_said(granted, tmp_path, text):
    path = tmp_path / "base.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(BuildError):
        granted.access.check(base=path)


def test_against_the_manifest_of_before_nothing_has_changed(granted, base):
    assert reasons(granted, base=base) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("- age\n", "- amount\n              - age\n"),
        ("              - age\n", ""),
        ("[train_horizontal, evaluate]", "[train_horizontal, evaluate, query]"),
        ("consumer: ml_coe", "consumer: marketing"),
        ('expires: "2027-02-19"', 'expires: "2027-02-18"'),
    ],
)
def test_a_grant_edited_after_its_approval_is_found(granted, base, old, new):
    edit(granted, old, new)
    assert (NAME, "grant.edited") in reasons(granted, base=base)


def test_a_confirmation_is_no_edit(granted, base):
    granted.later(days=1)
    granted.contracts["lending"]["min_cohort"] = 20
    granted.parse()
    for who in ("steward", "risk"):
        voice = Voice(by=f"{who}.lending@bank.example")
        granted.access.confirm("lending", NAME, voice)
    granted.parse()
    assert reasons(granted, base=base) == []


def test_a_second_name_under_other_words_than_the_first_is_an_edit(
    small_mesh, tmp_path
):
    small_mesh.ask()
    small_mesh.approve("lending", "steward")
    small_mesh.parse()
    manifest = small_mesh.root / "domains" / "lending" / "target" / "manifest.json"
    base = shutil.copy(manifest, tmp_path / "base.json")
    small_mesh.approve("lending", "risk")
    small_mesh.parse()
    assert reasons(small_mesh, base=base) == []
    edit(small_mesh, "              - age\n", "")
    assert reasons(small_mesh, base=base) == [(NAME, "grant.edited")]


@pytest.mark.parametrize("ended", ["rejected", "revoked"])
def test_what_was_ended_is_not_opened_again_by_hand(granted, tmp_path, ended):
    edit(granted, "status: approved", f"status: {ended}")
    manifest = granted.root / "domains" / "lending" / "target" / "manifest.json"
    base = shutil.copy(manifest, tmp_path / "base.json")
    edit(granted, f"status: {ended}", "status: approved")
    assert reasons(granted, base=base) == [(NAME, "grant.reopened")]
