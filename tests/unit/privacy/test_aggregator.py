"""The coordinator's half: what it leaves out, and that no wrong share passes."""

import numpy as np
import pytest

from fl_plugin.errors import MessageError
from fl_plugin.privacy.aggregator import Aggregator
from fl_plugin.privacy.announcement import Announcement, Secrets
from fl_plugin.privacy.terms import Terms
from fl_plugin.summand import Summand
from tests.aggregation import Cohort, identities, names, trust_in, wire

EXPECTED = {"x": Summand(shape=(2,), bound=1.0)}
WORDS = {"x": np.array([3, 5], dtype=np.uint64)}
PARTIES = names(5)
KEYS = identities(PARTIES)


def hidden(lost=()):
    cohort = Cohort(
        Terms.recovering("r-1", PARTIES, 3), KEYS, lost={"input": tuple(lost)}
    )
    cohort.prepare(rounds=2)
    sent = cohort.hide(dict.fromkeys(PARTIES, WORDS), EXPECTED)
    return cohort, cohort.aggregator.add(sent, EXPECTED, 0, "asked 0")


def answers(cohort, masked):
    lists = masked.lists
    endorsements = {}
    if masked.needs_endorsement:
        signed = {p: cohort.parties[p].endorse(0, **lists) for p in lists["alive"]}
        endorsements = masked.endorsed(signed)
    return {
        p: cohort.parties[p].unmask(0, **lists, endorsements=endorsements)
        for p in lists["alive"]
    }


def test_keys_that_are_not_signed_are_left_out_with_the_reason():
    terms = Terms.recovering("r-1", PARTIES, 4)
    sent = {
        p: wire(Secrets.fresh(2).announced(p, 0, terms, k.sign).message)
        for p, k in KEYS.items()
    }
    sent["p03"]["signature"] = sent["p02"]["signature"]
    aggregator = Aggregator(terms, trust_in(KEYS))
    assert set(aggregator.collect(sent)) == set(PARTIES) - {"p03"}
    assert "p03 are not signed" in aggregator.left_out["p03"]
    del sent["p04"]
    with pytest.raises(MessageError, match="too few"):
        aggregator.collect(sent)
    assert "did not answer" in aggregator.left_out["p04"]


@pytest.mark.parametrize(
    "garbage", [None, {}, [], {"p00": 7}, {"p00": "00"}, "x"], ids=repr
)
def test_shares_that_are_incomplete_lose_their_sender(garbage):
    cohort = Cohort(Terms.recovering("r-1", PARTIES, 4), KEYS)
    keys = cohort.aggregator.collect(
        wire({p: m.announce(0, 2) for p, m in cohort.parties.items()})
    )
    sealed = {p: m.share(keys) for p, m in cohort.parties.items()}
    relayed = cohort.aggregator.relay({**sealed, "p01": garbage})
    assert set(relayed) == set(PARTIES) - {"p01"} == set(cohort.aggregator.cohort)
    assert "p01" in cohort.aggregator.left_out
    wrong = {p: dict.fromkeys(s, 7) for p, s in sealed.items()}
    with pytest.raises(MessageError, match="too few"):
        cohort.aggregator.relay(wrong)


def test_nothing_is_added_before_the_keys_are_there():
    for terms in (Terms.stopping("r", names(3)), Terms.recovering("r", names(3))):
        with pytest.raises(MessageError, match="missing"):
            Aggregator(terms).add({}, EXPECTED, 0, "asked 0")


def test_where_a_lost_party_stops_the_run_there_are_no_shares():
    with pytest.raises(MessageError, match="no shares"):
        Aggregator(Terms.stopping("r", names(3))).relay({})


def test_a_silent_party_stops_a_run_without_recovery_by_name():
    cohort = Cohort(Terms.stopping("r", names(3)))
    cohort.prepare()
    sent = cohort.hide(dict.fromkeys(names(3), WORDS), EXPECTED)
    del sent["p01"]
    with pytest.raises(MessageError, match="p01 did not answer"):
        cohort.aggregator.add(sent, EXPECTED, 0, "asked 0")


@pytest.mark.parametrize("lost", [(), ("p04",)], ids=["nobody lost", "one lost"])
def test_wrong_shares_of_one_party_do_no_harm(lost):
    cohort, masked = hidden(lost)
    given = answers(cohort, masked)
    for kind in ("seeds", "masks"):
        for owner in given["p00"][kind]:
            given["p00"][kind][owner] = "00" * 33
    total = masked.unmask(wire(given))["x"]
    assert total.tolist() == [3 * (5 - len(lost)), 5 * (5 - len(lost))]


@pytest.mark.parametrize("lost", [(), ("p04",)], ids=["nobody lost", "one lost"])
@pytest.mark.parametrize("wrong", ["00" * 33, "ff" * 33])
def test_wrong_shares_of_too_many_are_found_out(lost, wrong):
    cohort, masked = hidden(lost)
    given = answers(cohort, masked)
    kind, owner = ("masks", "p04") if lost else ("seeds", "p00")
    for holder in ("p00", "p01", "p02"):
        given[holder][kind][owner] = wrong
    with pytest.raises(MessageError, match="do not give the key"):
        masked.unmask(given)


def test_a_share_for_another_round_is_found_out():
    cohort, masked = hidden()
    later = {p: m._held["p00"][1].seed.hex() for p, m in cohort.parties.items()}
    given = answers(cohort, masked)
    for holder, answer in given.items():
        answer["seeds"]["p00"] = later[holder]
    with pytest.raises(MessageError, match="do not give the key"):
        masked.unmask(given)


@pytest.mark.parametrize(
    "garbage",
    [
        None,
        [],
        {},
        {"seeds": {}, "masks": {}},
        {"seeds": dict.fromkeys(PARTIES, "zz"), "masks": {}},
        {"seeds": dict.fromkeys(PARTIES, "00"), "masks": {}},
        {"seeds": dict.fromkeys(PARTIES, 7), "masks": {}},
        {"seeds": dict.fromkeys(PARTIES, "00" * 33)},
        {"seeds": dict.fromkeys(PARTIES, "00" * 33), "masks": {"p00": "00" * 33}},
    ],
)
def test_garbage_in_place_of_shares_loses_its_sender_only(garbage):
    cohort, masked = hidden()
    given = answers(cohort, masked)
    assert masked.unmask({**given, "p01": garbage})["x"].tolist() == [15, 25]
    assert "p01" in masked.left_out
    with pytest.raises(MessageError, match="too few"):
        masked.unmask(dict.fromkeys(PARTIES[:3], garbage) | {"p04": given["p04"]})


def test_an_endorsement_that_is_not_signed_is_left_out():
    cohort, masked = hidden(["p04"])
    lists = masked.lists
    signed = {p: cohort.parties[p].endorse(0, **lists) for p in lists["alive"]}
    kept = masked.endorsed({**signed, "p01": signed["p02"]})
    assert set(kept) == {"p00", "p02", "p03"}
    with pytest.raises(MessageError, match="too few"):
        masked.endorsed({**signed, "p01": 7, "p02": "x"})


def test_keys_and_seeds_have_256_bits_and_are_used_for_one_round():
    made = [Secrets.fresh(50) for _ in range(20)]
    seeds = [seed for m in made for seed in m.seeds]
    keys = [k.private_bytes_raw() for m in made for k in (m.agreement, *m.masks)]
    assert {len(s) for s in (*seeds, *keys)} == {32}
    assert len({*seeds, *keys}) == 20 * 101
    bits = np.unpackbits(np.frombuffer(b"".join(seeds), np.uint8)).reshape(-1, 256)
    share = bits.mean(axis=0)
    assert (np.abs(share - 0.5) < 0.11).all()  # 1,000 seeds: 7 standard deviations


def test_an_announcement_survives_its_message_and_hides_its_secrets():
    terms = Terms.recovering("r", names(3))
    secrets = Secrets.fresh(2)
    told = secrets.announced("p00", 4, terms, KEYS["p00"].sign)
    assert Announcement.read("p00", wire(told.message)) == told
    assert secrets.seeds[0].hex() not in repr(secrets)
    assert repr(secrets.seeds[0]) not in repr(secrets)
