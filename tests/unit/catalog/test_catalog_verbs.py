import json

import pytest
from click.testing import CliRunner

from fl_plugin.cli.catalog import catalog
from fl_plugin.errors import UsageError


@pytest.fixture
def run(small):
    small.write()

    def call(*words):
        words = (*words, "--project", str(small.root))
        return CliRunner().invoke(catalog, words, catch_exceptions=False)

    return call


def test_search_prints_lines_that_a_program_can_cut(run):
    lines = run("search", "profile").stdout.splitlines()
    assert lines[0].split("\t") == ["kind", "name", "what it is"]
    assert lines[1].split("\t")[:2] == ["product", "lending.credit_profile"]


def test_search_tells_how_many_more_there_are(run):
    done = run("search", "credit", "--limit", "1")
    assert len(done.stdout.splitlines()) == 2
    assert "more: see --limit" in done.stderr


def test_nothing_found_is_an_answer_and_no_error(run):
    done = run("search", "profil_of_nobody")
    assert done.exit_code == 0
    assert "Nothing found." in done.stderr


def test_every_verb_answers_with_one_json_object(run):
    assert json.loads(run("search", "age", "--json").stdout)["found"]
    card = json.loads(run("show", "credit_profile", "--json").stdout)["card"]
    assert list(card["kinds"]) == [
        "technical",
        "business",
        "tracking",
        "quality",
        "access",
    ]
    built = json.loads(run("build", "--no-dbt", "--json").stdout)
    assert (built["products"], built["problems"]) == (1, {})


def test_show_tells_what_is_missing_on_stderr(run, small):
    small.group["owner"]["stewards"] = []
    small.write()
    done = run("show", "credit_profile")
    assert "lending.credit_profile v1" in done.stdout
    assert "missing: access: it has no steward" in done.stderr


def test_build_names_what_is_not_valid(run, small):
    small.mesh["classification"] = "secret"
    small.write()
    assert "not valid: lending.credit_profile" in run("build", "--no-dbt").stderr


def test_serving_before_building_is_an_error(run):
    with pytest.raises(UsageError):
        run("serve", "--port", "0")
