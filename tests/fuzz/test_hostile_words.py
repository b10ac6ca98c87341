"""Hostile strings wherever a string is read: none passes, none hangs, no traceback."""

import re
from collections.abc import Iterator
from typing import Any

import click
import pytest

from fl_plugin.cli.main import fl, main
from fl_plugin.errors import ContractError, MeshError
from fl_plugin.manifest.contract import ProductContract
from fl_plugin.manifest.exposures import read_grant, read_study
from fl_plugin.manifest.fields import Fields
from fl_plugin.manifest.grant_contract import GrantRequest
from fl_plugin.manifest.products import read_product
from fl_plugin.manifest.study_contract import StudyContract
from fl_plugin.manifest.types import Owner
from fl_plugin.manifest.validation import validated
from fl_plugin.manifest.words import check_name
from fl_plugin.manifest.yaml_files import read_yaml
from fl_plugin.party.database import parse_filter
from fl_plugin.policy.node import NodeSettings, load_node
from fl_plugin.policy.row_filter import columns_of
from tests.fuzz.hostile_words import (
    ALL,
    NODE_FIELDS,
    PLAIN_YAML,
    YAML,
    dumped,
    node_with,
    write_text,
)
from tests.fuzz.limits import at_most

COLUMNS = ("age", "amount", "opt_out")
# Hostile elsewhere; here they are a plain name, a plain column and a literal.
A_NAME = {"null", "3"}
A_COLUMN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
A_LITERAL = {"null", "3", "+1"}
OWNERS = {"group.consumer_banking.x": Owner(name="x")}


def test_there_are_more_than_two_hundred():
    assert len(ALL) >= 200


def test_no_hostile_string_is_a_row_filter(figure):
    for word in ALL:
        if word in A_LITERAL:
            continue
        with at_most(), pytest.raises(ContractError):
            filtered_by(word)
    figure("hostile strings, none passes anywhere", len(ALL))


def test_no_hostile_string_is_the_name_of_anything():
    for word in ALL:
        if word in A_NAME:
            continue
        with at_most():
            with pytest.raises(ContractError):
                check_name(word, "a test")
            for read in (product_called, grant_called, study_called):
                with pytest.raises(MeshError):
                    read(word)
            for name in ("study", "consumer", "purpose"):
                with pytest.raises(ContractError):
                    validated(GrantRequest, REQUEST | {name: word}, "a grant")
        if A_COLUMN.fullmatch(word):
            continue
        with at_most():
            with pytest.raises(ContractError):
                validated(GrantRequest, REQUEST | {"columns": [word]}, "a grant")
            with pytest.raises(ContractError):
                validated(StudyContract, STUDY | {"target": word}, "a study")


def filtered_by(word: str) -> None:
    validated(ProductContract, CONTRACT | {"row_filter": word}, "a product")
    columns_of(parse_filter(word), COLUMNS)


REQUEST: dict[str, Any] = {
    "study": "credit_risk",
    "consumer": "ml_coe",
    "by": "ml-coe@bank.example",
    "at": "2026-11-02",
    "purpose": "credit_risk",
    "uses": ["evaluate"],
    "columns": ["age"],
    "days": 90,
}
STUDY: dict[str, Any] = {
    "consumer": "ml_coe",
    "purpose": "credit_risk",
    "mode": "horizontal",
    "algorithm": {"name": "logistic_regression"},
    "target": "is_bad",
    "features": ["age"],
}
CONTRACT: dict[str, Any] = {
    "product": "consumer_banking.x",
    "status": "active",
    "classification": "internal",
    "purposes": ["credit_risk"],
    "uses": ["evaluate"],
}
MODEL = {"model.consumer_banking.x": "consumer_banking.x"}


def product_called(word: str) -> None:
    contract = CONTRACT | {"product": f"consumer_banking.{word}"}
    node = {
        "package_name": "consumer_banking",
        "name": word,
        "group": "x",
        "config": {"meta": {"mesh": contract}},
    }
    read_product(Fields(node, "node"), OWNERS, {})


def grant_called(word: str) -> None:
    read_grant(exposure(word, {"request": REQUEST}), MODEL)


def study_called(word: str) -> None:
    read_study(exposure(word, STUDY), MODEL)


def exposure(name: str, block: dict[str, Any]) -> Fields:
    about = {
        "name": name,
        "package_name": "consumer_banking",
        "depends_on": {"nodes": list(MODEL)},
        "config": {"meta": {"mesh": block}},
    }
    return Fields(about, "exposure")


def test_no_hostile_text_is_a_node_s_settings(tmp_path):
    for word in ALL:
        write_text(tmp_path / "node.yml", word)
        with at_most(), pytest.raises(ContractError) as caught:
            load_node(tmp_path)
        assert len(caught.value.problem) < 500


def test_no_hostile_word_is_a_word_of_a_node_s_settings(tmp_path):
    for number, word in enumerate(ALL):
        field = NODE_FIELDS[number % len(NODE_FIELDS)]
        if word in A_NAME:
            continue
        write_text(tmp_path / "node.yml", dumped(node_with(field, word)))
        with at_most(), pytest.raises(ContractError):
            load_node(tmp_path)


@pytest.mark.parametrize("text", YAML, ids=lambda t: ascii(t[:24]))
def test_hostile_yaml_is_refused_or_is_a_plain_mapping(tmp_path, text):
    file = write_text(tmp_path / "file.yml", text)
    if not text.startswith(PLAIN_YAML):
        with at_most(), pytest.raises(ContractError):
            read_yaml(file)
        return
    with at_most():
        found = read_yaml(file)
    with at_most(), pytest.raises(ContractError):
        validated(NodeSettings, found, "node.yml")


# --- the command line -----------------------------------------------------------

# What other words a verb needs, by the parameter's name.
GIVEN = {
    "product": "consumer_banking.credit_profile",
    "domain": "consumer_banking",
    "study": "credit_risk",
    "model": "credit_risk",
    "by": "steward.consumer@bank.example",
    "consumer": "ml_coe",
    "purpose": "credit_risk",
    "uses": "evaluate",
    "sql": "select 1",
    "target": "is_bad",
    "products": "consumer_banking.credit_profile",
}
# Free text, which may say anything.
TEXT = {"words", "reason", "label", "description", "owner", "support"}
# One writes a mesh where it is told to, the other waits for a browser.
LEFT_OUT = {"init", "catalog serve"}
TIMES = 5  # places on the command line that each string is tried in


def places() -> list[tuple[list[str], click.Parameter, list[str]]]:
    """Return verb, parameter and the other words, for each text that a verb takes."""
    found = []
    for path, command in commands(fl, []):
        if " ".join(path) in LEFT_OUT:
            continue
        for parameter in command.params:
            plain = isinstance(parameter.type, click.types.StringParamType)
            if parameter.name == "project" or not (plain or parameter.name == "model"):
                continue
            others = [
                word
                for other in command.params
                if other.required and other is not parameter
                for word in written(other, GIVEN.get(str(other.name), "x"))
            ]
            found.append((path, parameter, others))
    return found


def commands(
    command: click.Command, path: list[str]
) -> Iterator[tuple[list[str], click.Command]]:
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        below = command.get_command(context, name)
        assert below is not None
        yield from commands(below, [*path, name])


def written(parameter: click.Parameter, word: str) -> list[str]:
    """Return a parameter as it is typed."""
    if isinstance(parameter, click.Option):
        return [f"{parameter.opts[0]}={word}"]
    return ["--", word]


@pytest.mark.slow
def test_no_hostile_argument_reaches_anything(
    mesh_folder, tmp_path, monkeypatch, capsys, figure
):
    monkeypatch.chdir(tmp_path)
    everywhere = places()
    before = {file.name for file in tmp_path.iterdir()}
    tried = 0
    for number, word in enumerate(ALL):
        for turn in range(TIMES):
            at = (number + turn * len(ALL)) % len(everywhere)
            path, parameter, others = everywhere[at]
            if word in A_NAME or parameter.name in TEXT:
                continue
            options = [w for w in others if w.startswith("--") and w != "--"]
            rest = [w for w in others if w not in options]
            typed = [*path, "--project", str(mesh_folder), *options]
            words = written(parameter, word)
            with at_most(10):
                code = main([*typed, *ordered(words, rest)])
            told = capsys.readouterr()
            tried += 1
            assert_told(code, told.out, told.err, [*path, str(parameter.name), word])
    assert {file.name for file in tmp_path.iterdir()} == before
    figure("hostile arguments on the command line, each told in two lines", tried)


def ordered(words: list[str], rest: list[str]) -> list[str]:
    """Return options, then one "--" and every argument."""
    options = [w for w in words if w != "--" and words[0] != "--"]
    arguments = [w for w in [*(words if words[0] == "--" else []), *rest] if w != "--"]
    return [*options, "--", *arguments]


def assert_told(code: int, out: str, err: str, where: list[str]) -> None:
    told = f"{' '.join(where[:-1])} {where[-1][:60]!r}: {code} {err[:300]}"
    assert "Traceback" not in out + err, told
    assert "Unexpected" not in err, told
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", out + err), told
    assert code in range(12), told
