"""What the documentation says to type by hand is what the verbs run."""

import re
from pathlib import Path
from unittest.mock import patch

import pytest

from fl_plugin.errors import StorageError
from fl_plugin.flower.forwarding import Address
from fl_plugin.flower.link import Link
from fl_plugin.flower.node import FlowerNode
from fl_plugin.flower.places import write
from tests.made_mesh import REPOSITORY, make_mesh
from tests.small_mesh import FIVE, small

NUMBER = re.compile(r"[0-9]{2,5}")
STANDS_FOR_A_NUMBER = {"PORT", "TUNNEL"}


class AskedError(Exception):
    """A program would be started."""


def shown(program):
    """Return the options that the documentation gives a program, in its order."""
    text = (REPOSITORY / "docs/operating.md").read_text()
    _, _, block = text.partition(f"```sh\nflower-{program} ")
    words = block.partition("```")[0].replace("\\\n", " ").split()
    return [plain(word) for word in words]


def run_by(serving):
    """Return the program that a verb starts, and its options as documented."""
    with (
        patch(f"{type(serving).__module__}.child", side_effect=AskedError) as started,
        pytest.raises(AskedError),
    ):
        serving.serve(lambda: None)
    program, words, *_ = started.call_args.args
    return program, [plain(word) for word in words]


def plain(word):
    """Return a word without its folder, and any port alike."""
    host, colon, port = word.rpartition(":")
    if NUMBER.fullmatch(port) or port in STANDS_FOR_A_NUMBER:
        return f"{host}{colon}PORT"
    return Path(word).name


def test_both_programs_are_started_as_documented(tmp_path):
    root = make_mesh(tmp_path / "mesh", small(FIVE[:1]))
    link = Link(root, Address("127.0.0.1", 0), "127.0.0.1")
    assert run_by(link) == ("superlink", shown("superlink"))
    invitation = link._invitation(1)
    node = FlowerNode(root / "domains" / FIVE[0], invitation, lambda _: None)
    with patch.object(FlowerNode, "_wait_until_admitted", return_value=True):
        assert run_by(node) == ("supernode", shown("supernode"))


def test_a_file_that_cannot_be_written_is_told_in_words(tmp_path):
    with pytest.raises(StorageError, match=r"node.crt cannot be written \(No such"):
        write(tmp_path / "none" / "node.crt", b"")
