"""Numbers as people read them."""

import pytest

from fl_plugin.report import wording


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (wording.figure(0.7946), "0.795"),
        (wording.figure(-0.5, 1), "\u22120.5"),
        (wording.figure(None), "\u2013"),
        (wording.figure(-0.00001), "0.000"),
        (wording.tick(120000.0), "120,000"),
        (wording.tick(-0.05), "\u22120.05"),
        (wording.tick(-0.0), "0"),
        (wording.times(1), "once"),
        (wording.times(2), "twice"),
        (wording.times(5), "5 times"),
        (
            wording.method_in_text("Ridge regression, exact (products)"),
            "ridge regression",
        ),
        (
            wording.method_in_text("Random forest of classes"),
            "random forest of classes",
        ),
        (wording.method_in_text("Gaussian naive Bayes, exact"), "Gaussian naive Bayes"),
        (wording.signed(0.0171), "+0.017"),
        (wording.signed(-0.0171), "\u22120.017"),
        (wording.signed(0.0001), "0.000"),
        (wording.signed(-0.0001), "0.000"),
        (wording.signed(None), "\u2013"),
        (wording.short(4.02e-14), "4.02\u00a0\u00d7\u00a010\u207b\u00b9\u2074"),
        (wording.short(-1234567.0), "\u22121.23\u00a0\u00d7\u00a010\u2076"),
        (wording.short(0.3455), "0.345"),
        (wording.short(None), "\u2013"),
        (wording.percent(0.2), "20 %"),
        (wording.percent(None), "\u2013"),
        (wording.count(1234), "1,234"),
        (wording.count(None), "\u2013"),
        (wording.rows(340), "about 340"),
        (wording.rows(None), "too few to say"),
        (wording.rounded(1010), "1,000"),
        (wording.size(999), "999 B"),
        (wording.size(4_550_000), "4.55 MB"),
        (wording.size(2e9), "2 GB"),
        (wording.duration(0.21), "210 ms"),
        (wording.duration(2.34), "2.3 s"),
        (wording.duration(600), "10.0 min"),
        (wording.title("auto_finance"), "Auto finance"),
        (wording.title(""), ""),
        (wording.listed([]), ""),
        (wording.listed(["a"]), "a"),
        (wording.listed(["a", "b", "c"]), "a, b and c"),
        (wording.counted(1, "domain"), "one domain"),
        (wording.counted(3, "domain"), "three domains"),
        (wording.counted(30, "domain"), "30 domains"),
        (wording.digest("sha256:" + "a" * 64), "a" * 12 + "\u2026"),
        (wording.digest("abc"), "abc"),
        (wording.metric_name("roc_auc"), "ROC-AUC"),
        (wording.metric_name("gain_at_ten"), "Gain at ten"),
        (wording.metric_meaning("gain_at_ten"), ""),
        (wording.metric_in_text("roc_auc"), "ROC-AUC"),
        (wording.metric_in_text("r2"), "R\u00b2"),
        (wording.metric_in_text("accuracy"), "accuracy"),
        (wording.metric_in_text("brier"), "Brier score"),
        (wording.value_of("accuracy", 0.8651), "0.865"),
        (wording.value_of("mse", 6194106.2), "6,194,106"),
        (wording.value_of("mse", None), "\u2013"),
        (wording.change_of("mse", 12.3456), "+12.35"),
        (wording.change_of("mse", -12.3456), "\u221212.35"),
        (wording.change_of("roc_auc", 0.0171), "+0.017"),
        (wording.change_of("mse", None), "\u2013"),
        (wording.amount(123.456), "123.5"),
        (wording.amount(0.0), "0.000"),
        (wording.amount(0.00012), "0.00012"),
        (wording.amount(2.5e7), "2.5\u00a0\u00d7\u00a010\u2077"),
        (wording.baseline_name("mean"), "Training mean"),
        (wording.baseline_name("last_year"), "Last year"),
        (wording.category(value=True), "true"),
        (wording.category(None), "not known"),
        (wording.category(3), "3"),
    ],
)
def test_a_number_reads_well(call, expected):
    assert call == expected


@pytest.mark.parametrize(
    ("largest", "unit"),
    [(0, "kB"), (900, "kB"), (1_999_999, "kB"), (2e6, "MB"), (5e8, "MB"), (3e9, "GB")],
)
def test_bytes_are_drawn_in_a_unit_of_few_digits(largest, unit):
    assert wording.unit_for(largest)[0] == unit
