"""A model file is read only if it is the registered one and can only be a model."""

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import skops.io
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import Pipeline

from fl_plugin.errors import RegistryError
from fl_plugin.model import persistence
from fl_plugin.model.canonical import pipeline_digest
from fl_plugin.model.pipeline import build_pipeline
from tests.preparing import some_rows, table_of


@pytest.fixture(scope="module")
def pipeline(fit):
    return build_pipeline(fit("logistic_regression", min_count=40)[1])


@pytest.fixture(scope="module")
def data(pipeline):
    return persistence.dump(pipeline)


def rezip(data: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    """Return the file with its members changed by `change(members)`."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "name", ["logistic_regression", "kmeans", "pca", "gaussian_nb", "gamma_regression"]
)
@pytest.mark.parametrize(
    "words",
    [
        {},
        {"numeric": "robust", "indicators": True, "categorical": "ordinal"},
        {"min_count": 40, "impute": "constant", "numeric": "none"},
    ],
)
def test_a_saved_pipeline_comes_back_with_every_number(fit, tmp_path, name, words):
    pipeline = build_pipeline(fit(name, **words)[1])
    digest = persistence.save(pipeline, tmp_path / "model.skops")
    back = persistence.load(tmp_path / "model.skops", digest)
    assert pipeline_digest(back) == pipeline_digest(pipeline)
    table = table_of(some_rows(50))
    ask = "predict" if hasattr(pipeline["model"], "predict") else "transform"
    np.testing.assert_array_equal(
        getattr(back, ask)(table), getattr(pipeline, ask)(table)
    )


def test_a_loaded_pipeline_is_written_to_the_same_bytes(data):
    assert persistence.dump(persistence.parse(data)) == data


def test_two_processes_write_the_same_bytes(data):
    code = (
        "import sys; from fl_plugin.model import persistence;"
        "sys.stdout.buffer.write(persistence.dump("
        "persistence.parse(sys.stdin.buffer.read())))"
    )
    again = subprocess.run(
        [sys.executable, "-c", code], input=data, capture_output=True, check=True
    )
    assert again.stdout == data


def test_no_flipped_byte_is_ever_parsed(tmp_path, data, monkeypatch):
    path = tmp_path / "model.skops"
    parsed = []
    monkeypatch.setattr(persistence, "parse", lambda *_, **__: parsed.append(1))
    digest = persistence.digest(data)
    for place in range(0, len(data), 31):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        with pytest.raises(RegistryError, match=r"model\.skops .* registered"):
            persistence.load(path, digest)
    assert not parsed


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x05.", b"x" * 4096])
def test_what_is_no_skops_file_is_refused_in_one_line(content):
    with pytest.raises(RegistryError, match="cannot be read as a skops file"):
        persistence.parse(content)


def test_a_cut_file_is_refused(data):
    for size in range(0, len(data), 97):
        with pytest.raises(RegistryError):
            persistence.parse(data[:size])


def test_a_link_or_a_folder_is_refused(tmp_path, data):
    (tmp_path / "real.skops").write_bytes(data)
    (tmp_path / "link.skops").symlink_to(tmp_path / "real.skops")
    digest = persistence.digest(data)
    for name in ("link.skops", "", "absent.skops"):
        with pytest.raises(RegistryError, match="not a regular file"):
            persistence.load(tmp_path / name, digest)


def test_a_bomb_is_refused_before_it_unpacks(data, monkeypatch):
    monkeypatch.setattr(persistence, "MAX_UNPACKED", 2**20)
    bomb = rezip(data, lambda m: m.update({"zeros.npy": bytes(2**21)}))
    assert len(bomb) < 2**16
    with pytest.raises(RegistryError, match="unpacks to more"):
        persistence.parse(bomb)


def test_a_file_larger_than_a_model_is_refused_unread(tmp_path, data, monkeypatch):
    monkeypatch.setattr(persistence, "MAX_BYTES", 100)
    (tmp_path / "model.skops").write_bytes(data)
    with pytest.raises(RegistryError, match="larger than a model"):
        persistence.load(tmp_path / "model.skops", persistence.digest(data))


def test_too_many_members_are_refused(data, monkeypatch):
    monkeypatch.setattr(persistence, "MAX_MEMBERS", 99)
    crowd = rezip(data, lambda m: m.update({f"{i}.npy": b"" for i in range(99)}))
    with pytest.raises(RegistryError, match="too many members"):
        persistence.parse(crowd)


def test_another_estimator_is_refused_though_skops_trusts_it():
    other = Pipeline([("model", SGDClassifier())])
    with pytest.raises(RegistryError, match="SGDClassifier"):
        persistence.parse(skops.io.dumps(other))


@pytest.mark.parametrize(
    ("module", "name", "loader"),
    [
        ("os", "system", "FunctionNode"),
        ("builtins", "eval", "TypeNode"),
        ("numpy", "load", "FunctionNode"),
        ("builtins", "dict", "MethodNode"),
        ("builtins", ["dict"], "DictNode"),
        ("sklearn.pipeline", "Pipeline", None),
    ],
)
def test_a_node_that_no_model_holds_is_refused(data, module, name, loader):
    def plant(members):
        schema = json.loads(members["schema.json"])
        node = {"__module__": module, "__class__": name, "__loader__": loader}
        schema["content"]["content"]["memory"] = node
        members["schema.json"] = json.dumps(schema)

    with pytest.raises(RegistryError, match="which no model here has"):
        persistence.parse(rezip(data, plant))


def test_an_array_of_objects_is_never_unpickled(data):
    buffer = io.BytesIO()
    np.save(buffer, np.array([{}], dtype=object), allow_pickle=True)
    planted = rezip(data, lambda m: m.update({"000.npy": buffer.getvalue()}))
    with pytest.raises(RegistryError, match="cannot be read"):
        persistence.parse(planted)


def test_a_deep_schema_is_refused(data):
    deep = rezip(data, lambda m: m.update({"schema.json": b"[" * 200_000}))
    with pytest.raises(RegistryError):
        persistence.parse(deep)


def test_an_estimator_that_is_no_pipeline_is_refused(pipeline):
    scaler = pipeline["prepare"].named_transformers_["numeric"]["scale"]
    with pytest.raises(RegistryError, match="does not hold a pipeline"):
        persistence.parse(skops.io.dumps(scaler))


def plant_name(data: bytes, name: str) -> bytes:
    def plant(members):
        schema = json.loads(members["schema.json"])
        node = schema["content"]["content"]["mesh_facts_"]
        facts = json.loads(json.loads(node["content"]))
        node["content"] = json.dumps(json.dumps({**facts, "algorithm": name}))
        members["schema.json"] = json.dumps(schema)

    return rezip(data, plant)


def test_a_file_may_only_hold_the_types_of_the_algorithm_that_it_names(data):
    for name in ("kmeans", "nobody", "__class__"):
        with pytest.raises(RegistryError, match="LogisticRegression"):
            persistence.parse(plant_name(data, name))
