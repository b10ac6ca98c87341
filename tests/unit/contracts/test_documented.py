"""The page says what the program does, and the examples can be run."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from fl_plugin.cli.main import fl
from fl_plugin.contracts.lint import UNPARSED, checks
from tests.unit.contracts.test_kinds import CASES

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "policy-diff.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.kind}-{c.verdict}")
def test_a_kind_of_change_stands_in_the_page(case):
    lines = [line for line in PAGE.splitlines() if f"`{case.kind}`" in line]
    assert lines
    # What breaks in place is safe in a new version; that is said once for all.
    wanted = {case.verdict, "breaking" if case.verdict == "safe" else case.verdict}
    assert any(word in line for line in lines for word in wanted), lines


def test_every_rule_of_lint_stands_in_the_page():
    told = re.findall(r"^\| ([a-z]+) \|", PAGE, flags=re.MULTILINE)
    assert {check.name for check in checks()} | {UNPARSED} <= set(told)


@pytest.mark.parametrize("name", ["contracts-workflow.yml", "pre-commit-config.yaml"])
def test_an_example_is_yaml(name):
    found = yaml.safe_load((DOCS / "examples" / name).read_text(encoding="utf-8"))
    assert found.keys() & {"jobs", "repos"}


def test_the_script_is_a_script():
    script = DOCS / "examples" / "contract-diff.sh"
    assert script.stat().st_mode & 0o111
    bash = shutil.which("bash") or "/bin/bash"
    done = subprocess.run([bash, "-n", script], check=False, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


def test_every_command_in_page_and_examples_is_one():
    texts = [
        PAGE,
        *(p.read_text(encoding="utf-8") for p in (DOCS / "examples").iterdir()),
    ]
    found = {m for t in texts for m in re.findall(r"fl contract ([a-z]+)", t)}
    assert found >= {"diff", "lint", "approve", "codeowners"}
    group = fl.get_command(fl.make_context("fl", ["contract"]), "contract")
    assert group is not None
    names = set(group.list_commands(group.make_context("contract", ["lint"])))  # type: ignore[attr-defined]
    assert found <= names
