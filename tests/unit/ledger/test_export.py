"""The export is one JSON object a line, and holds enough to check the chain."""

import hashlib
import json
from collections.abc import Iterator

import pytest

from fl_plugin.errors import StorageError
from fl_plugin.ledger import GENESIS, AuditRecord, json_lines, write_json_lines


@pytest.fixture
def records(ledger, entry):
    for action in ("decide", "open", "close"):
        ledger.append(entry(action=action, actor="scientist\nø@bank.example"))
    return ledger.show()


def test_every_record_is_one_line_in_order(records):
    lines = [json.loads(line) for line in json_lines(records)]
    assert [line["action"] for line in lines] == ["decide", "open", "close"]
    assert lines[0]["columns"] == ["amount", "duration"]


def test_the_chain_can_be_checked_from_the_lines_alone(records):
    previous = GENESIS
    for line in map(json.loads, json_lines(records)):
        stored = line.pop("hash")
        body = json.dumps(line, sort_keys=True, separators=(",", ":"))
        assert line["previous"] == previous
        assert hashlib.sha256(body.encode()).hexdigest() == stored
        previous = stored


def test_the_file_holds_the_lines_and_nothing_stands_beside_it(records, tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    write_json_lines(records, folder / "audit.jsonl")
    assert (folder / "audit.jsonl").read_text().splitlines() == [*json_lines(records)]
    assert [f.name for f in folder.iterdir()] == ["audit.jsonl"]


def test_a_failed_export_leaves_the_earlier_file_as_it_was(records, tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    write_json_lines(records, folder / "audit.jsonl")
    before = (folder / "audit.jsonl").read_bytes()

    def broken() -> Iterator[AuditRecord]:
        yield records[0]
        raise OSError

    with pytest.raises(StorageError, match=r"audit\.jsonl"):
        write_json_lines(broken(), folder / "audit.jsonl")
    assert (folder / "audit.jsonl").read_bytes() == before
    assert [f.name for f in folder.iterdir()] == ["audit.jsonl"]
