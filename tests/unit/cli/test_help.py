"""What holds of every verb there is."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from fl_plugin.cli import reference
from fl_plugin.cli.main import fl as program

DOCS = Path(__file__).parents[3] / "docs" / "reference"
VERBS = dict(reference.commands())
LEAVES = {p: c for p, c in VERBS.items() if not isinstance(c.command, click.Group)}


@pytest.mark.parametrize("path", VERBS)
def test_every_verb_shows_an_example_that_can_be_typed(path):
    text = VERBS[path].command.help or ""
    examples = re.findall(r"^\s*Example: fl (.+)$", text, flags=re.MULTILINE)
    assert examples
    for example in examples:
        command: click.Command | None = program
        name: str | None = "fl"
        words = shlex.split(example)
        while isinstance(command, click.Group) and words:
            name, command, words = command.resolve_command(
                click.Context(command), words
            )
        assert command is not None
        command.make_context(name, words)


@pytest.mark.parametrize("path", LEAVES)
def test_every_verb_takes_a_project_and_answers_programs(path):
    options = {o for p in LEAVES[path].command.params for o in p.opts}
    assert {"--project", "--json"} <= options


@pytest.mark.parametrize("path", VERBS)
def test_no_summary_is_cut_short(path):
    assert not VERBS[path].command.get_short_help_str(62).endswith("...")


@pytest.mark.parametrize("name", reference.pages())
def test_a_reference_page_says_what_the_program_says(name):
    told = (DOCS / name).read_text(encoding="utf-8")
    assert told == reference.pages()[name], "run python -m fl_plugin.cli.reference"


def test_no_word_at_all_is_answered_with_the_help(fl):
    assert fl() == fl("--help")
    assert fl().code == 0


def test_help_waits_for_no_library():
    paths = [path.split()[1:] for path in VERBS]
    script = (
        "import sys\n"
        "from fl_plugin.cli.main import main\n"
        f"for words in {paths!r}:\n"
        "    main([*words, '--help'])\n"
        "slow = {'sklearn', 'matplotlib', 'duckdb', 'scipy', 'pyarrow', 'skops'}\n"
        "print(sorted(slow & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
