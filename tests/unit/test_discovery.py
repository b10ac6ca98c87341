"""A new file is found by itself; a broken one is told by name."""

import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from fl_plugin import discovery
from fl_plugin.discovery import discover
from fl_plugin.errors import MeshError
from fl_plugin.policy.rule import Rule
from fl_plugin.policy.rules.s01_product import ProductRule

BASE = "from abc import ABC\nclass Base(ABC):\n    pass\n"
ONE = "from {room}.base import Base\nclass One(Base):\n    name = 'one'\n"


@pytest.fixture
def room(tmp_path, monkeypatch):
    name = f"room_{tmp_path.name}".replace("-", "_")
    folder = tmp_path / name
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "base.py").write_text(BASE)
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    for module in [m for m in sys.modules if m.startswith(name)]:
        del sys.modules[module]


def base_of(room: Path) -> type:
    module = __import__(f"{room.name}.base", fromlist=["Base"])
    base: type = module.Base
    return base


def test_every_rule_of_the_room_is_found_in_order_of_file():
    found = discover("fl_plugin.policy.rules", Rule)
    assert [rule.step for rule in found.values()] == [1, 1, 1, 2, 3, 3, *range(4, 10)]
    assert found["product"] is ProductRule


def test_a_class_goes_by_its_name_or_by_its_file(room):
    (room / "b_file.py").write_text(ONE.format(room=room.name))
    (room / "a_file.py").write_text(
        f"from {room.name}.base import Base\nclass Two(Base):\n    pass\n"
    )
    assert list(discover(room.name, base_of(room))) == ["a_file", "one"]


def test_imported_and_abstract_classes_are_not_counted(room):
    (room / "a.py").write_text(ONE.format(room=room.name))
    (room / "b.py").write_text(
        f"from abc import abstractmethod\nfrom {room.name}.a import One\n"
        f"from {room.name}.base import Base\nclass Half(Base):\n"
        "    @abstractmethod\n    def more(self): ...\n"
    )
    assert list(discover(room.name, base_of(room))) == ["one"]


def test_two_classes_in_one_file_are_an_error(room):
    text = ONE.format(room=room.name) + "class Two(Base):\n    name = 'two'\n"
    (room / "a.py").write_text(text)
    with pytest.raises(MeshError, match="One, Two"):
        discover(room.name, base_of(room))


def test_two_classes_of_one_name_are_an_error(room):
    for file in ("a", "b"):
        (room / f"{file}.py").write_text(ONE.format(room=room.name))
    with pytest.raises(MeshError, match="both called one"):
        discover(room.name, base_of(room))


@pytest.mark.parametrize(
    "text", ["import not_there", "1 / 0", "def x(:", "raise KeyError"]
)
def test_a_file_that_does_not_import_is_named(room, text):
    (room / "broken.py").write_text(text)
    with pytest.raises(MeshError, match=rf"{room.name}\.broken"):
        discover(room.name, base_of(room))


def points(*values: str) -> Callable[[str], list[EntryPoint]]:
    found = [EntryPoint(name=v.rpartition(":")[2], value=v, group="g") for v in values]
    return lambda group: found if group == "g" else []


def test_entry_points_add_to_the_room(room, monkeypatch):
    (room / "a.py").write_text(ONE.format(room=room.name))
    other = room.parent / f"{room.name}_other.py"
    other.write_text(
        f"from {room.name}.base import Base\nclass Extra(Base):\n    name = 'extra'\n"
    )
    monkeypatch.setattr(discovery, "entry_points", points(f"{other.stem}:Extra"))
    assert list(discover(room.name, base_of(room), "g")) == ["one", "extra"]
    assert list(discover(room.name, base_of(room))) == ["one"]


@pytest.mark.parametrize("value", ["not_there:X", "os:getcwd", "json:JSONDecoder"])
def test_a_broken_or_foreign_plug_in_is_named(room, monkeypatch, value):
    monkeypatch.setattr(discovery, "entry_points", points(value))
    with pytest.raises(MeshError, match=value):
        discover(room.name, base_of(room), "g")


def test_a_plug_in_cannot_replace_a_class_of_the_room(room, monkeypatch):
    (room / "a.py").write_text(ONE.format(room=room.name))
    other = room.parent / f"{room.name}_thief.py"
    other.write_text(
        f"from {room.name}.base import Base\nclass Thief(Base):\n    name = 'one'\n"
    )
    monkeypatch.setattr(discovery, "entry_points", points(f"{other.stem}:Thief"))
    with pytest.raises(MeshError, match="both called one"):
        discover(room.name, base_of(room), "g")
