"""The decision is replaced, and every other byte of the file stays."""

import re

import pytest
import yaml

from fl_plugin.access.decision_text import with_decision
from fl_plugin.errors import ContractError

APPROVED = {
    "status": "approved",
    "by": ("steward@bank.example", "risk@bank.example"),
    "at": "2026-11-21",
    "expires": "2027-02-19",
    "policy": "sha256:" + "0" * 64,
}
SIGNED = APPROVED | {
    "signatures": {"steward@bank.example": "ed25519:" + "A" * 86 + "=="}
}
LINE = re.compile(r"[^\n]*\n")
REJECTED = {"status": "rejected", "by": ("steward@bank.example",), "at": "2026-11-21"}
BLOCK = """\
# Who may use our data.
exposures:
  - name: other  # keep
    type: ml
    config: {meta: {mesh: {request: {study: x}, decision: {status: approved}}}}

  - name: mine
    config:
      meta:
        mesh:
          request:
            study: credit_risk   # the study
            days: 90
          decision:
            # asked by telephone
            status: requested  # not yet
            by: []   # nobody
            expires: null
            policy: null  # none yet
    # the end of mine
  - name: last
    type: ml
"""
SHAPES = {
    "block": BLOCK,
    "block, Windows": BLOCK.replace("\n", "\r\n"),
    "block, with a mark": "\ufeff" + BLOCK,
    "block, at the end": BLOCK[: BLOCK.index("    # the end")],
    "block, no last line end": BLOCK[: BLOCK.index("\n    # the end")],
    "a list over lines": BLOCK.replace(
        "by: []   # nobody", "by:\n              - steward@bank.example\n"
    ),
    "a flow decision": BLOCK[: BLOCK.index("decision:\n")]
    + "decision: {status: requested}  # waits\n",
    "a flow over lines": BLOCK[: BLOCK.index("decision:\n")]
    + "decision: {\n              status: requested,  # waits\n            }\n",
    "an empty decision": BLOCK[: BLOCK.index("decision:\n")] + "decision: {}\n",
    "no decision": BLOCK[: BLOCK.index("          decision:\n")],
    "no decision, more behind": BLOCK[: BLOCK.index("          decision:\n")]
    + "    type: ml\n",
    "a flow grant": "exposures:\n  - name: other\n  - {name: mine, config: {meta: "
    "{mesh: {request: {study: x}}}}}\n",
    "meta alone": "exposures:\n  - name: other\n  - name: mine\n    meta:\n"
    "      mesh:\n        request: {study: x}\n        decision: {status: requested}\n",
    "a quoted word": BLOCK.replace("decision:\n", '"decis\\x69on":\n'),
}


def mesh_of(text):
    exposure = yaml.safe_load(text)["exposures"][1]
    meta = exposure.get("config", exposure)["meta"]
    return meta["mesh"]


def without_decision(text):
    content = yaml.safe_load(text)
    mesh_of_content = content["exposures"][1]
    meta = mesh_of_content.get("config", mesh_of_content)["meta"]
    meta["mesh"].pop("decision", None)
    return content


@pytest.mark.parametrize("decision", [APPROVED, SIGNED, REJECTED])
@pytest.mark.parametrize("shape", SHAPES)
def test_nothing_but_the_decision_changes(shape, decision):
    before = SHAPES[shape]
    after = with_decision(before, 1, decision, "Because.")
    plain = {k: list(v) if isinstance(v, tuple) else v for k, v in decision.items()}
    assert mesh_of(after)["decision"] == plain
    assert without_decision(after) == without_decision(before)


@pytest.mark.parametrize("decision", [APPROVED, SIGNED, REJECTED])
@pytest.mark.parametrize("shape", [s for s in SHAPES if s.startswith("block")])
def test_comments_and_other_lines_stay_where_they_are(shape, decision):
    before, after = SHAPES[shape], with_decision(SHAPES[shape], 1, decision)
    edited = ("status: requested", "by: []", "expires: null", "policy: null")
    kept = [line for line in before.splitlines() if not any(e in line for e in edited)]
    lines = iter(after.splitlines())
    assert all(line in lines for line in kept)
    for comment in ("# asked by telephone", "# not yet", "# nobody", "# none yet"):
        assert after.count(comment) == 1
    ends = {"\r\n" if line.endswith("\r\n") else "\n" for line in LINE.findall(after)}
    assert ends == {"\r\n" if "\r\n" in before else "\n"}
    assert "\r" not in after.replace("\r\n", "")


def test_what_was_written_can_be_replaced_again():
    text = with_decision(BLOCK, 1, SIGNED)
    assert with_decision(text, 1, SIGNED) == text
    back = with_decision(text, 1, {"status": "requested"})
    assert mesh_of(back)["decision"] == {"status": "requested"}


def test_a_comment_stands_above_the_decision_with_its_indent():
    text = with_decision(BLOCK, 1, REJECTED, "Rejected: no")
    assert "\n          # Rejected: no\n          decision:\n" in text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "exposures: []",
        "exposures: {}",
        "- x",
        "exposures:\n  - a\n  - b\n",
        "exposures:\n  - name: a\n  - name: b\n    config: {meta: {mesh: 1}}\n",
        "exposures:\n  - name: a\n  - {config: {meta: {mesh: {decision: 1}}}}\n",
        "exposures:\n  - x\n  - {config: {meta: {mesh: {request: 1, decision: 1}}}}\n",
        "exposures: [",
        "[" * 5000,
    ],
)
def test_what_cannot_be_edited_is_said(text):
    with pytest.raises(ContractError, match="cannot be written"):
        with_decision(text, 1, APPROVED)
