"""What is published is coarse, whole and nothing else."""

import json
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fl_plugin.catalog.published import PublishedQuality, read_published, read_quality
from fl_plugin.errors import BuildError, StorageError
from fl_plugin.party.histograms import Bins, Histogram
from fl_plugin.party.profiling import TableProfile
from fl_plugin.quality.publishing import publish, write_quality

CANARY = 4242424242


def table(made, **changes):
    counts = changes.pop("cells", [(200, 60), (90, 30), (60, 30), (40, 30)])
    fields = {
        "rows": sum(n + p for n, p in counts),
        "columns": {
            "sex": Histogram(bins=Bins(kind="hashed"), counts=(*[1] * 16, 0)),
        },
        "labels": {"is_bad": (sum(n for n, _ in counts), sum(p for _, p in counts))},
        "crossings": (made.crossing(counts),),
    }
    return TableProfile(**(fields | changes))


def published(made, product, found, **changes):
    return publish(product, made.measured(found, **changes), 25)


def test_figures_are_told_as_ranges(made, fair_product):
    found = published(made, fair_product(), made.profile(table=table(made)))
    assert found.rows == "540"
    assert found.labels == {"is_bad": (0.25, 0.3)}
    assert found.filled == {"sex": 1.0}
    assert found.at_least == {"completeness": 1.0, "validity": 1.0, "uniqueness": 1.0}


def test_restricted_columns_have_no_figures(made, fair_product):
    found = published(
        made,
        fair_product("restricted"),
        made.profile(table=table(made)),
        drift={"sex": 0.15, "is_bad": 0.01},
    )
    assert found.labels == {}
    assert found.filled == {}
    assert [(d.verdict, d.psi_below) for d in found.drift] == [
        ("moving", None), ("stable", None),
    ]  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, 90), st.integers(0, 90)), min_size=4,
                max_size=4), st.integers(0, 3), st.booleans())  # fmt: skip
def test_one_more_row_below_the_cohort_changes_nothing_that_is_said_of_it(
    made, fair_product, cells, place, holds
):
    """Two tables that differ by a row differ only in ranges, never in a count."""
    product = fair_product()
    more = list(cells)
    more[place] = (cells[place][0] + (not holds), cells[place][1] + holds)
    one, other = (
        published(made, product, made.profile(table=table(made, cells=c))).bias[0]
        for c in (cells, more)
    )
    negatives, positives = more[place]
    if negatives + positives < 25:
        assert one.groups[place] == other.groups[place]
    for before, after in zip(one.groups, other.groups, strict=True):
        if before.rate and after.rate:  # neighbours at most
            assert before.rate[0] <= after.rate[1]
            assert after.rate[0] <= before.rate[1]


def test_what_the_basis_says_of_people_stays(made, fair_product):
    basis = made.profile(table=table(made))
    newest = made.profile(
        build="build-2", table=table(made, cells=[(1000, 900)] * 4), validity=0.5
    )
    one = published(made, fair_product(), basis)
    two = published(made, fair_product(), newest, basis=basis)
    assert (one.rows, one.labels, one.bias) == (two.rows, two.labels, two.bias)
    assert two.at_least["validity"] == 0.5


def test_a_small_table_says_nothing(made, fair_product):
    small = table(made, cells=[(3, 1)] * 4)
    found = published(
        made, fair_product(), made.profile(table=small), drift={"sex": 3.0}
    )
    assert found.rows == "<25"
    assert (found.at_least, found.filled, found.labels, found.drift) == ({}, {}, {}, ())
    assert all(g.than_all is None for g in found.bias[0].groups)


def test_a_broken_floor_is_marked_with_the_build_that_broke_it(made, fair_product):
    earlier = made.at.replace(day=2)
    known = made.profile(validity=0.5, broken={"validity": earlier})
    assert published(made, fair_product(), known).broken == {"validity": earlier}
    fresh = made.profile(validity=0.5, tests_failed=1)
    assert published(made, fair_product(), fresh).broken == {
        "validity": made.at, "tests": made.at,
    }  # fmt: skip


def test_drift_above_its_floor_is_a_broken_floor_until_it_is_approved(
    made, fair_product
):
    found = made.profile(broken={"drift": made.at})
    drifted = published(made, fair_product(), found, drift={"sex": 0.3})
    assert list(drifted.broken) == ["drift"]
    assert not published(made, fair_product(), found, drift={"sex": 0.0}).broken


def test_private_bins_and_counts_are_not_published(made, fair_product):
    private = Histogram(
        bins=Bins(kind="edges", edges=(1.0, float(CANARY))), counts=(CANARY, 1, 2, 0)
    )
    found = table(made, columns={"sex": private})
    text = published(made, fair_product(), made.profile(table=found)).model_dump_json()
    assert str(CANARY) not in text
    assert "edges" not in text
    assert "counts" not in text


def test_the_file_is_readable_by_all_and_whole(made, fair_product, tmp_path):
    found = published(made, fair_product(), made.profile(table=table(made)))
    path = write_quality(tmp_path, [found])
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert [f.name for f in path.parent.iterdir()] == ["quality.json"]
    assert read_quality(tmp_path) == PublishedQuality(
        domain=tmp_path.name, products=(found,)
    )


def test_a_folder_that_cannot_be_written_is_a_storage_error(tmp_path):
    (tmp_path / "target").write_text("")
    with pytest.raises(StorageError, match="cannot be written"):
        write_quality(tmp_path, [])


@pytest.mark.parametrize(
    "content",
    [
        b"", b"[]", b"null", b'{"format": 2, "domain": "a"}', b"[" * 100_000,
        b'{"domain": "a", "products": [{"product": "a.b"}]}',
        b'{"domain": "a", "more": 1}', b"\xff\xfe", b'{"domain": NaN}',
        b" " * (9 * 1024**2),
    ],
)  # fmt: skip
def test_a_file_of_another_kind_is_refused_by_name_and_not_quoted(tmp_path, content):
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "quality.json").write_bytes(content)
    with pytest.raises(BuildError, match=r"quality\.json"):
        read_quality(tmp_path)


def test_a_domain_may_speak_of_its_own_products_only(made, fair_product, tmp_path):
    found = published(made, fair_product(), made.profile(table=table(made)))
    for domain in ("consumer_banking", "later", "broken"):
        folder = tmp_path / "domains" / domain
        folder.mkdir(parents=True)
        (folder / "node.yml").touch()
        mine = domain == "consumer_banking"
        write_quality(
            folder, [found if mine else found.model_copy(update={"rows": "1"})]
        )
    (tmp_path / "domains" / "broken" / "target" / "quality.json").write_text("{")
    assert read_published(tmp_path) == {("consumer_banking.credit_profile", 1): found}


def test_group_names_are_the_contracts(made, fair_product):
    found = published(made, fair_product(), made.profile(table=table(made)))
    shown = json.loads(found.model_dump_json())["bias"][0]["groups"]
    assert [g["group"] for g in shown] == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("failed", "told"), [(None, None), (0, "passing"), (2, "failing")]
)
def test_tests_that_did_not_run_did_not_pass(made, fair_product, failed, told):
    found = made.profile(tests_failed=failed)
    assert published(made, fair_product(), found).tests == told
