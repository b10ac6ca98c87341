"""On real tables, over their natural parties, masked: the pooled trees, all of them."""

import numpy as np
import pytest
from sklearn.metrics import mean_poisson_deviance, roc_auc_score

from bench import boosting, boosting_data

TREES = {"credit_default": 64, "adult": 50, "german": 50, "nmes1988": 60}
TREES["penguins"] = 20


@pytest.mark.parametrize("name", boosting_data.REAL)
@pytest.mark.skipif(
    not boosting_data.PLACE.is_dir(), reason="the real tables are not shipped"
)
def test_a_real_table_gives_the_same_trees_and_the_same_score(name):
    train, test = boosting_data.REAL[name]().halves()
    parties = len(np.unique(train.party))
    found = boosting.compare(train, masked=parties > 2, max_iter=TREES[name])
    assert found.identical == found.trees
    assert found.trees == TREES[name] * (3 if name == "penguins" else 1)
    if name == "nmes1988":
        both = [m.predict(test.x) for m in (found.reference, found.estimator)]
        scores = [mean_poisson_deviance(test.y, p) for p in both]
    else:
        both = [m.predict_proba(test.x) for m in (found.reference, found.estimator)]
        scores = [
            roc_auc_score(test.y, p, multi_class="ovr")
            if name == "penguins"
            else roc_auc_score(test.y, p[:, 1])
            for p in both
        ]
    np.testing.assert_allclose(both[1], both[0], rtol=1e-9, atol=1e-9)
    assert scores[0] == pytest.approx(scores[1], abs=1e-9)
