"""From a request to its revocation, on a mesh that dbt has built."""

import json

import pytest

from fl_plugin import Mesh
from fl_plugin.cli.main import main
from tests.conftest import dbt

pytestmark = pytest.mark.slow
NAMES = {
    "auto_finance": "auto",
    "commercial_banking": "commercial",
    "consumer_banking": "consumer",
}
GRANT = "g_credit_risk_ml_coe"
ASKER = "data-scientist.ml-coe@bank.example"
ROLES = ("steward", "risk")


@pytest.fixture
def fl(mesh_folder, capsys):
    """Run the program in the mesh; return its exit code and its JSON."""

    def run(*words):
        code = main([*words, "--project", str(mesh_folder), "--json"])
        return code, json.loads(capsys.readouterr().out)

    return run


def parse(folder):
    done = dbt(folder, "parse")
    assert done.returncode == 0, done.stdout


def decisions(fl):
    _, facts = fl("plan", "credit_risk")
    told = facts["domains"]
    return {
        d["domain"]: next(
            (r["reason"] for r in d["rules"] if r["status"] == "refused"), "allowed"
        )
        for d in told
    }


@pytest.fixture
def asked(mesh_folder, fl):
    """The mesh without a grant, and a request to each domain of the study."""
    homes = {domain: mesh_folder / "domains" / domain for domain in NAMES}
    for home in homes.values():
        (home / "models" / "grants" / f"{GRANT}.yml").unlink()
        parse(home)
    assert set(decisions(fl).values()) == {"grant.missing"}
    code, facts = fl("access", "request", "credit_risk", "--by", ASKER)
    assert code == 0, facts
    assert [r["outcome"] for r in facts["requests"]] == ["written"] * 3
    assert fl("access", "check")[0] == 3  # until dbt has read the new files
    return homes


def approve_by_both(fl, domain):
    steward, second = (f"{who}.{NAMES[domain]}@bank.example" for who in ROLES)
    words = ("access", "approve", domain, GRANT, "--by")
    code, facts = fl(*words, steward)
    assert (code, facts.get("status")) == (0, "requested"), facts
    assert fl(*words, steward)[0] == 3
    assert fl(*words, ASKER)[0] == 3
    code, facts = fl(*words, second)
    assert (code, facts["status"], facts["recorded"]) == (0, "approved", True)


def test_asked_approved_allowed_and_ended_at_once(mesh_folder, fl, asked):
    for domain in NAMES:
        approve_by_both(fl, domain)
    assert set(decisions(fl).values()) == {"grant.missing"}
    for home in asked.values():
        parse(home)
    assert set(decisions(fl).values()) == {"allowed"}
    assert fl("access", "check")[0] == 0
    _, facts = fl("access", "list")
    ours = [g["state"] for g in facts["grants"] if g["grant"] == GRANT]
    assert ours == ["live"] * 3

    steward = "risk.auto@bank.example"
    code, facts = fl("access", "revoke", "auto_finance", GRANT, "--by", steward)
    assert (code, facts["at_once"]) == (0, True)
    assert decisions(fl) == {
        "auto_finance": "grant.revoked",
        "commercial_banking": "allowed",
        "consumer_banking": "allowed",
    }
    mesh = Mesh.open(mesh_folder)
    ended = mesh.audit(action="revoke")["auto_finance"]
    assert [r.actor for r in ended] == [steward]
    assert all(found.ok for found in mesh.verify().values())


def test_a_changed_contract_stops_a_grant_until_two_stewards_confirm(mesh_folder, fl):
    home = mesh_folder / "domains" / "auto_finance"
    product = home / "models" / "products" / "credit_profile.yml"
    product.write_text(product.read_text().replace("min_cohort: 25", "min_cohort: 30"))
    confirm = ("access", "confirm", "auto_finance", GRANT, "--by")
    code, facts = fl(*confirm, "steward.auto@bank.example")
    assert (code, facts["error"]["code"]) == (5, "build")
    parse(home)
    assert decisions(fl)["auto_finance"] == "grant.policy_changed"
    for who in ROLES:
        assert fl(*confirm, f"{who}.auto@bank.example")[0] == 0
    parse(home)
    assert decisions(fl)["auto_finance"] == "allowed"
    assert fl("access", "check", "--domain", "auto_finance")[0] == 0
