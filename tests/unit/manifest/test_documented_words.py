"""docs/studies.md has every word of a study, and every study in docs is one."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel

from fl_plugin.manifest.study_contract import StudyContract
from fl_plugin.vertical.installed import find_described

DOCS = Path(__file__).parents[3] / "docs"
WHOLE = {
    "consumer": "ml_coe",
    "purpose": "credit_risk",
    "mode": "horizontal",
    "algorithm": {"name": "ridge"},
    "features": ["a"],
}


def words(block: type[BaseModel]) -> Iterator[str]:
    for name, field in block.model_fields.items():
        yield name
        for part in (field.annotation, *get_args(field.annotation)):
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from words(part)


def snippets() -> list[Any]:
    pages = [*(DOCS / "algorithms").glob("*.md"), DOCS / "studies.md"]
    pages += [DOCS / "preparation.md", DOCS / "differential-privacy.md"]
    return [
        pytest.param(text, id=f"{page.stem}-{place}")
        for page in sorted(pages)
        for place, text in enumerate(
            re.findall(r"```yaml\n(.*?)```", page.read_text(), flags=re.DOTALL)
        )
    ]


def test_every_word_of_a_study_is_documented():
    pages = [DOCS / "studies.md", DOCS / "preparation.md"]
    told = " ".join(page.read_text() for page in pages)
    plain = re.sub(r"```.*?```", "", told, flags=re.DOTALL)
    named = set(re.findall(r"[a-z_]+", " ".join(re.findall(r"`[^`]+`", plain))))
    headings = set(re.findall(r"^## (\w+)$", plain, flags=re.MULTILINE))
    # `name` and `parameters` are how an algorithm's choice is written.
    wanted = set(words(StudyContract))
    assert len(wanted) > 30
    assert wanted - {"name"} <= named | headings


@pytest.mark.parametrize("text", snippets())
def test_every_study_in_the_documentation_is_one(text):
    block = yaml.safe_load(text)
    study = StudyContract.model_validate_json(json.dumps({**WHOLE, **block}))
    algorithm = find_described(study.algorithm.name)
    algorithm.of(study.algorithm.parameters)
    assert study.mode == algorithm.partitioning
