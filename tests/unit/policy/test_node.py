"""What a domain pins for itself."""

from pathlib import Path

import pytest

from fl_plugin.errors import ContractError
from fl_plugin.policy.node import load_node

NODE = """
domain: consumer_banking
database: data/consumer_banking.duckdb
consumers:
  ml_coe: {org_unit: [ml_coe]}
algorithms:
  logistic_regression: {l2: [0.0001, 10000], max_rounds: [1, 100]}
"""


def written(folder: Path, text: str) -> Path:
    (folder / "node.yml").write_text(text)
    return folder


def test_a_node_pins_consumers_and_algorithms(tmp_path):
    node = load_node(written(tmp_path, NODE))
    assert node.domain == "consumer_banking"
    assert node.consumers == {"ml_coe": {"org_unit": ("ml_coe",)}}
    ranges = node.algorithms["logistic_regression"]
    assert ranges != "any"
    assert ranges["max_rounds"] == (1, 100)


def test_a_node_asks_for_masks_unless_it_says_otherwise(tmp_path):
    assert load_node(written(tmp_path, NODE)).secure_aggregation == "required"
    loose = NODE + "secure_aggregation: optional\n"
    assert load_node(written(tmp_path, loose)).secure_aggregation == "optional"


@pytest.mark.parametrize(
    "line",
    [
        "domain: ../up",
        "domain: 3",
        "database: /etc/passwd",
        "database: ../other/data/other.duckdb",
        "database: data/../../other.duckdb",
        "database: data/other.sqlite",
        "database: ''",
        "consumers: [ml_coe]",
        "consumers: {ml_coe: {org_unit: ml_coe}}",
        "consumers: {ml_coe: {org_unit: []}}",
        "algorithms: {logistic_regression: {l2: [2, 1]}}",
        "algorithms: {logistic_regression: {l2: [1]}}",
        "algorithms: {logistic_regression: {l2: [.nan, 1]}}",
        "algorithms: {logistic_regression: {l2: 1}}",
        "secure_aggregation: never",
        "consumer: {}",
    ],
)
def test_a_wrong_setting_is_refused(tmp_path, line):
    word = line.partition(":")[0]
    named = {
        "domain": "domain: consumer_banking",
        "database": "database: data/consumer_banking.duckdb",
    }
    kept = [text for name, text in named.items() if name != word]
    with pytest.raises(ContractError) as caught:
        load_node(written(tmp_path, "\n".join([*kept, line])))
    assert "node.yml" in caught.value.problem


def test_a_database_behind_a_link_to_elsewhere_is_refused(tmp_path):
    folder = tmp_path / "domain"
    folder.mkdir()
    (tmp_path / "elsewhere").mkdir()
    (folder / "data").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ContractError):
        load_node(written(folder, NODE))


def test_a_missing_file_is_told_by_name(tmp_path):
    with pytest.raises(ContractError, match=r"node\.yml does not exist"):
        load_node(tmp_path)
