"""Traces and logs of a run as a collector and a terminal get them, without a value."""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from fl_plugin import Mesh
from tests.canaries import Search, spellings_of_number
from tests.collecting import collector
from tests.made_mesh import STUDY, make_mesh
from tests.small_mesh import small

pytestmark = pytest.mark.slow
DOMAINS = ("ash", "birch", "cedar")
CANARY = 918_273_640_000


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    made = small(DOMAINS)
    marked = {
        domain: table.set_column(
            0, "row_id", pa.array(np.arange(len(table)) + CANARY + 1_000 * place)
        )
        for place, (domain, table) in enumerate(made.tables.items())
    }
    root = tmp_path_factory.mktemp("mesh")
    return make_mesh(root, replace(made, tables=marked))


@pytest.fixture
def root(original, tmp_path):
    return shutil.copytree(original, tmp_path / "mesh")


@pytest.fixture(scope="module")
def canaries():
    numbers = [CANARY + 1_000 * d + row for d in range(3) for row in range(160)]
    return Search({str(n): list(spellings_of_number(n)) for n in numbers})


def fl(root, *words, **environment):
    """Run the program in a process of its own, which nothing warns of."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "fl_plugin", *words],
        cwd=root,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("engine", ["embedded", "processes"])
def test_a_collector_gets_a_run_its_rounds_questions_and_answers(
    root, original, tmp_path, canaries, engine
):
    with collector() as heard:
        done = fl(root, "train", STUDY, "--engine", engine, **heard.environment)
    assert done.returncode == 0, done.stderr
    spans = heard.spans
    by_id = {span.id: span for span in spans}
    assert len(by_id) == len(spans)
    assert len({span.trace for span in spans}) == 1
    counts = Counter(span.name for span in spans)
    rounds = Mesh.open(root).run_rounds(Mesh.open(root).runs[0].run)
    assert counts["fl.run"] == 1
    assert counts["fl.round"] == len(rounds)
    assert counts["fl.ask"] == counts["fl.answer"] == sum(r.parties for r in rounds)
    above = {"fl.round": "fl.run", "fl.ask": "fl.round", "fl.answer": "fl.ask"}
    for span in spans:
        parent = by_id.get(span.parent)
        assert (parent.name if parent else None) == above.get(span.name)
        if parent is not None and span.name == "fl.answer":
            same = ("fl.run", "fl.round", "fl.kind", "fl.domain", "fl.bytes.up")
            assert [span.facts[f] for f in same] == [parent.facts[f] for f in same]
            assert (span.process == parent.process) is (engine == "embedded")
    bytes_of(spans, rounds)
    sent = b"".join(heard.bodies)
    assert not canaries.found(sent)
    assert str(tmp_path).encode() not in sent
    same_without(original, tmp_path, root)


def bytes_of(spans, rounds):
    """Assert that spans and the run's own account say the same."""
    (run,) = (s.facts for s in spans if s.name == "fl.run")
    assert (run["fl.study"], run["fl.standing"], run["fl.version"]) == (
        STUDY,
        "done",
        1,
    )
    told = {s.facts["fl.round"]: s.facts for s in spans if s.name == "fl.round"}
    for one in rounds:
        facts = told[one.round]
        assert facts["fl.kind"] == one.kind
        assert (facts["fl.bytes.down"], facts["fl.bytes.up"]) == (one.down, one.up)
        assert facts["fl.absent"] == []


def same_without(original, tmp_path, root):
    """Assert that a run of which nothing is told makes the very same model."""
    plain = Mesh.open(shutil.copytree(original, tmp_path / "plain")).train(STUDY)
    assert plain.record.model_digest == Mesh.open(root).model(STUDY).run.model_digest


def test_a_node_is_told_of_in_lines_and_no_line_has_a_value(root, canaries):
    words = ("train", STUDY, "--engine", "processes", "--log-format", "json")
    done = fl(root, *words)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    run = Mesh.open(root).runs[0].run
    assert all({"at", "level", "event"} <= line.keys() for line in lines)
    assert {line["level"] for line in lines} == {"info"}
    events = Counter(line["event"] for line in lines)
    rounds = len(Mesh.open(root).run_rounds(run))
    assert events["round"] == rounds
    assert events["answered"] == rounds * len(DOMAINS)
    assert events["ready"] == events["stopped"] == len(DOMAINS)
    assert (lines[0]["event"], lines[0]["engine"]) == ("began", "processes")
    assert {line.get("run", run) for line in lines} == {run}
    assert not canaries.found(done.stderr.encode())


def test_a_refusal_is_a_line_of_its_own(root):
    (root / "domains" / "birch" / "node.yml").write_text("{}")
    done = fl(root, "train", STUDY, "--log-format", "json")
    *_, last = (json.loads(line) for line in done.stderr.splitlines())
    assert (last["level"], last["event"]) == ("error", "error")
    assert last["exit_code"] == done.returncode
    assert last["problem"]
    assert last["remedy"]
    assert done.stdout == ""


def test_a_log_that_nobody_reads_any_more_ends_no_run(root):
    words = ["train", STUDY, "--engine", "processes", "--log-format", "json"]
    with subprocess.Popen(
        [sys.executable, "-m", "fl_plugin", *words],
        cwd=root,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stderr is not None
        process.stderr.readline()
        process.stderr.close()
        process.wait()
    (run,) = Mesh.open(root).runs
    assert (run.standing, run.version) == ("done", 1)


def test_without_the_extra_or_a_collector_a_run_is_done_and_says_so(root):
    lost = {"OTEL_EXPORTER_OTLP_TIMEOUT": "1"}
    lost |= {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
    done = fl(root, "train", STUDY, OTEL_TRACES_EXPORTER="otlp", **lost)
    assert done.returncode == 0
    assert "warning: Traces were lost" in done.stderr
    assert "Traceback" not in done.stderr
    done = fl(root, "plan", STUDY, OTEL_TRACES_EXPORTER="pigeon")
    assert done.returncode == 0


def test_nothing_of_it_is_imported_unless_it_is_asked_for(root):
    words = (
        "import sys; from fl_plugin.cli.main import main; "
        f"main(['train', '{STUDY}']); "
        "sys.exit(any(m.startswith('opentelemetry') for m in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", words], cwd=root, capture_output=True, check=False
    )
    assert done.returncode == 0
