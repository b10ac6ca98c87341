"""Whatever a text holds, it comes back from the file and steers no terminal."""

import unicodedata

import yaml
from hypothesis import given
from hypothesis import strategies as st

from fl_plugin.contracts.yaml_text import yaml_text


@given(text=st.text(), more=st.text())
def test_any_text_comes_back_from_the_file(text, more):
    value = {"description": text, "list": [more, {"a": text}], more: 1}
    written = yaml_text(value)
    assert yaml.safe_load(written) == value
    steering = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert not any(unicodedata.category(c) in steering for c in written if c != "\n")


def test_letters_of_all_languages_stay_readable():
    assert "Grömping 李 Ω" in yaml_text({"by": "Grömping 李 Ω"})
