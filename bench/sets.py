"""What the table holds: which families and peers, at which sizes."""

from dataclasses import dataclass

BOOSTING = "hist_gradient_boosting_classifier"


@dataclass(frozen=True)
class Size:
    """How many rows in how many domains."""

    rows: int
    domains: int


@dataclass(frozen=True, kw_only=True)
class Peer:
    """One job of another system.

    Args:
        system: Its file in `bench.peers`, which is also its environment's name.
        job: A job that the file knows.
        what: What the job is, for people.
    """

    system: str
    job: str
    what: str


PEERS: tuple[Peer, ...] = (
    Peer(system="xgboost", job="rabit", what="boosting, rabit sockets"),
    Peer(system="lightgbm", job="sockets", what="boosting, data-parallel sockets"),
    Peer(system="flower", job="logistic", what="logistic, FedAvg"),
    Peer(system="flower", job="mlp", what="network, FedAvg"),
    Peer(system="flower", job="bagging", what="boosting, FedXgbBagging"),
    Peer(system="xgboost", job="federated", what="boosting, gRPC plug-in"),
    Peer(system="nvflare", job="sgd", what="linear SGD, FedAvg"),
    Peer(system="nvflare", job="xgboost", what="boosting, horizontal XGBoost"),
)


@dataclass(frozen=True, kw_only=True)
class Sets:
    """What is measured.

    Args:
        every: Sizes at which every family is measured.
        further: More sizes, for `chosen` only.
        chosen: Names of families.
        beside: Sizes at which peers are measured.
        peers: Their jobs.
    """

    every: tuple[Size, ...]
    further: tuple[Size, ...]
    chosen: tuple[str, ...]
    beside: tuple[Size, ...]
    peers: tuple[Peer, ...]


QUICK = Sets(
    every=(Size(20_000, 3),),
    further=(Size(20_000, 10),),
    chosen=("logistic_regression", BOOSTING),
    beside=(Size(20_000, 3),),
    peers=PEERS[:3],
)
FULL = Sets(
    every=(Size(10_000, 3), Size(100_000, 3), Size(1_000_000, 3)),
    further=(
        Size(100_000, 2),
        Size(100_000, 10),
        Size(100_000, 50),
        Size(24_000, 7),
        Size(90_000, 3),
        Size(900_000, 3),
        Size(10_000_000, 3),
    ),
    chosen=("logistic_regression", "poisson_regression", "gaussian_nb", BOOSTING),
    beside=(Size(20_000, 3), Size(100_000, 3), Size(900_000, 3)),
    peers=PEERS,
)
