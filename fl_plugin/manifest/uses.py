"""The uses that this toolkit knows by name; a mesh's own words may name others.

What a use opens at a party stands with each kind of work (`party.answer.Kind`).
"""

TRAIN_HORIZONTAL = "train_horizontal"
TRAIN_VERTICAL = "train_vertical"
EVALUATE = "evaluate"
PREDICT = "predict"
QUERY = "query"
AGGREGATE = "aggregate"
# Ways of a vertical run that tell others more, so that a contract names them as well.
MATCH_BY_HASH = "match_by_hash"
MATCH_MANY = "match_many"
RELEASE_BINS = "release_bins"
RELEASE_GRADIENTS = "release_gradients"

OF_SUMS = frozenset({TRAIN_HORIZONTAL, AGGREGATE})
OF_MATCHED_ROWS = frozenset(
    {TRAIN_VERTICAL, MATCH_BY_HASH, MATCH_MANY, RELEASE_BINS, RELEASE_GRADIENTS}
)
