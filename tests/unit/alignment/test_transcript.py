"""Nobody who looks at a matching's messages can test a key without all secrets."""

import hashlib
import hmac

import numpy as np
import pytest

from fl_plugin.alignment.blinding import secret_order
from fl_plugin.alignment.curve import is_on_curve, points
from fl_plugin.alignment.keys import normalise
from fl_plugin.alignment.ways import Blinding, Tags
from tests.matching import SALT, meet, terms_for

NAMES = [f"canary customer {i}" for i in range(60)]
HELD = {"d1": NAMES[:40], "d2": NAMES[20:], "d3": NAMES[10:50]}
WAYS = [{}, {"salted": True}, {"salted": True, "method": "keyed_hash"}]


def guesses(terms, salts=(b"",)):
    """All that somebody could compare who knows all keys, the run and these salts."""
    found = set()
    keys = [normalise({"k": [n]}, ["text"], min_cohort=1).values[0] for n in NAMES]
    texts = [n.encode() for n in NAMES]
    for raw in (*keys, *texts):
        found |= {hashlib.sha256(raw).digest(), hashlib.sha512(raw).digest()[:32]}
        found |= {p.tobytes() for p in points([hashlib.sha512(raw).digest()])}
    for salt in salts:
        ways = [
            way(terms_for(terms.parties, salted=bool(salt)), salt)
            for way in (Blinding, Tags)
        ]
        for way in ways:
            hashes = way.hashes(keys)
            found |= {h[:32] for h in hashes}
            found |= {hmac.digest(salt, k, "sha256") for k in keys}
            if isinstance(way, Blinding):
                found |= {p.tobytes() for p in points(hashes)}
    return found


def everything(meeting):
    """All arrays of all messages, also what was sealed, as it was before sealing."""
    sent = [(name, a) for _, _, arrays in meeting.sent for name, a in arrays.items()]
    inside = [(n, a) for _, _, arrays in meeting.sealed for n, a in arrays.items()]
    return sent + inside


@pytest.mark.parametrize("said", WAYS)
def test_no_message_holds_a_key_or_a_hash_that_can_be_tested(said):
    meeting = meet(HELD, **said)
    meeting.run()
    forbidden = guesses(meeting.terms)
    if said.get("method") != "keyed_hash":
        forbidden |= guesses(meeting.terms, [SALT])  # not even with the salt
    raw = [a.tobytes() for _, a in everything(meeting)]
    assert not [r for r in raw if b"canary" in r]
    windows = {r[i : i + 32] for r in raw for i in range(0, len(r), 32)}
    assert len(windows) > 100
    assert not windows & forbidden


def test_by_keyed_hash_whoever_has_the_salt_can_test():
    meeting = meet(HELD, salted=True, method="keyed_hash")
    meeting.run()
    entries = {e.tobytes() for n, a in everything(meeting) if n == "entries" for e in a}
    assert len(entries & guesses(meeting.terms, [SALT])) == 60


def lists_told(meeting):
    told: dict[str, list[bytes]] = {}
    for party, up, arrays in meeting.sent:
        if up and "entries" in arrays:
            told.setdefault(party, []).extend(e.tobytes() for e in arrays["entries"])
    return told


def test_the_coordinator_sees_no_list_before_all_domains_have_blinded_it():
    meeting = meet(HELD)
    meeting.run()
    seen = {e for entries in lists_told(meeting).values() for e in entries}
    passed = [a["value"] for _, _, a in meeting.sealed if a["about"][0] == 1]
    between = {e.tobytes() for value in passed for e in value}
    assert len(passed) == 18  # two stages of three lists in three parts
    assert not seen & between
    clear = {n for _, _, arrays in meeting.sent for n in arrays}
    assert clear == {
        *("size", "sizes", "sealed", "entries", "places", "rows", "lost"),
        *("peer.0", "peer.1", "peer.2"),
    }


@pytest.mark.parametrize("said", WAYS)
def test_two_runs_share_no_entry(said):
    runs = [meet(HELD, **said), meet(HELD, run="r-2", **said)]
    for run in runs:
        run.run()
    one, other = ({e for es in lists_told(r).values() for e in es} for r in runs)
    assert not one & other


def test_every_entry_is_on_the_curve_so_that_none_tells_a_bit_of_its_hash():
    meeting = meet(HELD)
    meeting.run()
    entries = {e for es in lists_told(meeting).values() for e in es}
    assert len(entries) == 60
    assert all(is_on_curve(int.from_bytes(e, "little")) for e in entries)


def test_lists_are_filled_up_and_what_fills_them_matches_nothing():
    same = [f"customer {i}" for i in range(3)]
    meeting = meet({"d1": same, "d2": same}, smallest_list=50)
    assert meeting.run().rows == 3
    assert [len(set(es)) for es in lists_told(meeting).values()] == [50, 50]


def test_each_domain_shuffles_every_list_that_it_hands_on():
    meeting = meet({"d1": NAMES, "d2": NAMES})
    meeting.run()
    handed = [
        a["value"] for s, _, a in meeting.sealed if a["about"][0] == 1 and s == "d1"
    ]
    blinder = meeting.parties["d2"]._way
    in_order = [e.tobytes() for e in blinder.again(np.concatenate(handed))]
    told = lists_told(meeting)["d2"]
    assert set(told) == set(in_order)
    same_place = sum(a == b for a, b in zip(told, in_order, strict=True))
    assert same_place < 10
    own = meeting.parties["d1"]._orders[0]
    assert (own == np.arange(60)).sum() < 10


def test_secret_orders_are_fair():
    drawn = np.stack([secret_order(4) for _ in range(4_000)])
    for place in range(4):
        counts = np.bincount(drawn[:, place], minlength=4)
        assert (abs(counts - 1_000) < 150).all()


def test_the_sealed_comparison_holds_no_hash_of_the_matched_keys():
    # The same rows, run and salt: only fresh secrets can make them differ.
    runs = [meet(HELD, salted=True) for _ in range(2)]
    seen = []
    for run in runs:
        run.run()
        told = [a["value"].tobytes() for _, _, a in run.sealed if a["about"][0] >= 3]
        assert len(told) == 12
        assert len(set(told)) == 9  # the two answers of a pair are equal: same rows
        seen.append(set(told))
    assert not seen[0] & seen[1]
