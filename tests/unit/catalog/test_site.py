import json
import stat
import sys
from pathlib import Path

import pytest

from fl_plugin.catalog import dbt_docs
from fl_plugin.catalog.dbt_docs import explained
from fl_plugin.catalog.enrich import Enriched
from fl_plugin.catalog.site import build_site, static_page
from fl_plugin.errors import BuildError, StorageError


def contents(folder):
    return {
        p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


def put_dbt(monkeypatch, folder, script):
    """Put a program called dbt first on the path, and none beside Python."""
    beside = folder / "bin"
    beside.mkdir()
    monkeypatch.setattr(sys, "executable", str(beside / "python"))
    if script is None:
        monkeypatch.setenv("PATH", str(beside))
        return
    dbt = beside / "dbt"
    dbt.write_text(f"#!/bin/sh\n{script}\n")
    dbt.chmod(dbt.stat().st_mode | stat.S_IXUSR)


def test_a_site_is_dbts_own_page_beside_enriched_copies(small):
    site = build_site(small.write(), run_dbt=False)
    root = small.root
    assert site.index.read_bytes() == (root / "target" / "index.html").read_bytes()
    copy = json.loads((site.folder / "manifest.json").read_text())
    assert "Who may use it" in str(copy)
    assert "Who may use it" in site.static.read_text()
    assert "Who may use it" not in (root / "target" / "manifest.json").read_text()
    assert (site.products, site.grants, site.studies) == (1, 1, 1)


def test_a_site_leaves_nothing_beside_its_four_files(small):
    site = build_site(small.write(), run_dbt=False)
    assert sorted(p.name for p in site.folder.iterdir()) == [
        "catalog.json",
        "index.html",
        "manifest.json",
        "static_index.html",
    ]


def test_no_text_ends_the_script_of_the_static_page_or_takes_its_place():
    copies = Enriched(
        manifest={"a": "</script><!--", "b": "CATALOG.JSON INLINE DATA"}, catalog={}
    )
    page = '<script>m="MANIFEST.JSON INLINE DATA",c="CATALOG.JSON INLINE DATA"</script>'
    written = static_page(page, copies)
    assert written.count("</script>") == 1
    assert "<!--" not in written
    assert '"b": "CATALOG.JSON INLINE DATA"' in written


def test_a_page_without_a_place_for_the_artifacts_is_an_error():
    with pytest.raises(BuildError, match="no place"):
        static_page("<html></html>", Enriched(manifest={}, catalog={}))


def test_without_artifacts_there_is_nothing_to_enrich(small):
    small.write()
    (small.root / "target" / "index.html").unlink()
    with pytest.raises(BuildError, match=r"index\.html") as caught:
        build_site(small.root, run_dbt=False)
    assert "fl catalog build" in caught.value.remedy


def test_without_dbt_the_remedy_installs_it(small, monkeypatch, tmp_path):
    put_dbt(monkeypatch, tmp_path, None)
    with pytest.raises(BuildError) as caught:
        build_site(small.write())
    assert "data-mesh-learning[dbt]" in caught.value.remedy


def test_a_failed_build_changes_neither_artifacts_nor_site(
    small, monkeypatch, tmp_path
):
    build_site(small.write(), run_dbt=False)
    before = contents(small.root / "target")
    # As dbt does it: an emptied catalog is written before the exit with 1.
    put_dbt(
        monkeypatch,
        tmp_path,
        'while [ "$1" != --target-path ]; do shift; done\n'
        'echo \'{"nodes": {}}\' > "$2/catalog.json"\n'
        'echo "IO Error: Could not set lock on file \\"/x/domains/lending/data/'
        'lending.duckdb\\": Conflicting lock is held"; exit 1',
    )
    with pytest.raises(StorageError, match="lending: its database file is locked"):
        build_site(small.root)
    assert contents(small.root / "target") == before


def test_a_catalog_without_tables_is_not_swapped_in(small, monkeypatch, tmp_path):
    build_site(small.write(), run_dbt=False)
    before = contents(small.root / "target")
    put_dbt(
        monkeypatch,
        tmp_path,
        'while [ "$1" != --target-path ]; do shift; done\n'
        'echo \'{"nodes": {}}\' > "$2/catalog.json"',
    )
    with pytest.raises(BuildError, match="without a single table"):
        build_site(small.root)
    assert contents(small.root / "target") == before


def test_what_dbt_wrote_is_swapped_in_and_enriched(small, monkeypatch, tmp_path):
    root = small.write()
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    for path in (root / "target").iterdir():
        path.rename(fresh / path.name)
    (root / "packages.yml").write_text("packages: []\n")
    put_dbt(
        monkeypatch,
        tmp_path,
        f'echo "$@" >> {tmp_path}/calls\n'
        '[ "$4" = deps ] && exit 0\n'
        'while [ "$1" != --target-path ]; do shift; done\n'
        f'cp {fresh}/* "$2/"; env > {tmp_path}/env',
    )
    site = build_site(root)
    calls = (tmp_path / "calls").read_text().splitlines()
    assert calls[0].endswith("deps")
    assert "docs generate" in calls[1]
    assert "DBT_SEND_ANONYMOUS_USAGE_STATS=false" in (tmp_path / "env").read_text()
    assert (root / "target" / "manifest.json").read_bytes() == (
        fresh / "manifest.json"
    ).read_bytes()
    assert site.products == 1


@pytest.mark.parametrize(
    ("said", "kind", "problem"),
    [
        (
            'Cannot open database "/x/domains/lending/data/lending.duckdb" in '
            "read-only mode: database does not exist",
            BuildError,
            "lending is not built.",
        ),
        (
            "The file domains/lending/data/lending.duckdb exists, but it is not a "
            "valid DuckDB database file!",
            StorageError,
            "lending: its database file is damaged, or no DuckDB file.",
        ),
        (
            "Encountered an error:\nParsing Error\n  Something {{ is }} wrong",
            BuildError,
            "dbt could not describe the mesh: Parsing Error Something ?? is",
        ),
    ],
)
def test_what_dbt_says_becomes_one_line_that_names_the_domain(said, kind, problem):
    error = explained(said, "cd x && dbt docs generate")
    assert type(error) is kind
    assert error.problem.startswith(problem)
    assert "\n" not in error.problem


def test_a_folder_that_cannot_be_written_is_a_storage_error(small, tmp_path):
    blocked = tmp_path / "blocked"
    blocked.write_text("a file")
    with pytest.raises(StorageError, match="cannot be written"):
        build_site(small.write(), blocked / "site", run_dbt=False)


def test_dbt_that_hangs_is_ended(small, monkeypatch, tmp_path):
    put_dbt(monkeypatch, tmp_path, "exec sleep 60")
    monkeypatch.setattr(dbt_docs, "_SECONDS", 0.2)
    with pytest.raises(BuildError, match="did not finish"):
        build_site(small.write())
    assert not list(Path(small.root / "target").glob(".docs-*"))
