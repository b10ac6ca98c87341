"""What may stand in notifications.yml."""

import pytest

from fl_plugin.changes.subscribers import FILE, read_secret, read_subscribers
from fl_plugin.errors import ContractError

HOOK = "https://hooks.bank.example/mesh"
FROM_ENVIRONMENT = {"secret": "{env: ML_COE_HOOK}"}
FROM_FILE = {"secret": "{file: keys/hook.secret}"}


def read(folder, text):
    (folder / FILE).write_text(text)
    return read_subscribers(folder)


def one(folder, **words):
    """Return the one subscriber of a file with these words."""
    lines = [f"    {name}: {value}" for name, value in ({"url": HOOK} | words).items()]
    return read(folder, "subscribers:\n  ml_coe:\n" + "\n".join(lines))["ml_coe"]


def test_a_domain_without_the_file_tells_nobody(tmp_path):
    assert read_subscribers(tmp_path) == {}


def test_everything_but_the_url_may_be_left_out(tmp_path):
    found = one(tmp_path)
    assert found.target.host == "hooks.bank.example"
    assert (found.target.port, found.target.path) == (443, "/mesh")


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.bank.example",
        "https://hooks.bank.example:8443/a?b=c",
        "https://[2001:db8::1]/a",
        "http://127.0.0.1:8080/",
        "http://localhost:8080/",
        "http://[::1]:8080/",
        "http://127.9.9.9/",
    ],
)
def test_https_anywhere_and_http_to_this_machine(tmp_path, url):
    assert one(tmp_path, url=f'"{url}"').target.path.startswith("/")


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.bank.example/",
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.1.bank.example/",
        "http://localhost.bank.example/",
        "http://0.0.0.0/",
        "http://2130706433/",
        "http://0x7f000001/",
        "https://user:secret@bank.example/",
        "https://user@bank.example/",
        "https://bank.example/#a",
        "https://bank.example:0/",
        "https://bank.example:99999/",
        "https://bank.example:x/",
        "https:///mesh",
        "https://",
        "ftp://bank.example/",
        "file:///etc/passwd",
        "gopher://bank.example/",
        "//bank.example/",
        "bank.example",
        "",
        "https://bank.example/a b",
        "https://bank.example/\\r\\nX: y",
        "https://b\u00e4nk.example/",
        "https://bank.example\\\\@evil.example/",
        "https://[::1",
        "https://" + "a" * 3000 + ".example/",
    ],
)
def test_no_other_url(tmp_path, url):
    with pytest.raises(ContractError) as caught:
        one(tmp_path, url=f'"{url}"')
    assert "secret@" not in caught.value.problem


@pytest.mark.parametrize(
    "words",
    [
        {"kinds": "[schema.broken]"},
        {"kinds": "schema.breaking"},
        {"secret": "abcdefghijklmnopqrst"},
        {"secret": "{}"},
        {"secret": "{env: A, file: b}"},
        {"secret": "{env: lower}"},
        {"secret": "{file: /etc/passwd}"},
        {"timeout_seconds": "0"},
        {"timeout_seconds": "61"},
        {"timeout_seconds": ".nan"},
        {"attempts": "0"},
        {"attempts": "11"},
        {"give_up_after": "0"},
        {"proxy": "http://bank.example"},
        {"headers": "{a: b}"},
        {"since": "yesterday"},
    ],
)
def test_a_word_that_is_wrong_or_unknown_is_an_error(tmp_path, words):
    with pytest.raises(ContractError):
        one(tmp_path, **words)


@pytest.mark.parametrize(
    "text", ["subscribers: []", "a: 1", "subscribers: {A b: {url: x}}", "[]"]
)
def test_a_file_of_another_form_is_an_error(tmp_path, text):
    with pytest.raises(ContractError):
        read(tmp_path, text)


def test_a_secret_comes_from_the_environment(tmp_path, monkeypatch):
    found = one(tmp_path, **FROM_ENVIRONMENT)
    monkeypatch.setenv("ML_COE_HOOK", "0123456789abcdef\n")
    assert read_secret(found, "ml_coe", tmp_path) == b"0123456789abcdef"


def test_a_secret_comes_from_a_file_that_only_its_owner_reads(tmp_path):
    found = one(tmp_path, **FROM_FILE)
    (tmp_path / "keys").mkdir()
    path = tmp_path / "keys" / "hook.secret"
    path.write_text("0123456789abcdef\n")
    path.chmod(0o644)
    with pytest.raises(ContractError, match="others may read"):
        read_secret(found, "ml_coe", tmp_path)
    path.chmod(0o600)
    assert read_secret(found, "ml_coe", tmp_path) == b"0123456789abcdef"


@pytest.mark.parametrize("value", ["", "short", "   "])
def test_nothing_is_sent_unsigned_in_place_of_signed(tmp_path, monkeypatch, value):
    found = one(tmp_path, **FROM_ENVIRONMENT)
    monkeypatch.setenv("ML_COE_HOOK", value)
    with pytest.raises(ContractError, match="secret is missing") as caught:
        read_secret(found, "ml_coe", tmp_path)
    assert "ML_COE_HOOK" in caught.value.remedy


def test_a_secret_outside_the_domain_is_refused(tmp_path):
    folder = tmp_path / "lending"
    folder.mkdir()
    (tmp_path / "other.secret").write_text("0123456789abcdef")
    (folder / "link").symlink_to(tmp_path / "other.secret")
    for name in ("a/../../other.secret", "link"):
        found = one(folder, secret=f"{{file: {name}}}")
        with pytest.raises(ContractError, match="outside"):
            read_secret(found, "ml_coe", folder)
