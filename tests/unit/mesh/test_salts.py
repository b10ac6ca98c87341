"""The salt that domains share: who gets it, and what is refused."""

import stat

import pytest

from fl_plugin.errors import StorageError, UsageError
from fl_plugin.mesh.salts import give_salt, new_salt, read_salt, write_salt

SALT = "matching.salt"


@pytest.fixture
def root(tmp_path):
    for domain in ("bank", "shop"):
        folder = tmp_path / "domains" / domain
        folder.mkdir(parents=True)
        (folder / "node.yml").write_text("domain: x\n")
    (tmp_path / "node.yml").write_text("outside\n")
    return tmp_path


def test_each_named_domain_gets_the_same_salt_for_its_owner_only(root):
    made = new_salt()
    files = give_salt(root, ["bank", "shop", "bank"], made)
    assert files == tuple(root / "domains" / d / SALT for d in ("bank", "shop"))
    assert {read_salt(file) for file in files} == {made}
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


@pytest.mark.parametrize("name", ["x" * 300, "x" * 100_000, "..", "../..", "", "a\0b"])
def test_no_name_becomes_a_path_before_it_is_known(root, name):
    with pytest.raises(UsageError, match="no domain") as caught:
        give_salt(root, ["bank", name], new_salt())
    assert len(caught.value.problem) < 120
    assert not list(root.rglob(SALT))


def test_a_salt_is_never_replaced_and_nobody_gets_one_then(root):
    give_salt(root, ["shop"], new_salt())
    with pytest.raises(UsageError, match="shop has a salt already"):
        give_salt(root, ["bank", "shop"], new_salt())
    assert not (root / "domains" / "bank" / SALT).exists()
    with pytest.raises(UsageError, match="a salt already"):
        write_salt(root / "domains" / "shop" / SALT, new_salt())


def test_a_file_that_cannot_be_written_is_told(tmp_path):
    with pytest.raises(StorageError, match="cannot be written") as caught:
        write_salt(tmp_path / ("x" * 300), new_salt())
    assert len(caught.value.problem) < 120


def test_what_holds_no_salt_is_refused(tmp_path):
    short = tmp_path / "short.salt"
    short.write_bytes(b"x" * 31 + b" ")
    for file in (short, tmp_path / "none"):
        with pytest.raises(UsageError, match="holds no salt"):
            read_salt(file)
