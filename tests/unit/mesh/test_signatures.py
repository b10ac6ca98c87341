"""A domain signs its contract and its ledger's head, and both can be checked."""

import json
from pathlib import Path
from typing import Any

import pytest

from fl_plugin import Mesh
from fl_plugin.cli.main import main
from fl_plugin.errors import ContractError, LedgerError, PolicyError
from fl_plugin.policy.principals import principals_digest
from fl_plugin.signing.keys import SigningKey, create_key, load_key

DOMAIN, PRODUCT = "consumer_banking", "consumer_banking.credit_profile"


def pinned(root: Path, key: SigningKey, require: str = "contracts") -> None:
    """Name the key, pin the file and require signatures."""
    file = root / "principals.yml"
    text = file.read_text() + f'domains:\n  {DOMAIN}: {{key: "{key.public}"}}\n'
    before = principals_digest(root)
    file.write_text(text)
    for node in root.glob("domains/*/node.yml"):
        kept = node.read_text().replace(before, principals_digest(root))
        extra = (
            f"require_signatures: [{require}]\n" if node.parent.name == DOMAIN else ""
        )
        node.write_text(kept + extra)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    create_key(tmp_path / "domain.pem")
    return tmp_path / "domain.pem"


def refused(mesh: Mesh) -> dict[str, str]:
    plan = mesh.plan("credit_risk")
    return {d.domain: d.refusal.reason for d in plan.refusals if d.refusal}


def test_an_unsigned_contract_stops_and_a_signed_one_goes_on(
    mesh_folder: Path, key: Path, tmp_path: Path
) -> None:
    mesh = Mesh.open(mesh_folder)
    pinned(mesh_folder, load_key(key))
    assert refused(mesh) == {DOMAIN: "contract.unsigned"}
    words = ["contract", "sign", PRODUCT, "--key", str(key)]
    assert main([*words, "--project", str(mesh_folder)]) == 0
    assert refused(mesh) == {}


def test_a_key_that_nobody_has_pinned_signs_nothing(
    mesh_folder: Path, key: Path
) -> None:
    with pytest.raises(ContractError, match="names another key"):
        Mesh.open(mesh_folder).signatures.sign_contract(PRODUCT, key)
    assert not (mesh_folder / "domains" / DOMAIN / "signatures.yml").exists()


@pytest.fixture
def begun(mesh_folder: Path, key: Path) -> Mesh:
    """A mesh whose ledgers have a few records, with the domain's key pinned."""
    pinned(mesh_folder, load_key(key), require="")
    mesh = Mesh.open(mesh_folder)
    for _ in range(3):
        mesh.plan("credit_risk")
    return mesh


def kept(begun: Mesh, key: Path, file: Path, **change: Any) -> Path:
    head = begun.signatures.sign_head(DOMAIN, key).model_dump(mode="json")
    file.write_text(json.dumps(head | change))
    return file


def verified(begun: Mesh, file: Path) -> int:
    words = ["audit", "verify", "--head", str(file)]
    return main([*words, "--project", str(begun.root)])


def test_a_signed_head_agrees_with_its_ledger(
    begun: Mesh, key: Path, tmp_path: Path
) -> None:
    file = kept(begun, key, tmp_path / "head.json")
    begun.plan("credit_risk")
    assert verified(begun, file) == 0


def test_a_signed_head_shows_a_ledger_that_was_begun_anew(
    begun: Mesh, key: Path, tmp_path: Path
) -> None:
    file = kept(begun, key, tmp_path / "head.json")
    for part in (begun.root / "domains" / DOMAIN / "ledger").iterdir():
        part.unlink()
    begun.plan("credit_risk")
    assert verified(begun, file) == 7


@pytest.mark.parametrize(
    "change",
    [{"sequence": 1}, {"hash": "0" * 64}, {"domain": "auto_finance"}, {"more": 1}],
)
def test_a_head_that_was_altered_is_refused(
    begun: Mesh, key: Path, tmp_path: Path, change: dict[str, Any]
) -> None:
    file = kept(begun, key, tmp_path / "head.json", **change)
    with pytest.raises(LedgerError):
        begun.signatures.read_head(file)
    assert verified(begun, file) == 7


def test_a_head_signed_with_another_key_is_refused(begun: Mesh, tmp_path: Path) -> None:
    create_key(tmp_path / "other.pem")
    file = kept(begun, tmp_path / "other.pem", tmp_path / "head.json")
    assert verified(begun, file) == 7


@pytest.mark.parametrize("content", ["", "[]", "{", "[" * 5000, "null"])
def test_what_is_no_head_is_refused(begun: Mesh, tmp_path: Path, content: str) -> None:
    (tmp_path / "head.json").write_text(content)
    assert verified(begun, tmp_path / "head.json") == 7


def test_the_program_prints_a_head_that_it_accepts(
    begun: Mesh, key: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["audit", "head", DOMAIN, "--key", str(key), "--project", str(begun.root)]
    assert main(words) == 0
    (tmp_path / "head.json").write_text(capsys.readouterr().out)
    assert verified(begun, tmp_path / "head.json") == 0


def test_unsigned_training_is_refused_before_a_row_is_opened(
    mesh_folder: Path, key: Path
) -> None:
    pinned(mesh_folder, load_key(key))
    with pytest.raises(PolicyError, match="is not signed by its domain"):
        Mesh.open(mesh_folder).train("credit_risk")
