"""The verbs of `fl access`: what they are given, print and end with."""

import json
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from fl_plugin.access.checking import Broken, Checked
from fl_plugin.access.deciding import Decided
from fl_plugin.access.pinning import Pinned
from fl_plugin.access.standing import Standing
from fl_plugin.errors import PolicyError, UsageError

STEWARD = "steward@bank.example"
NAMES = ("lending", "g_x", "--by", STEWARD)
DECIDED = Decided(
    action="approve",
    domain="lending",
    grant="g_x",
    status="requested",
    file="domains/lending/models/grants/g_x.yml",
    by=(STEWARD,),
    needed=2,
    expires=date(2027, 1, 1),
    policy="sha256:" + "0" * 64,
    recorded=True,
)
LIVE = Standing(
    domain="lending",
    grant="g_live",
    state="live",
    says="live until 2027-01-01",
    study="credit_risk",
    approved_by=(STEWARD, "risk@bank.example"),
    days_left=20,
)
ASKED = Standing(
    domain="lending",
    grant="g_asked",
    state="requested",
    says="waits for 2 stewards",
    next="fl access approve lending g_asked --by STEWARD",
)
BROKEN = Broken(
    domain="lending",
    grant="g_x",
    file="f.yml",
    reason="grant.approvers",
    sentence="The grant g_x needs 2 approvers.",
    remedy="Ask somebody.",
)


@pytest.fixture
def area(mesh, monkeypatch):
    """What the mesh answers, and what it was asked."""
    calls = []
    answers: dict[str, Any] = {}

    def verb_called(name):
        def answer(*words, **named):
            calls.append((name, words, named))
            found = answers[name]
            if isinstance(found, Exception):
                raise found
            return found

        return answer

    deciding = ("approve", "confirm", "reject", "revoke")
    verbs = ("request", "explore", *deciding, "list", "check", "pin")
    area = SimpleNamespace(**{v: verb_called(v) for v in verbs})
    area.calls, area.answers = calls, answers
    monkeypatch.setattr(type(mesh), "access", area, raising=False)
    return area


def test_a_first_approval_says_what_comes_next(fl, area):
    area.answers["approve"] = DECIDED
    done = fl("access", "approve", *NAMES, "--days", "30")
    assert done.code == 0
    assert "status\tone more approval" in done.out
    assert "1 of 2 stewards have approved." in done.out
    assert "fl access approve lending g_x --by ANOTHER_STEWARD" in done.out
    ((_, words, _),) = area.calls
    assert words[:2] == ("lending", "g_x")
    assert (words[2].by, words[2].key, words[3]) == (STEWARD, None, 30)


@pytest.mark.parametrize("verb", ["approve", "confirm", "reject", "revoke"])
def test_a_decision_is_one_object_for_programs(fl, area, verb):
    area.answers[verb] = DECIDED
    facts = fl("access", verb, *NAMES, "--json").json
    assert facts["status"] == "requested"
    assert facts["expires"] == "2027-01-01"
    assert facts["recorded"] is True


@pytest.mark.parametrize("verb", ["approve", "confirm", "reject", "revoke"])
def test_a_decision_needs_somebody_who_takes_it(fl, area, verb):
    done = fl("access", verb, "lending", "g_x")
    assert (done.code, area.calls) == (2, [])
    assert "--by" in done.err


def test_what_a_revocation_does_not_end_at_once_is_said(fl, area):
    area.answers["revoke"] = Decided(
        action="revoke",
        domain="lending",
        grant="g_x",
        status="revoked",
        file="f.yml",
        by=(STEWARD,),
    )
    done = fl("access", "revoke", *NAMES)
    assert "It ends with the next build." in done.out
    assert "ledger is on another machine" in done.out


def test_a_refused_approval_ends_with_3_and_its_reason(fl, area):
    area.answers["approve"] = PolicyError("No.", remedy="Ask.", reason="grant.x")
    done = fl("access", "approve", *NAMES, "--json")
    assert done.code == 3
    assert done.json["error"]["reason"] == "grant.x"


def test_a_key_is_read_and_a_missing_one_is_said(fl, area, tmp_path):
    file = str(tmp_path / "k.pem")
    public = fl("access", "keygen", file, "--json").json["public"]
    area.answers["confirm"] = DECIDED
    assert fl("access", "confirm", *NAMES, "--key", file).code == 0
    assert area.calls[-1][1][2].key.public == public
    assert fl("access", "confirm", *NAMES, "--key", file + "x").code == 6


def test_keygen_never_overwrites_and_never_prints_the_private_half(fl, tmp_path):
    file = tmp_path / "k.pem"
    done = fl("access", "keygen", str(file))
    assert 'key: "ed25519:' in done.out
    assert file.stat().st_mode & 0o777 == 0o600
    private = file.read_text().splitlines()[1]
    assert private not in done.out + done.err
    before = file.read_bytes()
    assert fl("access", "keygen", str(file)).code == 2
    assert file.read_bytes() == before


def test_the_list_shows_people_days_and_commands(fl, area):
    area.answers["list"] = (LIVE, ASKED)
    lines = fl("access", "list").out.splitlines()
    assert lines[0] == "domain\tgrant\tstate\tapproved by\tdays left"
    assert lines[1].endswith(f"{STEWARD}, risk@bank.example\t20")
    assert lines[-1] == "Next: fl access approve lending g_asked --by STEWARD"


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ((), ["g_live", "g_asked"]),
        (("--status", "requested"), ["g_asked"]),
        (("--status", "expired"), []),
        (("--expiring", "20"), ["g_live"]),
        (("--expiring", "19"), []),
    ],
)
def test_the_list_can_be_narrowed(fl, area, words, names):
    area.answers["list"] = (LIVE, ASKED)
    done = fl("access", "list", *words, "--json")
    assert [g["grant"] for g in done.json["grants"]] == names


def test_what_expires_soon_is_to_be_renewed(fl, area):
    area.answers["list"] = (LIVE,)
    out = fl("access", "list", "--expiring", "30").out
    assert "Next: fl access request credit_risk --renew --by ADDRESS" in out


def test_an_empty_list_is_said_beside_the_answer(fl, area):
    area.answers["list"] = ()
    done = fl("access", "list")
    assert (done.code, done.out, done.err) == (0, "", "No grant.\n")


def test_a_sound_mesh_ends_with_0(fl, area):
    area.answers["check"] = Checked(domains=("a", "b"), grants=3, broken=())
    done = fl("access", "check")
    assert (done.code, done.err) == (0, "")
    assert done.out == "3 grants of 2 domains looked at; none breaks a rule.\n"


def test_a_broken_grant_ends_with_3_after_every_sentence(fl, area):
    area.answers["check"] = Checked(domains=("a",), grants=2, broken=(BROKEN, BROKEN))
    done = fl("access", "check")
    assert done.code == 3
    assert done.out.count("The grant g_x needs 2 approvers.") == 2
    assert "And 1 more." in done.err
    assert json.loads(fl("access", "check", "--json").out)["ok"] is False


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--by", STEWARD), "Name a study"),
        (("--by", STEWARD, "--product", "a.b"), "--consumer, --purpose, --columns"),
        (("credit_risk", "--by", STEWARD, "--product", "a.b"), "--product belongs"),
        (("credit_risk",), "--by"),
        (("credit_risk", "--by", STEWARD, "--days", "0"), "--days"),
    ],
)
def test_half_a_request_is_not_made(fl, area, words, told):
    done = fl("access", "request", *words)
    assert (done.code, area.calls) == (2, [])
    assert told in done.err


def test_an_unknown_study_is_answered_with_the_nearest(fl, area):
    area.answers["request"] = UsageError("There is no study.", remedy="Look.")
    done = fl("access", "request", "credit_rsk", "--by", STEWARD)
    assert "Did you mean credit_risk?" in done.err


def test_a_pin_shows_the_change_and_what_was_not_found(fl, area):
    facts = {
        "domain": "lending",
        "file": "node.yml",
        "before": "sha256:a",
        "now": "sha256:b",
    }
    area.answers["pin"] = Pinned(**facts, known=False, changes=(), written=False)
    done = fl("access", "pin", "lending", "--dry-run")
    assert "not in git's history" in done.out
    assert "Nothing was written" in done.out
    assert area.calls[-1][2] == {"write": False}
