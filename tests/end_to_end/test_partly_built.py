"""A mesh of which one domain is not built: the others still answer."""

import json

import pytest

from fl_plugin import Mesh
from fl_plugin.cli.main import main
from fl_plugin.errors import BuildError


@pytest.fixture
def partly(mesh_folder):
    (mesh_folder / "domains/auto_finance/target/manifest.json").unlink()
    return mesh_folder


def test_a_plan_shows_who_cannot_decide_and_what_the_others_say(partly, capsys):
    assert main(["plan", "credit_risk", "--project", str(partly)]) == 5
    told = capsys.readouterr()
    assert "auto_finance.credit_profile v1: cannot decide" in told.out
    assert "consumer_banking.credit_profile v1: allowed" in told.out
    assert "cd domains/auto_finance && dbt build" in told.out.replace(
        str(partly) + "/", ""
    )
    assert told.err.startswith("error: auto_finance: ")


def test_a_plan_for_programs_holds_the_failure(partly, capsys):
    main(["plan", "credit_risk", "--json", "--project", str(partly)])
    domains = json.loads(capsys.readouterr().out)["domains"]
    failed = {d["domain"]: d.get("failure") for d in domains}
    assert failed["auto_finance"]["code"] == "build"
    assert failed["consumer_banking"] is None


def test_explaining_speaks_of_the_others_too(partly, capsys):
    assert main(["access", "explain", "credit_risk", "--project", str(partly)]) == 0
    told = capsys.readouterr().out
    assert "cannot decide" in told
    assert told.count("smallest group") == 2


def test_nothing_is_trained_without_every_domain(partly):
    with pytest.raises(BuildError, match="auto_finance"):
        Mesh.open(partly).train("credit_risk")
    assert not list((partly / "registry").glob("*/v*"))
