"""A preparation from sums turns rows into what scikit-learn's transformers make."""

import copy
import json

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble._hist_gradient_boosting.binning import _BinMapper
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
)

from fl_plugin.algorithms.base import Target
from fl_plugin.errors import ContractError, MessageError, TrainingError
from fl_plugin.manifest.study_contract import PreparationPlan
from fl_plugin.preparation.features import Feature, Schema
from fl_plugin.preparation.fit import PreparationWorker, prepare_alone, preparing
from fl_plugin.preparation.prepared import Prepared
from fl_plugin.preparation.raw import RawBlock, RawMemory
from fl_plugin.preparation.recipe import Recipe
from tests.preparing import (
    FEATURES,
    PURPOSES,
    RATES,
    parts_of,
    prepare_over,
    schema_of,
    solve_over,
    some_rows,
    table_of,
)

ROWS = some_rows()
TABLE = table_of(ROWS)
NUMBERS = [f.name for f in FEATURES if f.kind == "numeric"]
WORDS = [f.name for f in FEATURES if f.kind == "categorical"]
SCALERS = {"standard": StandardScaler, "robust": RobustScaler}


def pooled_of(plan):
    steps = [
        SimpleImputer(
            strategy=plan.impute or "mean",
            fill_value=plan.fill_value if plan.impute == "constant" else None,
            add_indicator=plan.indicators,
        )
    ]
    if plan.numeric != "none":
        steps.append(SCALERS[plan.numeric or "standard"]())
    categories = [list(PURPOSES), [False, True], list(RATES)]
    if plan.categorical == "ordinal":
        encoder = OrdinalEncoder(
            categories=categories,
            handle_unknown="use_encoded_value",
            unknown_value=-1,
            encoded_missing_value=-1,
            min_frequency=plan.min_count,
        )
    else:
        encoder = OneHotEncoder(
            categories=categories,
            handle_unknown="infrequent_if_exist" if plan.min_count else "ignore",
            min_frequency=plan.min_count,
            sparse_output=False,
        )
    both = [("n", make_pipeline(*steps), NUMBERS), ("c", encoder, WORDS)]
    return ColumnTransformer(both).fit_transform(TABLE)


@pytest.mark.parametrize("numeric", ["standard", "robust", "none"])
@pytest.mark.parametrize("impute", ["mean", "median", "constant"])
@pytest.mark.parametrize("categorical", ["onehot", "ordinal"])
@pytest.mark.parametrize("more", [{}, {"indicators": True, "min_count": 40}])
@pytest.mark.filterwarnings("ignore:Found unknown categories")
def test_every_matrix_equals_the_pooled_one(numeric, impute, categorical, more):
    plan = PreparationPlan(
        numeric=numeric,
        impute=impute,
        categorical=categorical,
        fill_value=-7.5,
        edges="exact",
        **more,
    )
    found = prepare_over(schema_of(edges="exact"), plan, parts_of(ROWS))
    ours = found.design_block(ROWS).x.T
    theirs = pooled_of(plan)
    assert ours.shape == theirs.shape == (ROWS.rows, len(found.columns))
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)
    squares = (theirs**2).mean(axis=0).max()
    assert squares * (1 - 1e-9) <= found.mean_square


def test_moments_are_those_of_scikit_learn_to_the_last_digits():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(3, 10_000)) * [[1.0], [1e6], [1e-3]] + [[0.5], [3e6], [5.0]]
    x[:2, rng.random(10_000) < 0.1] = np.nan
    features = tuple(Feature(name=n, kind="numeric") for n in "abc")
    schema = Schema(features, target=Target(kind="regression", classes=()))
    y = rng.normal(size=10_000) * 100
    block = RawBlock(x, (), y)
    found = prepare_over(schema, PreparationPlan(), parts_of(block, (2_000, 2_100)))
    pooled = make_pipeline(SimpleImputer(), StandardScaler()).fit(x.T)
    np.testing.assert_allclose(found.fills, pooled[0].statistics_, rtol=1e-12)
    np.testing.assert_allclose(found.centers, pooled[1].mean_, rtol=1e-12)
    np.testing.assert_allclose(found.variances, pooled[1].var_, rtol=1e-12)
    np.testing.assert_allclose(found.scales, pooled[1].scale_, rtol=1e-12)
    np.testing.assert_allclose(found.target_mean, y.mean(), rtol=1e-12)
    np.testing.assert_allclose(found.target_mean_square, (y**2).mean(), rtol=1e-12)


def test_the_default_takes_two_rounds_and_sums_of_nothing_else():
    schema = schema_of()
    workers = [
        PreparationWorker(schema, RawMemory(p), np.ones(p.rows, bool))
        for p in parts_of(ROWS)
    ]
    _, seen = solve_over(preparing(schema, PreparationPlan()), workers, schema)
    names = [sorted(sums) for _, sums in seen]
    assert names == [["classes", "present", "rows", "sums"], ["squares"]]


def test_trees_get_missing_values_and_codes_as_they_are():
    plan = PreparationPlan(edges="exact")
    found = prepare_over(schema_of("bins", edges="exact"), plan, parts_of(ROWS))
    block = found.design_block(ROWS)
    assert block.x.dtype == np.uint8
    mapper = _BinMapper().fit(ROWS.numeric.T)
    np.testing.assert_array_equal(block.x[:4].T, mapper.transform(ROWS.numeric.T))
    for row, codes in zip(block.x[4:], ROWS.codes, strict=True):
        np.testing.assert_array_equal(row, np.where(codes < 0, 255, codes))
    assert [c.bins for c in found.columns[4:]] == [5, 2, 3]
    assert [c.categorical for c in found.columns] == [False] * 4 + [True] * 3
    np.testing.assert_array_equal(block.hashes, ROWS.hashes)
    np.testing.assert_array_equal(block.y, ROWS.target)


@pytest.mark.filterwarnings("ignore:Found unknown categories")
def test_bins_of_one_hot_columns_and_indicators_are_scikit_learns():
    plan = PreparationPlan(
        edges="exact",
        impute="mean",
        indicators=True,
        categorical="onehot",
        min_count=40,
        numeric="robust",
    )
    found = prepare_over(schema_of("bins", edges="exact"), plan, parts_of(ROWS))
    pooled = pooled_of(plan)
    mapper = _BinMapper().fit(pooled)
    ours = [c.edges if c.edges is not None else np.zeros(0) for c in found.columns]
    for column, mine, theirs in zip(
        found.columns, ours, mapper.bin_thresholds_, strict=True
    ):
        np.testing.assert_allclose(mine, theirs, rtol=1e-12, err_msg=column.name)
    np.testing.assert_array_equal(
        found.design_block(ROWS).x.T, mapper.transform(pooled)
    )


def test_a_category_that_no_training_row_has_makes_no_split():
    none_rare = ROWS.at(ROWS.codes[0] != 4)
    plan = PreparationPlan(categorical="onehot")
    found = prepare_over(schema_of("bins"), plan, parts_of(none_rare))
    absent = next(c for c in found.columns if c.name == "purpose = rare b")
    assert absent.edges is not None
    assert (absent.bins, len(absent.edges)) == (1, 0)
    place = found.columns.index(absent)
    assert (found.design_block(ROWS).x[place] == 0).all()


def test_a_category_that_every_training_row_has_makes_no_split():
    block = ROWS.at(ROWS.codes[1] == 1)
    plan = PreparationPlan(categorical="onehot")
    found = prepare_over(schema_of("bins"), plan, parts_of(block))
    bins = {c.name: c.bins for c in found.columns}
    assert (bins["phone = False"], bins["phone = True"]) == (1, 1)
    assert bins["rate = 1"] == 2


def test_monotonic_stands_at_its_column():
    plan = PreparationPlan(monotonic={"age": -1})
    found = prepare_over(schema_of("bins"), plan, parts_of(ROWS))
    told = {c.name: c.monotonic for c in found.columns}
    assert told.pop("age") == -1
    assert not any(told.values())


def test_only_chosen_rows_are_learned_from():
    chosen = np.arange(ROWS.rows) % 3 != 0
    schema, plan = schema_of(), PreparationPlan()
    some = prepare_alone(schema, plan, RawMemory(ROWS), chosen)
    apart = prepare_alone(
        schema, plan, RawMemory(ROWS.at(chosen)), np.ones(chosen.sum(), bool)
    )
    assert some.rows == chosen.sum()
    for name, array in some.to_wire()[1].items():
        np.testing.assert_allclose(array, apart.to_wire()[1][name], rtol=1e-13)


PLANS = [
    ("matrix", {}),
    ("matrix", {"impute": "median", "numeric": "robust", "indicators": True}),
    ("matrix", {"min_count": 40, "categorical": "ordinal"}),
    ("bins", {"monotonic": {"age": 1}}),
    ("bins", {"impute": "mean", "categorical": "onehot", "max_bins": 16}),
]


@pytest.mark.parametrize(("prepares", "words"), PLANS)
def test_a_preparation_survives_the_wire(prepares, words):
    schema = schema_of(prepares)
    found = prepare_over(schema, PreparationPlan(**words), parts_of(ROWS))
    facts, arrays = found.to_wire()
    back = Prepared.from_wire(json.loads(json.dumps(facts)), arrays, schema)
    for name, array in back.to_wire()[1].items():
        assert array.tobytes() == arrays[name].tobytes()
    np.testing.assert_array_equal(back.design_block(ROWS).x, found.design_block(ROWS).x)
    assert back.mean_square == found.mean_square


def spoiled(name, change):
    def spoil(facts, arrays):
        arrays[name] = change(arrays[name])

    return spoil


def poison(value, place=0):
    def change(array):
        array = array.copy()
        array[place] = value
        return array

    return change


@pytest.mark.parametrize(
    "spoil",
    [
        lambda facts, arrays: facts.clear(),
        lambda facts, arrays: facts.update(recipe=3),
        lambda facts, arrays: facts["recipe"].update(numeric="cubic"),
        lambda facts, arrays: facts["recipe"].update(edges="exact"),
        lambda facts, arrays: facts["recipe"].update(max_bins=256),
        lambda facts, arrays: facts["recipe"].update(numeric=None),
        lambda facts, arrays: facts["recipe"].update(extra=1),
        lambda facts, arrays: facts["recipe"].pop("impute"),
        lambda facts, arrays: arrays.pop("rows"),
        lambda facts, arrays: arrays.pop("scales"),
        spoiled("rows", poison(0)),
        spoiled("rows", lambda a: a.astype(float)),
        spoiled("rows", poison(2**41)),
        spoiled("present", poison(0)),
        spoiled("present", poison(10_000)),
        spoiled("classes", lambda a: a[:1]),
        spoiled("classes", poison(-1)),
        spoiled("classes", lambda a: a + np.array([0, 1])),
        spoiled("classes", lambda a: a + np.array([1, 0])),  # the moments stay
        spoiled("classes", lambda a: a[::-1].copy()),
        spoiled("classes", np.zeros_like),
        spoiled("target", poison(0.5)),
        spoiled("target", poison(0.0, place=1)),
        spoiled("target", poison(np.nan)),
        spoiled("scales", poison(0.0)),
        spoiled("scales", poison(-1.0)),
        spoiled("scales", poison(np.inf)),
        spoiled("variances", poison(-1.0)),
        spoiled("centers", poison(np.nan)),
        spoiled("centers", lambda a: a[:-1]),
        spoiled("fills", lambda a: a.astype(np.float32)),
        spoiled("edges", lambda a: a[::-1].copy()),
        spoiled("edges", lambda a: a[:-1]),
        spoiled("edges", poison(np.nan)),
        spoiled("edge_counts", poison(255)),
        spoiled("edge_counts", poison(-1)),
        spoiled("categories", lambda a: a[:-1]),
        spoiled("categories", poison(-1)),
        spoiled("categories", poison(ROWS.rows)),
    ],
)
def test_a_preparation_that_could_do_harm_is_refused(spoil):
    schema = schema_of("bins")
    plan = PreparationPlan(min_count=40, numeric="robust")
    facts, arrays = prepare_over(schema, plan, parts_of(ROWS)).to_wire()
    facts = copy.deepcopy(facts)
    Prepared.from_wire(facts, arrays, schema)
    spoil(facts, arrays)
    with pytest.raises(MessageError):
        Prepared.from_wire(facts, arrays, schema)


def test_rare_categories_are_counted_over_all_domains():
    codes = np.repeat([0, 1, 2], [60, 30, 9])
    block = RawBlock(
        np.zeros((0, 99)), (codes,), (np.arange(99) % 2).astype(np.float64)
    )
    schema = Schema(
        (Feature(name="c", kind="categorical", categories=("a", "b", "z")),)
    )
    parts = [block.at(np.arange(99) % 3 == i) for i in range(3)]
    assert all((part.codes[0] == 1).sum() < 30 for part in parts)
    found = prepare_over(schema, PreparationPlan(min_count=30), parts)
    assert [c.name for c in found.columns] == ["c = a", "c = b", "c = (infrequent)"]


@pytest.mark.parametrize("kind", ["binary", "multiclass", "regression", "none"])
def test_a_task_tells_what_the_target_is(kind):
    y = (np.arange(ROWS.rows) % 3).astype(np.float64)
    classes = {"binary": (False, True), "multiclass": ("a", "b", "c")}.get(kind, ())
    y = np.minimum(y, 1.0) if kind == "binary" else y
    block = RawBlock(ROWS.numeric, ROWS.codes, y)
    schema = schema_of(target=Target(kind=kind, classes=classes))
    task = prepare_over(schema, PreparationPlan(), parts_of(block)).task(
        parties=3, seed=9
    )
    assert (task.rows, task.parties, task.seed) == (ROWS.rows, 3, 9)
    assert task.class_counts == tuple(int((y == i).sum()) for i in range(len(classes)))
    if kind != "none":
        assert task.target_mean == pytest.approx(y.mean(), rel=1e-12)
        assert task.target_mean_square == pytest.approx((y**2).mean(), rel=1e-12)


@pytest.mark.parametrize("y", [0, 1])
def test_one_class_is_an_error_that_names_the_other(y):
    target = Target(kind="binary", classes=("bad", "good"))
    block = RawBlock(ROWS.numeric, ROWS.codes, np.full(ROWS.rows, float(y)))
    missing = target.classes[1 - y]
    with pytest.raises(TrainingError, match=f"classes of the target: {missing}\\."):
        prepare_over(schema_of(target=target), PreparationPlan(), parts_of(block))


def test_of_many_classes_without_rows_some_are_named():
    classes = tuple(f"k{i}" for i in range(9))
    target = Target(kind="multiclass", classes=classes)
    y = np.mod(np.arange(ROWS.rows), 2).astype(np.float64)
    block = RawBlock(ROWS.numeric, ROWS.codes, y)
    with pytest.raises(TrainingError, match="k2, k3, k4, k5, k6 and 2 more"):
        prepare_over(schema_of(target=target), PreparationPlan(), parts_of(block))


def test_a_feature_without_a_value_is_named():
    numeric = ROWS.numeric.copy()
    numeric[1] = np.nan
    block = RawBlock(numeric, ROWS.codes, ROWS.target)
    with pytest.raises(TrainingError, match="age has no value"):
        prepare_over(schema_of(), PreparationPlan(), parts_of(block))


@pytest.mark.parametrize("value", [np.inf, -np.inf, 1.7e308])
def test_infinite_values_are_refused_before_they_leave(value):
    numeric = ROWS.numeric.copy()
    numeric[1, :2] = value
    block = RawBlock(numeric, ROWS.codes, ROWS.target)
    with pytest.raises(TrainingError, match="column age has infinite"):
        prepare_over(schema_of("bins"), PreparationPlan(), parts_of(block))


@pytest.mark.parametrize("value", [1e28, 1e14, 1e200])
def test_sums_and_squares_too_large_to_be_sent_name_their_column(value):
    numeric = ROWS.numeric.copy()
    numeric[2, :9] = value
    block = RawBlock(numeric, ROWS.codes, ROWS.target)
    with pytest.raises(TrainingError, match="column income has infinite or absurdly"):
        prepare_over(schema_of(), PreparationPlan(), parts_of(block))


@pytest.mark.parametrize("value", [1e15, 1e200])
def test_so_does_a_target(value):
    block = RawBlock(ROWS.numeric, ROWS.codes, np.full(ROWS.rows, value))
    target = Target(kind="regression", classes=())
    with pytest.raises(TrainingError, match="that is predicted has infinite"):
        prepare_over(schema_of(target=target), PreparationPlan(), parts_of(block))


def test_no_rows_is_an_error():
    nobody = ROWS.at(slice(0, 0))
    with pytest.raises(TrainingError, match="no training rows"):
        prepare_over(schema_of(), PreparationPlan(), [nobody, nobody])


def test_a_domain_without_training_rows_changes_nothing():
    schema, plan = schema_of("bins"), PreparationPlan()
    three = prepare_over(schema, plan, parts_of(ROWS))
    four = prepare_over(schema, plan, [*parts_of(ROWS), ROWS.at(slice(0, 0))])
    for name, array in three.to_wire()[1].items():
        assert array.tobytes() == four.to_wire()[1][name].tobytes()


@pytest.mark.parametrize(
    ("schema", "words", "match"),
    [
        (schema_of(), {"impute": "none"}, "missing"),
        (schema_of("bins"), {"indicators": True}, "missing"),
        (schema_of(), {"edges": "exact"}, "policies"),
        (schema_of("bins"), {"monotonic": {"purpose": 1}}, "monotonic"),
        (schema_of("bins"), {"monotonic": {"nobody": 1}}, "monotonic"),
        (schema_of(), {"monotonic": {"age": 1}}, "monotonic"),
        (
            Schema((Feature(name="c", kind="categorical", categories=()),)),
            {},
            "no category",
        ),
    ],
)
def test_words_that_contradict_each_other_are_refused(schema, words, match):
    with pytest.raises(ContractError, match=match):
        Recipe.of(PreparationPlan(**words), schema)


def test_more_categories_than_bins_are_refused():
    many = tuple(f"c{i:03d}" for i in range(300))
    schema = Schema(
        (Feature(name="c", kind="categorical", categories=many),), prepares="bins"
    )
    codes = np.arange(3_000) % 300
    block = RawBlock(
        np.zeros((0, 3_000)), (codes,), (np.arange(3_000) % 2).astype(np.float64)
    )
    with pytest.raises(ContractError, match="more than 255 categories"):
        prepare_over(schema, PreparationPlan(), parts_of(block))
    found = prepare_over(schema, PreparationPlan(min_count=11), parts_of(block))
    assert found.columns[0].bins == 1
