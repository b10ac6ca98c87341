"""Nobody can find out how many people are in a group below the cohort."""

from hypothesis import given, settings
from hypothesis import strategies as st

from fl_plugin.quality.fairness import published_bias, suppressed

COHORT = 25
groups = st.lists(st.integers(0, 400), min_size=2, max_size=4)


def hidden_groups(bias):
    return {g.group for g in bias.groups if g.share is None and g.than_all is None}


@given(groups, st.integers(2, 60))
def test_a_suppressed_group_is_never_alone_nor_among_too_few_rows(sizes, cohort):
    hidden = suppressed(sizes, cohort)
    assert {p for p, size in enumerate(sizes) if size < cohort} <= hidden
    if hidden and len(hidden) < len(sizes):
        assert len(hidden) > 1
        assert sum(sizes[place] for place in hidden) >= cohort


@given(groups)
def test_no_more_is_suppressed_than_need_be(sizes):
    hidden = suppressed(sizes, COHORT)
    small = {place for place, size in enumerate(sizes) if size < COHORT}
    extra = sorted(hidden - small, key=lambda place: sizes[place])
    if extra:
        without = hidden - {extra[-1]}
        assert len(without) < 2 or sum(sizes[p] for p in without) < COHORT
    assert bool(hidden) == bool(small)


@settings(max_examples=60)
@given(st.data())
def test_a_small_group_could_have_any_size_below_the_cohort(fair_product, made, data):
    """The proof by example: for every size there is a table that looks the same."""
    others = data.draw(st.lists(st.integers(90, 400), min_size=2, max_size=2))
    partner = data.draw(st.integers(COHORT, 59))
    size = data.draw(st.integers(0, COHORT - 1))
    product = fair_product()

    def looks(small):
        # What the small group gains its partner loses: the whole stays as it is.
        rest = partner + size - small
        cells = [(small, 0), (rest, 0), *((n - n // 3, n // 3) for n in others)]
        return published_bias(made.crossing(cells), product, COHORT)

    seen = looks(size)
    for small in range(COHORT):
        assert looks(small) == seen


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200)), min_size=4,
                max_size=4))  # fmt: skip
def test_no_subtraction_gives_a_suppressed_group_away(fair_product, made, cells):
    """Even to somebody who knows how many rows there are, to the row."""
    bias = published_bias(made.crossing(cells), fair_product(), COHORT)
    hidden = hidden_groups(bias)
    rows = sum(n + p for n, p in cells)
    shown = [g.share or (0.0, 1.0) for g in bias.groups if g.group not in hidden]
    left = rows - rows * sum(low for low, _ in shown)  # all hidden ones, at most
    if hidden and shown:
        assert len(hidden) > 1  # one may be empty, and another all that is left
        assert left >= COHORT - 1


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200)), min_size=4,
                max_size=4))  # fmt: skip
def test_nothing_but_its_name_is_said_of_a_suppressed_group(fair_product, made, cells):
    bias = published_bias(made.crossing(cells), fair_product(), COHORT)
    for group, (negatives, positives) in zip(bias.groups, cells, strict=False):
        if negatives + positives < COHORT:
            assert (group.share, group.rate, group.than_all) == (None, None, None)


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 200)), min_size=4,
                max_size=4))  # fmt: skip
def test_a_restricted_column_says_nothing_in_numbers(fair_product, made, cells):
    bias = published_bias(made.crossing(cells), fair_product("restricted"), COHORT)
    assert all(g.share is None and g.rate is None for g in bias.groups)
    assert not set("0123456789") & set(bias.model_dump_json(exclude={"groups"}))


def test_a_word_follows_from_the_ranges_alone(fair_product, made):
    one = published_bias(
        made.crossing([(200, 40), (180, 60), (100, 300), (200, 30)]),
        fair_product(),
        COHORT,
    )
    words = [g.than_all for g in one.groups]
    assert words == ["lower", "alike", "higher", "lower"]
    assert one.verdict == "uneven"


def test_groups_whose_ranges_touch_are_even(fair_product, made):
    bias = published_bias(
        made.crossing([(290, 110), (300, 100), (310, 90), (295, 105)]),
        fair_product(),
        COHORT,
    )
    assert bias.verdict == "even"


def test_one_group_alone_has_nothing_beside_it(fair_product, made):
    bias = published_bias(
        made.crossing([(290, 110), (3, 1), (30, 0)]), fair_product(), COHORT
    )
    assert bias.verdict == "unknown"
    assert hidden_groups(bias) == {"b", "c"}


def test_a_group_that_the_contract_rules_out_is_not_listed(fair_product, made):
    bias = published_bias(made.crossing([(290, 110)] * 4), fair_product(), COHORT)
    assert [g.group for g in bias.groups] == ["a", "b", "c", "d"]
    broken = made.crossing([(290, 110)] * 4)
    broken = broken.model_copy(update={"positives": (110,) * 4 + (1, 0)})
    shown = published_bias(broken, fair_product(), COHORT)
    assert hidden_groups(shown) >= {"other"}
    assert len(hidden_groups(shown)) == 2
