"""A side of the table finds what it should, and its clocks see all its processes."""

import json
import multiprocessing
import sys
import threading
import time
from functools import partial

import numpy as np
import pytest
from sklearn.ensemble._hist_gradient_boosting.binning import _BinMapper

from bench import cases, federated, measure, processes, synthetic, usage
from bench.families import BY_NAME, FAMILIES
from bench.pipes import ArrayPipe
from fl_plugin.errors import TrainingError

BURN = "import time\nwhile time.process_time() < .3: pass\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("case")
    cases.write(cases.Case(rows=3_000), made)
    return made


def test_every_kind_of_target_is_what_its_name_says():
    (drawn,) = synthetic.draw(0, 2_000)
    assert set(drawn.target("binary")) == {0.0, 1.0}
    assert set(drawn.target("multiclass")) == set(range(synthetic.CLASSES))
    count = drawn.target("count")
    assert (count == count.astype(int)).all()
    assert count.min() == 0 < count.max()
    assert drawn.target("positive").min() > 0
    assert np.corrcoef(drawn.target("regression"), drawn.odds)[0, 1] > 0.7
    assert not drawn.target("none").any()


def test_the_rows_of_all_domains_together_are_standardised_and_each_has_its_own(folder):
    x, y = cases.pooled(folder)
    assert x.shape == (3_000, synthetic.FEATURES)
    assert np.abs(x.mean(axis=0)).max() < 1e-12
    assert np.abs(x.std(axis=0) - 1.0).max() < 1e-12
    parts = [cases.domain(folder, place) for place in range(3)]
    assert np.array_equal(np.concatenate([p[0].T for p in parts]), x)
    assert np.array_equal(np.concatenate([p[1] for p in parts]), y)
    assert len({round(float(p[1].mean()), 2) for p in parts}) == 3


def test_any_number_of_domains_shares_all_rows():
    for domains in (2, 3, 10, 50):
        shares = synthetic.shares(domains)
        assert len(shares) == domains
        assert sum(shares) == pytest.approx(1.0)
        assert sorted(shares, reverse=True) == list(shares)


def test_parties_in_turn_and_at_once_find_the_same_bits_as_each_other(folder):
    family = BY_NAME["logistic_regression"]
    found = {
        side: measure.measure(folder, family, side) for side in ("together", "apart")
    }
    told = [np.load(measure.outcome(folder, family.algorithm, s)) for s in found]
    assert np.array_equal(*told)
    measure.measure(folder, family, family.twin)
    pooled = np.load(measure.outcome(folder, family.algorithm, family.twin))
    assert np.abs(told[0] - pooled).max() < 1e-9
    for name in ("rounds", "bytes_up", "bytes_down", "masked"):
        assert found["together"][name] == found["apart"][name]
    assert found["together"]["masked"]


def test_what_is_sent_is_counted_by_the_byte(folder):
    algorithm = BY_NAME["gaussian_nb"].made()
    task = measure.task_of(folder, binned=False)
    asked = []

    class Recording(federated.Together):
        def all(self, verb, body):
            answers = super().all(verb, body)
            asked.append((verb, body, answers))
            return answers

    names = federated.names_of(task)
    loading = measure.Loading(folder, "gaussian_nb", task)
    parties = {name: loading(place)() for place, name in enumerate(names)}
    run = federated.fit(algorithm, task, Recording(parties))
    rounds = [(body, answers) for verb, body, answers in asked if verb == "answer"]
    assert run.asked == len(rounds)
    assert run.bytes_down == sum(a.nbytes for body, _ in rounds for a in body.values())
    sent = [sum(a.nbytes for a in r[n].values()) for n in names[:1] for _, r in rounds]
    assert run.bytes_up == sum(sent) > 0


def test_two_domains_are_measured_too(tmp_path):
    cases.write(cases.Case(rows=500, domains=2, target="regression"), tmp_path)
    family = BY_NAME["ridge"]
    assert measure.measure(tmp_path, family, "together")["masked"]
    measure.measure(tmp_path, family, family.twin)
    told = [
        np.load(measure.outcome(tmp_path, "ridge", s))
        for s in ("together", family.twin)
    ]
    assert np.abs(told[0] - told[1]).max() < 1e-9


def test_a_twin_that_is_a_clone_starts_where_the_federation_started(tmp_path):
    cases.write(cases.Case(rows=600, target="none"), tmp_path)
    family = BY_NAME["kmeans"]
    for side in ("together", family.twin):
        measure.measure(tmp_path, family, side)
    told = [
        np.load(measure.outcome(tmp_path, "kmeans", s))
        for s in ("together", family.twin)
    ]
    assert np.abs(told[0] - told[1]).max() < 1e-9


def test_a_party_bins_its_rows_as_pooled_scikit_learn_does(folder):
    cases.write_edges(folder, 255, 7)
    task = measure.task_of(folder, binned=True)
    pooled, _ = cases.pooled(folder)
    mapper = _BinMapper(n_bins=256, random_state=0, n_threads=1).fit(pooled)
    x, _ = cases.domain(folder, 1)
    bins = measure.binned(x, task)
    assert np.array_equal(bins, mapper.transform(np.ascontiguousarray(x.T)).T)
    assert bins.flags.c_contiguous
    edges, _ = cases.edges(folder)
    assert [c.bins for c in task.columns] == [len(e) + 1 for e in edges]


def test_a_party_that_fails_in_its_own_process_fails_the_run():
    team = federated.Apart(["p00"], partial(_failing, "a remedy"))
    with pytest.raises(federated.PartyFailedError, match="p00: TrainingError"):
        team.all("announce", team.names)
    team.close()


def _failing(remedy, _place):
    return partial(_raise, remedy)


def _raise(remedy):
    raise TrainingError("It cannot be made.", remedy=remedy)


def test_arrays_cross_a_pipe_as_they_are():
    here, there = (ArrayPipe(end) for end in multiprocessing.Pipe())
    numbers = np.arange(12.0).reshape(3, 4)
    sent = {
        "transposed": numbers.T,
        "none": np.zeros((0, 3), dtype=np.uint8),
        "single": np.array(7, dtype=np.int64),
        "wide": np.arange(1_000_000),
    }
    threading.Thread(target=here.send, args=("answer", sent)).start()
    verb, got = there.receive()
    assert verb == "answer"
    for name, array in sent.items():
        assert got[name].dtype == array.dtype
        assert np.array_equal(got[name], array)
        assert got[name].shape == array.shape
    for body in (None, {}, {"word": "x"}, ("a", "b")):
        there.send("ask", body)
        assert here.receive() == ("ask", body)
    here.close()
    with pytest.raises(EOFError):
        there.receive()
    there.close()


@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.algorithm)
def test_every_family_reads_a_method_that_its_twin_has(family):
    rivals = [make() for make in family.rivals.values() if make]
    assert all(hasattr(type(rival), family.reads) for rival in rivals)
    assert family.twin in family.rivals


def test_the_clock_sees_children_that_live_and_children_that_have_ended(tmp_path):
    script = tmp_path / "burn.py"
    script.write_text(
        "import json, subprocess, sys\n"
        "from bench import usage\n"
        f"burn = {BURN!r}\n"
        "wait = burn + 'print(1, flush=True); input()'\n"
        "begun = usage.Moment.now()\n"
        "subprocess.run([sys.executable, '-c', burn], check=True)\n"
        "kept = subprocess.Popen([sys.executable, '-c', wait],\n"
        "    stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
        "kept.stdout.readline()\n"
        "print(json.dumps(begun.until_now().json()))\n"
        "kept.communicate(b'\\n')\n"
    )
    spent = processes.run([sys.executable, str(script)], folder=tmp_path)
    assert 0.6 <= spent["cpu"] < 6.0
    assert spent["wall"] > 0
    assert spent["peak_mb"] > 1


def test_a_childs_seconds_before_the_start_are_not_counted(tmp_path):
    script = tmp_path / "burn.py"
    script.write_text(
        "import json, subprocess, sys\n"
        "from bench import usage\n"
        f"wait = {BURN!r} + 'print(1, flush=True); input()'\n"
        "kept = subprocess.Popen([sys.executable, '-c', wait],\n"
        "    stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
        "kept.stdout.readline()\n"
        "begun = usage.Moment.now()\n"
        "kept.communicate(b'\\n')\n"
        "print(json.dumps(begun.until_now().json()))\n"
    )
    spent = processes.run([sys.executable, str(script)], folder=tmp_path)
    assert -0.05 < spent["cpu"] < 0.3


def test_bytes_over_loopback_are_the_runs_own(tmp_path):
    script = tmp_path / "send.py"
    script.write_text(
        "import json, os, socket\n"
        "from bench import usage\n"
        "begun = usage.Moment.now()\n"
        "held = socket.create_server(('127.0.0.1', 0))\n"
        "one = socket.create_connection(held.getsockname())\n"
        "two, _ = held.accept()\n"
        "one.sendall(bytes(50_000)); got = 0\n"
        "while got < 50_000: got += len(two.recv(65536))\n"
        "alone = os.environ['BENCH_ALONE'] == 'yes'\n"
        "print(json.dumps(begun.until_now().json() | {'alone': alone}))\n"
    )
    spent = processes.run([sys.executable, str(script)], folder=tmp_path)
    if spent["alone"]:
        assert 50_000 < spent["loopback"] < 60_000
    else:
        assert spent["loopback"] == 0


def test_a_failed_measurement_says_why_and_names_no_path(tmp_path):
    command = [sys.executable, "-c", f"raise SystemExit('{tmp_path} went wrong')"]
    with pytest.raises(processes.MeasurementError) as caught:
        processes.run(command, folder=tmp_path)
    assert str(caught.value) == "failed: went wrong"


def test_a_measurement_that_hangs_is_ended_with_its_children(tmp_path):
    ids = tmp_path / "ids.json"
    script = tmp_path / "hang.py"
    script.write_text(
        "import json, os, subprocess, sys, time\n"
        "sleep = 'import time; time.sleep(99)'\n"
        "child = subprocess.Popen([sys.executable, '-c', sleep],\n"
        "    stdout=subprocess.DEVNULL)\n"
        f"open({str(ids)!r}, 'w').write(json.dumps([os.getpid(), child.pid]))\n"
        "time.sleep(99)\n"
    )
    with pytest.raises(processes.MeasurementError, match="took more than"):
        processes.run([sys.executable, str(script)], folder=tmp_path, patience=9.0)
    left = json.loads(ids.read_text())
    for _ in range(100):  # the system takes a killed process away in its own time
        left = [pid for pid in left if usage.peak_mb(pid)]
        time.sleep(0.1 if left else 0.0)
    assert left == []
