"""Small YAML files: every trick is refused at once, and nothing is printed."""

import time

import pytest

from fl_plugin.errors import ContractError
from fl_plugin.manifest.yaml_files import MAX_BYTES, read_yaml

BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join(f'*{old}' for _ in range(9))}]\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
REFUSED = {
    "a bomb": BOMB,
    "an anchor": "a: &x 1",
    "an alias": "a: &x [1]\nb: *x",
    "a merge key": "a: {<<: {b: 1}}",
    "a python tag": "a: !!python/object/apply:os.system ['true']",
    "a python name": "!!python/name:os.system",
    "a binary tag": "a: !!binary aGVsbG8=",
    "a set": "a: !!set {x, y}",
    "a tag of its own": "a: !secret canary",
    "a harmless tag": "a: !!str 3",
    "a duplicate key": "a: 1\na: 2",
    "a duplicate key below": "x: {a: 1, a: 2}",
    "a number as key": "1: a",
    "true as key": "on: a",
    "null as key": "~: a",
    "a list as key": "[a]: b",
    "a mapping as key": "{a: 1}: b",
    "ten thousand brackets": "[" * 10_000,
    "ten thousand braces": "{a: " * 10_000,
    "deep indentation": "\n".join(" " * i + "a:" for i in range(30)),
    "two documents": "a: 1\n---\nb: 2",
    "a list": "- a",
    "a text": "canary",
    "nothing": "",
    "a broken flow": "a: [1, 2",
    "a tab": "a:\n\tb: 1",
    "an enormous number": "a: " + "9" * 5000,
    "a control character": "a: \x01",
    "Jinja": "a: {{ env_var('HOME') }}",
    "a colon too many": "a: b: c: canary",
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_a_trick_is_refused_fast_and_in_one_line(tmp_path, text):
    path = tmp_path / "file.yml"
    path.write_text(text)
    start = time.process_time()
    with pytest.raises(ContractError) as caught:
        read_yaml(path)
    assert time.process_time() - start < 10
    assert "\n" not in str(caught.value)
    assert "canary" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_plain_file_is_read_and_dates_stay_text(tmp_path):
    path = tmp_path / "file.yml"
    path.write_text("a: [1, 2.5, true, x]\nb: {c: 2026-11-02, d: null}\n")
    assert read_yaml(path) == {
        "a": [1, 2.5, True, "x"],
        "b": {"c": "2026-11-02", "d": None},
    }


def test_twenty_levels_are_enough(tmp_path):
    path = tmp_path / "file.yml"
    path.write_text("a: " + "[" * 18 + "]" * 18)
    assert read_yaml(path)
    path.write_text("a: " + "[" * 20 + "]" * 20)
    with pytest.raises(ContractError, match="nested"):
        read_yaml(path)


def test_a_file_beyond_the_cap_is_not_parsed(tmp_path):
    path = tmp_path / "file.yml"
    path.write_text("a: 1\n" + "#" * MAX_BYTES)
    with pytest.raises(ContractError, match="larger than 256 kB"):
        read_yaml(path)


def test_what_is_not_text_is_refused(tmp_path):
    path = tmp_path / "file.yml"
    path.write_bytes(b"a: \xff\xfe")
    with pytest.raises(ContractError, match="UTF-8"):
        read_yaml(path)


def test_a_folder_or_nothing_is_refused(tmp_path):
    with pytest.raises(ContractError, match="does not exist"):
        read_yaml(tmp_path)
    with pytest.raises(ContractError, match="does not exist"):
        read_yaml(tmp_path / "none.yml")


def test_a_duplicate_key_is_named_with_its_line(tmp_path):
    path = tmp_path / "file.yml"
    path.write_text("a: 1\nb: 2\na: 3\n")
    with pytest.raises(ContractError, match="line 3 holds the key a twice"):
        read_yaml(path)
