"""A model folder is there whole or not at all, and no altered byte is believed."""

import dataclasses
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from fl_plugin.errors import RegistryError, StorageError
from fl_plugin.model.canonical import pipeline_digest
from fl_plugin.model.pipeline import build_pipeline
from fl_plugin.registry.store import list_models, open_model, publish, reserve

FILES = ["card.md", "digests.json", "model.skops", "report.html", "run.json"]


@pytest.fixture
def keep(spec, record):
    """Publish the next version of a study and return its entry."""

    def publish_one(root, study="credit_risk", **changes):
        with reserve(root, study) as slot:
            run = dataclasses.replace(
                record, **{"study": study, "version": slot.version, **changes}
            )
            return publish(slot, build_pipeline(spec), run, card="# c", report="<p>r")

    return publish_one


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_published_version_is_whole_and_comes_back(tmp_path, keep, record):
    entry = keep(tmp_path / "registry")
    assert entry.path == tmp_path / "registry" / "credit_risk" / "v1"
    assert names_in(entry.path) == FILES
    back = open_model(tmp_path / "registry", "credit_risk")
    assert back == entry
    assert pipeline_digest(back.estimator()) == record.model_digest
    assert back.report.read_text() == "<p>r"
    assert back.card.read_text() == "# c"


def test_versions_count_up_and_the_latest_is_the_default(tmp_path, keep):
    for _ in range(3):
        keep(tmp_path)
    assert open_model(tmp_path, "credit_risk").version == 3
    assert open_model(tmp_path, "credit_risk", 2).version == 2


def test_a_version_below_the_latest_is_never_given_again(tmp_path, keep):
    keep(tmp_path)
    second = keep(tmp_path)
    shutil.rmtree(tmp_path / "credit_risk" / "v1")
    assert second.version == 2
    assert keep(tmp_path).version == 3


@pytest.mark.parametrize("name", FILES)
def test_any_flipped_byte_of_any_file_is_found_and_named(tmp_path, keep, name):
    entry = keep(tmp_path)
    path = entry.path / name
    data = path.read_bytes()
    for place in range(0, len(data), max(1, len(data) // 300)):
        path.write_bytes(data[:place] + bytes([data[place] ^ 4]) + data[place + 1 :])
        with pytest.raises(RegistryError, match=r"credit_risk/v1/[a-z.]+ ") as caught:
            open_model(tmp_path, "credit_risk")
        if name != "digests.json":
            assert f"credit_risk/v1/{name} " in caught.value.problem
    path.write_bytes(data)
    assert open_model(tmp_path, "credit_risk") == entry


@pytest.mark.parametrize("name", FILES)
def test_a_missing_or_linked_file_is_named(tmp_path, keep, name):
    path = keep(tmp_path).path / name
    moved = tmp_path / "elsewhere"
    path.rename(moved)
    with pytest.raises(RegistryError, match=f"v1/{name} .*missing"):
        open_model(tmp_path, "credit_risk")
    path.symlink_to(moved)
    with pytest.raises(RegistryError, match=f"v1/{name} .*not a regular file"):
        open_model(tmp_path, "credit_risk")


def test_a_model_that_is_changed_after_it_was_opened_is_not_read(tmp_path, keep):
    entry = keep(tmp_path)
    (entry.path / "model.skops").write_bytes(b"other")
    with pytest.raises(RegistryError, match="registered"):
        entry.estimator()


def test_a_folder_that_is_copied_to_another_name_is_refused(tmp_path, keep):
    path = keep(tmp_path).path
    shutil.copytree(path, tmp_path / "credit_risk" / "v7")
    with pytest.raises(RegistryError, match="another study or version"):
        open_model(tmp_path, "credit_risk")


def test_a_record_of_another_model_is_not_published(tmp_path, keep):
    with pytest.raises(RegistryError, match="another model's digest"):
        keep(tmp_path, model_digest="sha256:" + "0" * 64)
    with pytest.raises(RegistryError, match="another study or version"):
        keep(tmp_path, version=9)
    assert names_in(tmp_path / "credit_risk") == [".lock"]


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../x",
        "/etc",
        "a/b",
        "a\\b",
        "a\x00b",
        "CON",
        "Credit",
        "x" * 65,
        "a b",
        "a\n",
        "cr\u00e9dit",
        "\u0430pple",  # a Cyrillic letter that looks Latin
        "v1.",
        "~",
        ".lock",
    ],
)
def test_a_name_that_is_no_plain_name_is_refused_everywhere(tmp_path, name):
    for ask in (open_model, list_models, lambda *a: reserve(*a).__enter__()):
        with pytest.raises(RegistryError, match="1 to 64 of a-z"):
            ask(tmp_path, name)
    assert names_in(tmp_path) == []


def test_a_study_or_version_that_is_a_link_is_not_followed(tmp_path, keep):
    keep(tmp_path / "other")
    root = tmp_path / "registry"
    root.mkdir()
    (root / "credit_risk").symlink_to(tmp_path / "other" / "credit_risk")
    with pytest.raises(RegistryError, match="is a link"):
        open_model(root, "credit_risk")
    keep(root, study="fraud")
    (root / "fraud" / "v2").symlink_to(root / "fraud" / "v1")
    with pytest.raises(RegistryError, match="is a link"):
        open_model(root, "fraud", 2)


def test_what_is_not_there_is_said_with_what_is(tmp_path, keep):
    with pytest.raises(RegistryError, match="no model of credit_risk") as caught:
        open_model(tmp_path, "credit_risk")
    assert "train credit_risk" in caught.value.remedy
    keep(tmp_path)
    with pytest.raises(RegistryError, match="no v5 of credit_risk") as caught:
        open_model(tmp_path, "credit_risk", 5)
    assert "v1" in caught.value.remedy


def test_one_damaged_folder_hides_no_other(tmp_path, keep):
    keep(tmp_path, study="alpha")
    keep(tmp_path, study="beta")
    keep(tmp_path, study="beta")
    (tmp_path / "beta" / "v2" / "run.json").write_bytes(b"{}")
    (tmp_path / "beta" / "notes.txt").write_text("mine")
    (tmp_path / "README").write_text("mine")
    found = list_models(tmp_path)
    assert [(e.study, e.version) for e in found.entries] == [("alpha", 1), ("beta", 1)]
    assert list(found.problems) == ["beta/v2"]
    assert [e.study for e in list_models(tmp_path, "alpha").entries] == ["alpha"]


def test_an_absent_registry_is_an_empty_one(tmp_path):
    assert list_models(tmp_path / "registry").entries == ()
    assert not (tmp_path / "registry").exists()


@pytest.mark.parametrize("at", range(8))
def test_a_disk_that_fails_at_any_step_leaves_no_half(tmp_path, keep, monkeypatch, at):
    keep(tmp_path)
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    calls = iter(range(99))
    real = os.fsync

    def failing(handle):
        if next(calls) == at:
            raise OSError(28, "No space left on device")
        real(handle)

    # Five files and the draft folder are flushed, then the parent of the renamed.
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing)
        if at <= 6:
            with pytest.raises(StorageError, match="No space left"):
                keep(tmp_path)
        else:
            keep(tmp_path)
    whole = [".lock", "v1"] if at < 6 else [".lock", "v1", "v2"]
    assert names_in(tmp_path / "credit_risk") == whole
    assert all(path.read_bytes() == data for path, data in before.items())
    assert not list_models(tmp_path).problems


def test_every_file_is_flushed_before_the_rename(tmp_path, keep, monkeypatch):
    events = []
    real_sync, real_rename = os.fsync, Path.rename

    def sync(handle):
        events.append("flush")
        real_sync(handle)

    def rename(self, target):
        events.append("rename")
        return real_rename(self, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(Path, "rename", rename)
    keep(tmp_path)
    assert events == ["flush"] * 6 + ["rename", "flush"]


def test_what_a_killed_writer_left_is_removed_by_the_next(tmp_path, keep):
    keep(tmp_path)
    draft = tmp_path / "credit_risk" / ".v2.draft"
    draft.mkdir()
    (draft / "run.json").write_text("half")
    assert [e.version for e in list_models(tmp_path).entries] == [1]
    assert keep(tmp_path).version == 2
    assert names_in(tmp_path / "credit_risk") == [".lock", "v1", "v2"]


def test_a_second_writer_waits_and_then_says_so(tmp_path):
    code = textwrap.dedent("""
        import sys
        from pathlib import Path
        from fl_plugin.errors import RegistryError
        from fl_plugin.registry.reservation import reserve
        try:
            with reserve(Path(sys.argv[1]), "credit_risk", patience=0.2):
                print("held")
        except RegistryError as error:
            print(error.problem)
    """)
    command = [sys.executable, "-c", code, str(tmp_path)]
    with reserve(tmp_path, "credit_risk"):
        told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert told.stdout == "Another process is registering a model of credit_risk.\n"
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert told.stdout == "held\n"


def test_a_registry_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "registry").write_text("a file where the folder should be")
    with pytest.raises(StorageError, match="credit_risk cannot be written"):
        reserve(tmp_path / "registry", "credit_risk").__enter__()
