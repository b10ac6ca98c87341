"""The table is the measurements and nothing else; peers are what their files say."""

import json

import pytest

from bench import results, sets, table
from bench.families import BY_NAME
from bench.peers import environment
from bench.processes import ROOT
from bench.recorder import Recorder

FACTS = {
    "kind": "measured",
    "system": results.OURS,
    "what": "ridge",
    "rows": 1_000,
    "domains": 4,
}


def measured(side, **more):
    return {**FACTS, "side": side, "peak_mb": 200.0, "loopback": 0, **more}


@pytest.fixture
def lines():
    sent = {"rounds": 2, "bytes_up": 1_000, "difference": 3e-15}
    return [
        results.made("--quick", 3),
        measured("pooled", rival="twin", cpu=2.0, wall=2.0),
        measured("pooled", rival="twin", cpu=4.0, wall=4.0),
        measured("pooled", rival="twin", cpu=90.0, wall=90.0),
        measured("pooled", rival="other", cpu=8.0, wall=8.0),
        measured("together", cpu=6.0, wall=5.0, **sent),
        measured("apart", cpu=7.0, wall=1.0, **sent),
    ]


def test_ratios_are_of_medians_and_each_rival_has_its_row(lines):
    twin, other = [
        dict(zip(results.HEADER, r, strict=True)) for r in results.table(lines)
    ]
    assert twin["CPU ratio"] == "1.50"
    assert twin["wall ratio, in turn"] == "1.25"
    assert twin["wall ratio, at once"] == "0.25"
    assert twin["largest difference"] == "3.0e-15"
    assert twin["bytes, party and round"] == "500"
    assert twin["MB, party"] == "0.001"
    assert other["CPU ratio"] == "0.75"
    assert not other["largest difference"]


def test_bytes_of_a_peer_are_what_crossed_its_device(lines):
    peer = {"system": "lightgbm", "what": "boosting", "rounds": 10, "difference": 0.3}
    lines = [
        measured("pooled", rival="own", cpu=1.0, wall=1.0) | peer,
        measured("federated", cpu=2.0, wall=3.0) | peer | {"loopback": 80_000},
    ]
    (row,) = results.table(lines)
    told = dict(zip(results.HEADER, row, strict=True))
    assert told["bytes, party and round"] == "2,000 *"
    assert (told["wall ratio, in turn"], told["wall ratio, at once"]) == ("", "3.00")
    (row,) = results.table([line | {"loopback": 0} for line in lines])
    assert "not measured" in row


def test_what_was_not_measured_says_why(lines):
    (row,) = results.table([{**FACTS, "error": "not installed"}])
    assert "not installed" in row
    assert len(row) == len(results.HEADER)


def test_measuring_some_again_keeps_the_others(tmp_path, lines):
    file = tmp_path / "lines.jsonl"
    peer = {**FACTS, "system": "lightgbm", "what": "boosting", "error": "failed"}
    for line in (*lines, peer):
        results.append(file, line)
    results.drop(file, frozenset({"lightgbm"}))
    assert results.read(file) == lines
    results.drop(file, frozenset({"ridge"}), (1_000, 5))
    assert results.read(file) == lines
    results.drop(file, frozenset({"ridge"}), (1_000, 4))
    assert results.read(file) == lines[:1]
    results.drop(file, frozenset())
    assert results.read(file) == []


def test_processes_that_waited_for_a_core_are_named_in_the_page(lines):
    assert "not quiet" not in results.markdown(lines)
    lines[1] |= {"wall": lines[1]["cpu"] * 1.2}
    assert "1 of 5 measurements" in results.markdown(lines)
    lines[-1] |= {"wall": 99.0}  # several processes: they may well wait
    assert "1 of 5 measurements" in results.markdown(lines)


def test_only_what_stands_between_the_marks_is_replaced(tmp_path, lines):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{results.BEGIN}\nold\n{results.END}\nafter\n")
    results.write_into(page, lines)
    results.write_into(page, lines)
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    assert text.count("| twin") + text.count("ridge: twin") == 1
    page.write_text("no marks")
    with pytest.raises(ValueError, match="lacks"):
        results.write_into(page, lines)
    assert page.read_text() == "no marks"


def test_the_table_in_the_docs_is_what_its_measurements_give():
    page = (ROOT / "docs" / "benchmarks.md").read_text()
    shown = page.partition(results.BEGIN)[2].partition(results.END)[0].strip()
    assert shown == results.markdown(results.read(table.LINES))


def test_a_family_that_is_missing_is_a_line_and_not_the_end(tmp_path):
    file = tmp_path / "lines.jsonl"
    recorder = Recorder(file, 1, lambda _: None)
    family = BY_NAME["ridge"]
    missing = type(family)(algorithm="not_there", target="binary", rivals=family.rivals)
    recorder.family(missing, sets.Size(100, 3))
    (line,) = results.read(file)
    assert line["error"] == "not installed"


def test_a_measured_family_has_a_line_for_each_side(tmp_path):
    file = tmp_path / "lines.jsonl"
    Recorder(file, 1, lambda _: None).family(BY_NAME["bernoulli_nb"], sets.Size(300, 3))
    lines = results.read(file)
    assert [line["side"] for line in lines] == ["pooled", "together", "apart"]
    assert all(line["difference"] < 1e-9 for line in lines[1:])


def test_a_set_names_families_and_peers_that_there_are():
    for chosen in (sets.QUICK, sets.FULL):
        assert set(chosen.chosen) <= set(BY_NAME)
        assert set(chosen.peers) <= set(sets.PEERS)
    for peer in sets.PEERS:
        text = (ROOT / "bench" / "peers" / f"{peer.system}.py").read_text()
        assert f'"{peer.job}"' in text.partition("JOBS = ")[2].partition("\n")[0]


@pytest.mark.parametrize("system", sorted({p.system for p in sets.PEERS}))
def test_a_peers_requirements_are_all_pinned(system):
    lines = environment.requirements(system)
    assert lines
    assert all(line.count("==") == 1 for line in lines)


def test_no_package_index_is_said_in_words_and_nothing_half_made_is_kept(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "empty"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    for _ in range(2):
        with pytest.raises(environment.PeerUnavailableError, match="package index"):
            environment.environment("lightgbm")


def test_an_environment_is_named_after_its_requirements(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(environment, "HERE", tmp_path)
    (tmp_path / "small.txt").write_text("# nothing\n")
    made = []

    def make(folder, _file):
        made.append(folder)
        folder.mkdir(parents=True)

    monkeypatch.setattr(environment, "_make", make)
    first = environment.environment("small")
    assert environment.environment("small") == first
    (tmp_path / "small.txt").write_text("# changed\n")
    assert environment.environment("small").python != first.python
    assert len(made) == 2
    assert json.loads((made[0] / "made.json").read_text())["unpacked_mb"] == 0
