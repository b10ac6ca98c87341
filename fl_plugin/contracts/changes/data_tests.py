"""dbt's data tests: what a build checks before anybody learns from it."""

from collections.abc import Iterator

from fl_plugin.contracts.behind import TestRule
from fl_plugin.contracts.change import Family, Found
from fl_plugin.contracts.pairs import Pair


class DataTestChanges(Family):
    """A test that is gone, told otherwise or softened checks less."""

    name = "data_tests"

    def of_product(self, pair: Pair) -> Iterator[Found]:
        """Compare test by test; accepted values are the constraints' affair."""
        before, after = pair.behind_base.tests, pair.behind_head.tests
        for key in sorted(before.keys() - after.keys()):
            column = before[key].column
            if column in pair.base.columns and column not in pair.head.columns:
                yield _gone(before[key], key)
                continue
            yield _said("removed", before[key], key, "is gone", opens=True)
        for key in sorted(after.keys() - before.keys()):
            yield _said("added", after[key], key, "is new", opens=False)
        for key in sorted(before.keys() & after.keys()):
            if before[key] == after[key]:
                continue
            stricter = after[key].hard and not before[key].hard
            told = "checks all rows from now on" if stricter else "checks otherwise"
            word = "hardened" if stricter else "softened"
            yield _said(word, after[key], key, told, opens=not stricter)


def _gone(rule: TestRule, key: str) -> Found:
    return Found(
        kind="test.gone",
        verdict="safe",
        sentence=f"The test {rule.what} went with its column.",
        paths=(("dbt", "tests", key),),
    )


def _said(word: str, rule: TestRule, key: str, told: str, *, opens: bool) -> Found:
    return Found(
        kind=f"test.{word}",
        verdict="loosened" if opens else "tightened",
        sentence=f"The test {rule.what} {told}.",
        paths=(("dbt", "tests", key),),
    )
