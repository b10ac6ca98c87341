"""Every deviation of a coordinator (and of a peer) that a party must refuse.

One test for each; see "Threat 3" of docs/secure-aggregation.md.
"""

from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fl_plugin.errors import MessageError, TrainingError
from fl_plugin.privacy.announcement import Secrets
from fl_plugin.privacy.party_masks import PartyMasks
from fl_plugin.privacy.shares import Envelope, Shares
from fl_plugin.privacy.terms import TWO_PARTIES, Terms, Trust
from fl_plugin.signing.keys import SigningKey, is_signed
from fl_plugin.signing.statement import Statement
from fl_plugin.summand import Summand
from tests.aggregation import Cohort, identities, names, trust_in, wire

EXPECTED = {"x": Summand(shape=(2,), bound=1.0)}
WORDS = {"x": np.arange(2, dtype=np.uint64)}
PARTIES = names(5)
KEYS = identities(PARTIES)
# The points of order 1, 2, 4 and 8 of Curve25519 and its twist, little-endian.
LOW_ORDER = [
    bytes(32),
    (1).to_bytes(32, "little"),
    bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
    (2**255 - 20).to_bytes(32, "little"),
    (2**255 - 19).to_bytes(32, "little"),
    (2**255 - 18).to_bytes(32, "little"),
]


def announced(terms=None, keys=KEYS, rounds=3):
    """A cohort, and what its parties have announced."""
    terms = terms or Terms.recovering("r-1", sorted(keys), 4)
    cohort = Cohort(terms, keys)
    rounds = rounds if terms.recovers else 0
    told = wire({p: m.announce(0, rounds) for p, m in cohort.parties.items()})
    return cohort, told


def hidden(lost=()):
    """A cohort that has sent its messages of round 0, one party excepted."""
    cohort = Cohort(
        Terms.recovering("r-1", PARTIES, 4), KEYS, lost={"input": tuple(lost)}
    )
    cohort.prepare(rounds=3)
    cohort.hide(dict.fromkeys(PARTIES, WORDS), EXPECTED, 0)
    return cohort


def signed_by(cohort, parties, number=0, alive=None, lost=()):
    alive = alive or [p for p in PARTIES if p not in lost]
    return {p: cohort.parties[p].endorse(number, alive, lost) for p in parties}


# --- Terms ----------------------------------------------------------------------


@pytest.mark.parametrize("threshold", [-1, 0, 1, 2, 6, 3.0, True, "3", None])
def test_a_threshold_of_half_or_less_or_beyond_all_is_refused(threshold):
    message = Terms.recovering("r-1", PARTIES).message | {"threshold": threshold}
    with pytest.raises(MessageError, match="threshold"):
        Terms.read(message)
    assert Terms.read(message | {"threshold": 3}).threshold == 3


def test_half_of_an_even_cohort_is_no_threshold():
    with pytest.raises(MessageError, match="threshold"):
        Terms.recovering("r-1", names(6), 3)


@pytest.mark.parametrize("bits", [8, 16, 32, 63, 65, "64", None])
def test_another_modulus_is_refused(bits):
    message = Terms.recovering("r-1", PARTIES).message | {"modulus_bits": bits}
    with pytest.raises(MessageError, match="modulus"):
        Terms.read(message)


@pytest.mark.parametrize("width", [1, 2])
def test_a_modulus_too_small_for_what_is_counted_is_refused(width):
    cohort = Cohort(Terms.stopping("r-1", names(3)))
    cohort.prepare()
    narrow = {"x": Summand(shape=(2,), bound=1e6, integer=True, width=width)}
    with pytest.raises(TrainingError, match="could overflow"):
        cohort.parties["p00"].hide(WORDS, narrow, 0, "asked 0")


@pytest.mark.parametrize(
    "change",
    [
        {"version": "data-mesh secure aggregation v0"},
        {"mode": "none"},
        {"mode": "stop"},  # with a threshold below all
        {"parties": ["b", "a", "c"]},
        {"parties": ["a", "a", "b", "c", "d"]},
        {"parties": ["a", "b\x1f", "c", "d", "e"]},
        {"parties": "abcde"},
        {"parties": [1, 2, 3, 4, 5]},
        {"parties": ["a"]},
        {"parties": [f"p{i:04d}" for i in range(1_001)]},
        {"run": "../run"},
        {"run": None},
        {"more": 1},
    ],
)
def test_terms_that_nobody_of_ours_proposes_are_refused(change):
    message = Terms.recovering("r-1", list("abcde"), 4).message
    assert Terms.read(message).threshold == 4
    with pytest.raises(MessageError):
        Terms.read(message | change)


def test_terms_survive_their_message():
    for terms in (Terms.stopping("r", names(3)), Terms.recovering("r", names(9))):
        assert Terms.read(wire(terms.message)) == terms


def test_recovery_over_two_parties_is_refused():
    with pytest.raises(MessageError, match="three"):
        Terms.recovering("r", names(2), 2)


@pytest.mark.parametrize("words", ["", "yes", TWO_PARTIES.upper(), TWO_PARTIES + " "])
def test_two_parties_are_refused_unless_policy_says_so_in_words(words):
    terms = Terms.stopping("r", names(2))
    with pytest.raises(MessageError, match="three"):
        PartyMasks("p00", terms, Trust(unsigned=True, two_parties=words))
    PartyMasks("p00", terms, Trust(unsigned=True, two_parties=TWO_PARTIES))


def test_a_party_outside_the_cohort_takes_no_part():
    with pytest.raises(MessageError, match="not in the cohort"):
        PartyMasks("other", Terms.stopping("r", names(3)), Trust(unsigned=True))


# --- Keys -----------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["stop", "recover"])
@pytest.mark.parametrize("what", ["agreement", "masks", "seals"])
def test_swapped_keys_are_refused(mode, what):
    stop = Terms.stopping("r-1", PARTIES)
    cohort, told = announced(stop if mode == "stop" else None)
    forged = Secrets.fresh(3).announced("p01", 0, cohort.terms, None).message
    told["p01"][what] = forged[what]
    with pytest.raises(MessageError):
        cohort.parties["p00"].share(told)


def test_keys_signed_by_somebody_else_are_refused():
    cohort, told = announced()
    thief = SigningKey(Ed25519PrivateKey.generate())
    secrets = Secrets.fresh(3)
    told["p01"] = secrets.announced("p01", 0, cohort.terms, thief.sign).message
    with pytest.raises(MessageError, match="p01 are not signed"):
        cohort.parties["p00"].share(told)


def test_keys_of_one_domain_do_not_pass_for_another_s():
    cohort, told = announced()
    told["p01"] = told["p02"]
    with pytest.raises(MessageError):
        cohort.parties["p00"].share(told)
    del told["p02"]
    with pytest.raises(MessageError, match="p01 are not signed"):
        cohort.parties["p00"].share(told)


@pytest.mark.parametrize(
    "other",
    [
        Terms.recovering("r-2", PARTIES, 4),
        Terms.recovering("r-1", PARTIES, 3),
        Terms.recovering("r-1", names(6), 4),
    ],
    ids=["wrong run", "other threshold", "other cohort"],
)
def test_keys_signed_under_other_terms_are_refused(other):
    cohort, told = announced()
    secrets = Secrets.fresh(3)
    told["p01"] = wire(secrets.announced("p01", 0, other, KEYS["p01"].sign).message)
    with pytest.raises(MessageError, match="p01 are not signed"):
        cohort.parties["p00"].share(told)


def test_keys_of_an_earlier_batch_are_refused():
    cohort, told = announced()
    first, later = told, {p: m.announce(3, 3) for p, m in cohort.parties.items()}
    with pytest.raises(MessageError, match="different rounds"):
        cohort.parties["p00"].share({**wire(later), "p01": first["p01"]})


def test_two_domains_of_one_identity_cannot_swap_their_keys():
    one = KEYS["p01"]
    keys = {**KEYS, "p02": one}
    cohort, told = announced(keys=keys)
    told["p01"], told["p02"] = told["p02"], told["p01"]
    with pytest.raises(MessageError, match="not signed"):
        cohort.parties["p00"].share(told)


def test_no_signature_under_a_statement_of_another_kind_passes():
    cohort, told = announced()
    facts = {k: v for k, v in told["p01"].items() if k != "signature"}
    wrong = Statement(kind="contract", facts=facts).signed_by(KEYS["p01"])
    told["p01"]["signature"] = wrong
    with pytest.raises(MessageError, match="p01 are not signed"):
        cohort.parties["p00"].share(told)


def test_an_unknown_identity_is_refused_unless_the_domain_allows_it():
    known = {p: k for p, k in KEYS.items() if p != "p03"}
    terms = Terms.recovering("r-1", PARTIES, 4)
    _, told = announced()
    for unsigned in (False, True):
        trust = trust_in(known, unsigned=unsigned)
        masks = PartyMasks("p00", terms, trust, KEYS["p00"].sign)
        told["p00"] = wire(masks.announce(0, 3))
        if unsigned:
            masks.share(told)
            assert masks.unverified == ("p03",)
        else:
            with pytest.raises(MessageError, match="identity of p03"):
                masks.share(told)


def test_allowing_unsigned_keys_never_excuses_a_wrong_signature():
    trust = trust_in(KEYS, unsigned=True)
    terms = Terms.recovering("r-1", PARTIES, 4)
    masks = PartyMasks("p00", terms, trust, KEYS["p00"].sign)
    _, told = announced()
    told["p00"], told["p01"]["signature"] = wire(masks.announce(0, 3)), ""
    with pytest.raises(MessageError, match="p01 are not signed"):
        masks.share(told)


def test_signatures_are_checked_with_no_way_around_by_default():
    assert not Trust().unsigned
    assert not Trust(identities={"a": KEYS["p00"].public}).is_signed("a", b"", "")
    assert is_signed(KEYS["p00"].public, b"x", KEYS["p00"].sign(b"x"))


@pytest.mark.parametrize("unsigned", [True, False])
@pytest.mark.parametrize("where", ["agreement", "masks"])
def test_one_key_announced_twice_is_refused(where, unsigned):
    cohort, told = announced(keys={} if unsigned else KEYS, terms=_terms())
    told["p02"][where] = told["p01"][where]
    with pytest.raises(MessageError, match="announced twice"):
        cohort.parties["p00"].share(told)


@pytest.mark.parametrize("point", LOW_ORDER, ids=lambda p: p.hex()[:8])
def test_points_of_low_order_are_refused(point):
    cohort, told = announced(keys={}, terms=_terms())
    told["p01"]["agreement"] = point.hex()
    with pytest.raises(MessageError, match="not valid"):
        cohort.parties["p00"].share(told)


@pytest.mark.parametrize("point", LOW_ORDER, ids=lambda p: p.hex()[:8])
def test_a_mask_key_of_low_order_is_refused_when_it_would_be_used(point):
    cohort, told = announced(keys={}, terms=_terms(), rounds=1)
    told["p01"]["masks"] = [point.hex()]
    shares = {p: m.share(told) for p, m in cohort.parties.items() if p != "p01"}
    sealed = {p: s["p00"] for p, s in shares.items() if p != "p00"}
    sealed["p01"] = Envelope(
        cohort.parties["p00"]._pairs["p01"], "p01", "p00", 0, 1
    ).close([Shares(bytes(33), bytes(33))])
    cohort.parties["p00"].accept(sealed)
    with pytest.raises(MessageError, match="not valid"):
        cohort.parties["p00"].hide(WORDS, EXPECTED, 0, "asked 0")


def test_a_list_without_the_party_s_own_keys_is_refused():
    cohort, told = announced(keys={}, terms=_terms())
    own = dict(told["p00"])
    told["p00"] = Secrets.fresh(3).announced("p00", 0, cohort.terms, None).message
    with pytest.raises(MessageError, match="own"):
        cohort.parties["p00"].share(told)
    del told["p00"]
    with pytest.raises(MessageError, match="own"):
        cohort.parties["p00"].share(told)
    cohort.parties["p00"].share({**told, "p00": own})


@pytest.mark.parametrize(("left", "enough"), [(4, True), (3, False)])
def test_too_few_keys_are_refused(left, enough):
    cohort, told = announced()
    some = {p: told[p] for p in PARTIES[:left]}
    if enough:
        cohort.parties["p00"].share(some)
    else:
        with pytest.raises(MessageError, match="too few"):
            cohort.parties["p00"].share(some)


def test_without_recovery_no_key_may_be_missing():
    cohort, told = announced(Terms.stopping("r-1", PARTIES))
    with pytest.raises(MessageError, match="too few"):
        cohort.parties["p00"].share({p: told[p] for p in PARTIES[:4]})


def test_keys_of_a_stranger_are_refused():
    cohort, told = announced()
    told["other"] = told["p01"]
    with pytest.raises(MessageError, match="outside the cohort"):
        cohort.parties["p00"].share(told)


def test_keys_are_made_and_heard_once():
    cohort, told = announced(Terms.stopping("r-1", PARTIES))
    with pytest.raises(MessageError, match="made already"):
        cohort.parties["p00"].announce()
    cohort.parties["p00"].share(told)
    with pytest.raises(MessageError, match="twice"):
        cohort.parties["p00"].share(told)


@pytest.mark.parametrize(
    "change",
    [
        {"agreement": "zz" * 32},
        {"agreement": "00" * 31},
        {"agreement": ["00" * 32]},
        {"agreement": None},
        {"masks": "00" * 32},
        {"masks": []},
        {"masks": [1, 2, 3]},
        {"masks": ["00" * 32] * 1_001, "seals": ["00" * 32] * 1_001},
        {"seals": ["00" * 32]},
        {"first": -1},
        {"first": True},
        {"first": 2**40},
        {"signature": None},
        {"signature": "x" * 1_000},
        {"more": 1},
    ],
)
def test_garbage_in_place_of_keys_is_refused(change):
    cohort, told = announced(keys={}, terms=_terms())
    told["p01"] |= change
    with pytest.raises(MessageError):
        cohort.parties["p00"].share(told)
    lists: list[Any] = [[], "x", {"p00": 1}, None, {**told, "p01": None}]
    for garbage in lists:
        with pytest.raises(MessageError):
            cohort.parties["p00"].share(garbage)


# --- Shares ---------------------------------------------------------------------


def shared():
    cohort, told = announced()
    sealed = {p: m.share(told) for p, m in cohort.parties.items()}
    return cohort, {h: {p: s[h] for p, s in sealed.items() if p != h} for h in PARTIES}


def test_altered_shares_are_refused():
    cohort, sealed = shared()
    text = sealed["p00"]["p01"]
    for wrong in (text[:-2] + "00", text[2:], "", "zz", text + "00", 7, None):
        with pytest.raises(MessageError, match="p01"):
            cohort.parties["p00"].accept(sealed["p00"] | {"p01": wrong})


def test_shares_for_another_holder_or_from_another_sender_are_refused():
    cohort, sealed = shared()
    for wrong in (sealed["p02"]["p01"], sealed["p00"]["p02"]):
        with pytest.raises(MessageError, match="p01"):
            cohort.parties["p00"].accept(sealed["p00"] | {"p01": wrong})


def test_a_party_s_own_shares_sent_back_to_it_are_refused():
    """Both directions of a pair have one secret; their keys differ."""
    cohort, sealed = shared()
    with pytest.raises(MessageError, match="p01"):
        cohort.parties["p00"].accept(sealed["p00"] | {"p01": sealed["p01"]["p00"]})


def test_shares_for_other_rounds_are_refused():
    cohort, sealed = shared()
    later = Envelope(cohort.parties["p00"]._pairs["p01"], "p01", "p00", 3, 3)
    wrong = later.close([Shares(bytes(33), bytes(33))] * 3)
    with pytest.raises(MessageError, match="p01"):
        cohort.parties["p00"].accept(sealed["p00"] | {"p01": wrong})


def test_too_few_or_too_many_shares_in_an_envelope_are_refused():
    cohort, sealed = shared()
    for count in (0, 2, 4):
        right = Envelope(cohort.parties["p00"]._pairs["p01"], "p01", "p00", 0, 3)
        wrong = right.close([Shares(bytes(33), bytes(33))] * count)
        with pytest.raises(MessageError, match="not complete"):
            cohort.parties["p00"].accept(sealed["p00"] | {"p01": wrong})


def test_shares_of_too_few_parties_of_strangers_or_twice_are_refused():
    cohort, sealed = shared()
    few = {p: sealed["p00"][p] for p in ("p01", "p02")}
    with pytest.raises(MessageError, match="too few"):
        cohort.parties["p00"].accept(few)
    with pytest.raises(MessageError, match="no keys"):
        cohort.parties["p00"].accept(sealed["p00"] | {"other": "00"})
    cohort.parties["p00"].accept(sealed["p00"])
    with pytest.raises(MessageError, match="twice"):
        cohort.parties["p00"].accept(sealed["p00"])


def test_nothing_is_masked_before_keys_and_shares_are_there():
    cohort, told = announced()
    party = cohort.parties["p00"]
    for _ in range(2):
        with pytest.raises(MessageError, match="missing"):
            party.hide(WORDS, EXPECTED, 0, "asked 0")
        if not party._told:
            party.share(told)


# --- Rounds ---------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["stop", "recover"])
@pytest.mark.parametrize("again", [0, 1])
def test_a_replayed_round_is_refused_whatever_it_asks(mode, again):
    make = Terms.stopping if mode == "stop" else Terms.recovering
    cohort = Cohort(make("r-1", PARTIES), KEYS)
    cohort.prepare(rounds=3)
    party = cohort.parties["p00"]
    party.hide(WORDS, EXPECTED, 0, "step")
    party.hide(WORDS, EXPECTED, 1, "next")
    for context in ("new", "other"):
        with pytest.raises(MessageError, match="twice"):
            party.hide(WORDS, EXPECTED, again, context)


def test_one_question_is_answered_once_where_the_cohort_may_change():
    cohort = hidden()
    party = cohort.parties["p00"]
    for _ in range(2):  # nor after new keys
        with pytest.raises(MessageError, match="question came twice"):
            party.hide(WORDS, EXPECTED, 1, "asked 0")
        if party._mine.first == 0:
            cohort.prepare(1, rounds=2)
    party.hide(WORDS, EXPECTED, 1, "another")


def test_one_question_may_come_again_where_every_sum_is_over_all():
    cohort = Cohort(Terms.stopping("r-1", PARTIES), KEYS)
    cohort.prepare()
    party = cohort.parties["p00"]
    sent = [party.hide(WORDS, EXPECTED, n, "the same")["x"].tobytes() for n in range(2)]
    assert len(set(sent)) == 2  # under masks of its own each time


def test_a_round_that_no_keys_were_made_for_is_refused():
    cohort = hidden()
    for number in (3, 100):
        with pytest.raises(MessageError, match="no keys"):
            cohort.parties["p00"].hide(WORDS, EXPECTED, number, f"asked {number}")


def test_new_keys_for_a_round_that_was_masked_are_refused():
    party = hidden().parties["p00"]
    with pytest.raises(MessageError, match="made already"):
        party.announce(0, 3)
    party.announce(1, 3)


@pytest.mark.parametrize(
    ("mode", "rounds"), [("stop", 1), ("recover", 0), ("recover", 1_001)]
)
def test_keys_for_a_wrong_number_of_rounds_are_refused(mode, rounds):
    make = Terms.stopping if mode == "stop" else Terms.recovering
    party = Cohort(make("r-1", PARTIES), KEYS).parties["p00"]
    with pytest.raises(MessageError, match="number of rounds"):
        party.announce(0, rounds)


def test_two_stories_of_what_was_asked_give_nobody_a_sum():
    """A coordinator that asks one party something else gets noise, not a sum."""
    cohort = Cohort(Terms.stopping("r-1", names(3)))
    cohort.prepare()
    sent = {
        p: cohort.parties[p].hide(WORDS, EXPECTED, 0, "a" if p == "p00" else "b")
        for p in names(3)
    }
    total = cohort.aggregator.add(sent, EXPECTED, 0, "b").unmask({})["x"]
    assert (total != 3 * WORDS["x"]).all()


def test_an_answer_that_was_not_asked_for_is_not_masked():
    party = hidden().parties["p00"]
    wrong = [{}, {"y": WORDS["x"]}, {"x": np.zeros(3, np.uint64)}, WORDS | {"y": 1}]
    for words in wrong[:3]:
        with pytest.raises(MessageError, match="not what was asked"):
            party.hide(words, EXPECTED, 1, "asked 1")
    party.hide(WORDS, EXPECTED, 1, "asked 1")  # a refusal uses no round up


# --- Unmasking ------------------------------------------------------------------


def test_a_party_on_both_lists_is_refused():
    party = hidden().parties["p00"]
    for stage in (party.endorse, party.unmask):
        with pytest.raises(MessageError, match="both"):
            stage(0, PARTIES, ["p04"])


def test_a_party_left_out_of_both_lists_is_refused():
    party = hidden().parties["p00"]
    for stage in (party.endorse, party.unmask):
        with pytest.raises(MessageError, match="make up"):
            stage(0, PARTIES[:4], [])


@pytest.mark.parametrize(
    ("alive", "lost"),
    [
        ([*PARTIES, "p04"], []),
        ([*PARTIES, "other"], []),
        ("p00", []),
        ([*PARTIES[:4], ["p04"]], []),
        ([*PARTIES[:4], 4], []),
        (None, []),
        (PARTIES, {"p04": 1}),
    ],
)
def test_lists_that_are_malformed_are_refused(alive, lost):
    party = hidden().parties["p00"]
    for stage in (party.endorse, party.unmask):
        with pytest.raises(MessageError):
            stage(0, alive, lost)


def test_a_second_unmasking_of_a_round_is_refused():
    cohort = hidden()
    given = cohort.parties["p00"].unmask(0, PARTIES, [])
    assert set(given["seeds"]) == set(PARTIES)
    assert not given["masks"]
    with pytest.raises(MessageError, match="twice"):
        cohort.parties["p00"].unmask(0, PARTIES, [])


def test_nobody_gives_both_shares_of_one_party():
    cohort = hidden(lost=["p04"])
    alive = PARTIES[:4]
    endorsements = signed_by(cohort, alive, lost=["p04"])
    given = cohort.parties["p00"].unmask(0, alive, ["p04"], endorsements)
    assert set(given["seeds"]) == set(alive)
    assert set(given["masks"]) == {"p04"}


def test_shares_that_were_given_are_forgotten_with_those_before():
    cohort = hidden()
    party = cohort.parties["p00"]
    party.hide(WORDS, EXPECTED, 1, "asked 1")
    party.unmask(1, PARTIES, [])
    assert all(set(held) == {2} for held in party._held.values())


@pytest.mark.parametrize("number", [1, 2, -1, 99])
def test_shares_for_another_round_are_not_given(number):
    party = hidden().parties["p00"]
    for stage in (party.endorse, party.unmask):
        with pytest.raises(MessageError, match="masked last"):
            stage(number, PARTIES, [])


def test_a_round_that_is_over_is_not_unmasked_any_more():
    party = hidden().parties["p00"]
    party.hide(WORDS, EXPECTED, 1, "asked 1")
    with pytest.raises(MessageError, match="masked last"):
        party.unmask(0, PARTIES, [])


def test_a_party_told_that_it_was_lost_itself_gives_nothing():
    cohort = hidden()
    with pytest.raises(MessageError, match="own answer"):
        cohort.parties["p04"].endorse(0, PARTIES[:4], ["p04"])


@pytest.mark.parametrize(("parties", "threshold", "left"), [(5, 4, 3), (3, 2, 2)])
def test_a_cohort_that_shrinks_too_far_is_refused(parties, threshold, left):
    """Below the threshold, and below three whatever the threshold."""
    cohort = Cohort(Terms.recovering("r-1", names(parties), threshold))
    cohort.prepare()
    cohort.hide(dict.fromkeys(names(parties), WORDS), EXPECTED, 0)
    alive, lost = names(parties)[:left], names(parties)[left:]
    for stage in (cohort.parties["p00"].endorse, cohort.parties["p00"].unmask):
        with pytest.raises(MessageError, match="too few"):
            stage(0, alive, lost)


def test_lost_parties_without_endorsement_are_refused():
    cohort = hidden(lost=["p04"])
    alive = PARTIES[:4]
    with pytest.raises(MessageError, match="another list"):
        cohort.parties["p00"].unmask(0, alive, ["p04"])  # it has signed nothing
    some = signed_by(cohort, alive[:3], lost=["p04"])
    wrong: list[Any] = [{}, some, some | {"p04": "x"}, some | {"p03": 1}, [], None]
    for endorsements in wrong:
        with pytest.raises(MessageError):
            cohort.parties["p00"].unmask(0, alive, ["p04"], endorsements)


def test_strangers_cannot_endorse_even_where_nothing_is_signed():
    cohort = Cohort(Terms.recovering("r-1", PARTIES, 4), lost={"input": ["p04"]})
    cohort.prepare(rounds=1)
    cohort.hide(dict.fromkeys(PARTIES, WORDS), EXPECTED, 0)
    alive = PARTIES[:4]
    signed = signed_by(cohort, alive, lost=["p04"])
    for stranger in ("p04", "other"):
        three = {p: signed[p] for p in alive[:3]} | {stranger: ""}
        with pytest.raises(MessageError, match="outside the round"):
            cohort.parties["p00"].unmask(0, alive, ["p04"], three)
    cohort.parties["p00"].unmask(0, alive, ["p04"], signed)


def test_a_forged_endorsement_is_refused():
    cohort = hidden(lost=["p04"])
    alive = PARTIES[:4]
    signed = signed_by(cohort, alive, lost=["p04"])
    old = Cohort(cohort.terms, KEYS)
    old.prepare(first=1, rounds=1)
    old.hide(dict.fromkeys(PARTIES, WORDS), EXPECTED, 1)
    replayed = signed_by(old, ["p03"], number=1, lost=["p04"])
    forged = [
        signed | {"p03": ""},
        signed | {"p03": signed["p02"]},
        signed | replayed,
        signed | {"p03": KEYS["p03"].sign(b"another statement")},
    ]
    for endorsements in forged:
        with pytest.raises(MessageError, match="p03"):
            cohort.parties["p00"].unmask(0, alive, ["p04"], endorsements)
    cohort.parties["p00"].unmask(0, alive, ["p04"], signed)


def test_a_party_tells_one_story_of_a_round():
    cohort = hidden(lost=["p04"])
    party = cohort.parties["p00"]
    first = party.endorse(0, PARTIES[:4], ["p04"])
    assert party.endorse(0, PARTIES[:4], ["p04"]) == first
    others = [p for p in PARTIES if p != "p03"]
    with pytest.raises(MessageError, match="another list"):
        party.endorse(0, others, ["p03"])
    with pytest.raises(MessageError, match="another list"):
        party.unmask(0, PARTIES, [])
    with pytest.raises(MessageError, match="another list"):
        party.unmask(0, others, ["p03"], {})


def test_who_has_unmasked_a_full_round_endorses_no_lost_party():
    party = hidden().parties["p00"]
    party.unmask(0, PARTIES, [])
    with pytest.raises(MessageError, match="another list"):
        party.endorse(0, PARTIES[:4], ["p04"])


def test_without_recovery_there_is_nothing_to_unmask():
    cohort = Cohort(Terms.stopping("r-1", PARTIES), KEYS)
    cohort.prepare()
    cohort.hide(dict.fromkeys(PARTIES, WORDS), EXPECTED, 0)
    for stage in (cohort.parties["p00"].endorse, cohort.parties["p00"].unmask):
        with pytest.raises(MessageError):
            stage(0, PARTIES, [])


def _terms():
    return Terms.recovering("r-1", PARTIES, 4)
