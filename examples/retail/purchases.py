"""Purchases for this mesh: made up, or taken from H&M's public files.

`python purchases.py` writes SYNTHETIC rows into each domain's own data/ folder, with
the columns of the files of "H&M Personalized Fashion Recommendations" and no row of
them. What a customer buys hangs on their age and club status together with the
article's department, group and colour, so that no domain alone can say it.

`python purchases.py --from DIR` takes articles.csv, customers.csv and
transactions_train.csv from a folder instead, for so many customers as are asked for.
"""

import argparse
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
Ids = tuple[list[str], list[str]]

HERE = Path(__file__).parent
CUSTOMERS, ARTICLES, SEED = 2_000, 600, 20261121
FILES = {"customers": "customer", "articles": "product", "transactions": "sales"}
FIRST_DAY = np.datetime64("2019-09-22")
DAYS = 365
YOUNG, AGE_UNKNOWN = 0.6, 0.01  # shares of customers
# Department: the age that likes it most, and how far that reaches.
INDEXES = {
    "Ladieswear": (46, 9),
    "Ladies Accessories": (58, 9),
    "Lingeries/Tights": (30, 7),
    "Menswear": (38, 8),
    "Divided": (20, 5),
    "Sport": (26, 5),
    "Baby Sizes 50-98": (32, 4),
    "Children Sizes 92-140": (38, 4),
    "Children Sizes 134-170": (44, 4),
    "Children Accessories, Swimwear": (66, 8),
}
GROUPS = (
    "Garment Upper body",
    "Garment Lower body",
    "Garment Full body",
    "Accessories",
    "Underwear",
    "Shoes",
    "Swimwear",
    "Socks & Tights",
    "Nightwear",
)
COLOURS = (
    "Black",
    "White",
    "Dark Blue",
    "Light Blue",
    "Grey",
    "Beige",
    "Red",
    "Pink",
    "Green",
    "Yellow",
)
CLUB, CLUB_SHARES = ("ACTIVE", "PRE-CREATE", "LEFT CLUB"), (0.9, 0.09, 0.01)
NEWS, NEWS_SHARES = ("NONE", "Regularly", "Monthly"), (0.65, 0.34, 0.01)


@dataclass(frozen=True)
class Tables:
    """The three files."""

    customers: pa.Table
    articles: pa.Table
    transactions: pa.Table


@dataclass(frozen=True)
class Customers:
    """What taste hangs on: years, and a place in `CLUB`; (customers,) each."""

    age: Floats
    club: Places


@dataclass(frozen=True)
class Articles:
    """Places in `INDEXES`, `GROUPS` and `COLOURS`; (articles,) each."""

    index: Places
    group: Places
    colour: Places


def made_up(customers: int, articles: int, seed: int) -> Tables:
    """Return synthetic rows; the same numbers give the same rows."""
    random = np.random.default_rng(seed)
    who, what = _customers(random, customers), _articles(random, articles)
    ids = _names(random, customers, 32), _codes(random, articles)
    bought = _bought(random, _liked(who, what, random))
    unknown = random.random(customers) < AGE_UNKNOWN
    news = random.choice(NEWS, customers, p=NEWS_SHARES)
    return Tables(
        customers=pa.table(
            {
                "customer_id": ids[0],
                "club_member_status": [CLUB[i] for i in who.club],
                "fashion_news_frequency": list(news),
                "age": pa.array(who.age.astype(np.int64), mask=unknown),
            }
        ),
        articles=pa.table(
            {
                "article_id": ids[1],
                "product_group_name": [GROUPS[i] for i in what.group],
                "colour_group_name": [COLOURS[i] for i in what.colour],
                "index_name": [list(INDEXES)[i] for i in what.index],
            }
        ),
        transactions=_transactions(random, ids, bought, what.group),
    )


def _customers(random: np.random.Generator, count: int) -> Customers:
    young = random.random(count) < YOUNG
    ages = np.where(young, random.normal(26, 6, count), random.normal(50, 9, count))
    return Customers(
        age=np.clip(ages.round(), 16, 85),
        club=random.choice(len(CLUB), count, p=CLUB_SHARES),
    )


def _articles(random: np.random.Generator, count: int) -> Articles:
    return Articles(
        index=random.integers(0, len(INDEXES), count),
        group=random.integers(0, len(GROUPS), count),
        colour=random.integers(0, len(COLOURS), count),
    )


def _liked(who: Customers, what: Articles, random: np.random.Generator) -> Floats:
    """Return how much each customer likes each article: (customers, articles)."""
    centre, width = np.array(list(INDEXES.values()), dtype=float).T
    age = who.age[:, None]
    department = np.exp(-(((age - centre) / width) ** 2) / 2)
    # Groups and colours go in and out of fashion with age, members against others.
    turns = 2 * np.pi * np.arange(len(GROUPS)) / len(GROUPS)
    kind = np.cos(2 * np.pi * age / 60 - turns)
    shades = 2 * np.pi * np.arange(len(COLOURS)) / len(COLOURS)
    member = np.pi * (who.club > 0)[:, None]
    colours = np.cos(2 * np.pi * age / 45 - shades + member)
    popular = random.normal(0, 0.8, len(what.index))
    liked = 3.5 * department[:, what.index] + 1.2 * kind[:, what.group]
    return np.asarray(liked + 1.0 * colours[:, what.colour] + popular)


def _bought(random: np.random.Generator, liked: Floats) -> list[Places]:
    """Return for each customer what they buy, in order: drawn by liking (Gumbel)."""
    many = 3 + random.negative_binomial(2, 0.25, len(liked))
    many = np.minimum(many, liked.shape[1] // 8)
    drawn = liked + random.gumbel(size=liked.shape)
    first = np.argsort(-drawn, axis=1)
    return [
        random.permutation(order[:number])
        for order, number in zip(first, many, strict=True)
    ]


def _transactions(
    random: np.random.Generator,
    ids: Ids,
    bought: list[Places],
    group: Places,
) -> pa.Table:
    customers = np.repeat(np.arange(len(bought)), [len(b) for b in bought])
    articles = np.concatenate(bought)
    days = np.concatenate(
        [np.sort(random.choice(DAYS, len(b), replace=False)) for b in bought]
    )
    prices = random.lognormal(-3.7, 0.5, len(ids[1])) * (1 + 0.05 * group)
    online = random.beta(2, 1, len(bought))[customers]
    paid = prices[articles] * random.choice([1.0, 0.8], len(articles), p=[0.85, 0.15])
    return pa.table(
        {
            "t_dat": pa.array(FIRST_DAY + days.astype("timedelta64[D]")),
            "customer_id": [ids[0][i] for i in customers],
            "article_id": [ids[1][i] for i in articles],
            "price": paid,
            "sales_channel_id": 1 + (random.random(len(articles)) < online),
        }
    )


def _names(random: np.random.Generator, count: int, size: int) -> list[str]:
    return [random.bytes(size).hex() for _ in range(count)]


def _codes(random: np.random.Generator, count: int) -> list[str]:
    numbers = random.choice(10**9, count, replace=False)
    return [f"{number:010d}" for number in numbers]


_CHOSEN = """
    create table chosen as
    select customer_id
    from read_csv($customers, all_varchar = true)
    order by md5(customer_id)
    limit $most
"""
_QUERIES = {
    "customers": """
        select
            customer_id,
            club_member_status,
            fashion_news_frequency,
            try_cast(age as integer) as age
        from read_csv($file, all_varchar = true)
        semi join chosen using (customer_id)
    """,
    "articles": """
        select article_id, product_group_name, colour_group_name, index_name
        from read_csv($file, all_varchar = true)
    """,
    "transactions": """
        select
            cast(t_dat as date) as t_dat,
            customer_id,
            article_id,
            cast(price as double) as price,
            cast(sales_channel_id as integer) as sales_channel_id
        from read_csv($file, all_varchar = true)
        semi join chosen using (customer_id)
    """,
}
_OF_H_AND_M: Mapping[str, str] = {
    "customers": "customers.csv",
    "articles": "articles.csv",
    "transactions": "transactions_train.csv",
}


def real(folder: Path, customers: int) -> Tables:
    """Return the rows of so many customers of H&M's files; all of them for 0.

    Which customers hangs on their ids alone.
    """
    files = {n: str(folder.expanduser() / file) for n, file in _OF_H_AND_M.items()}
    most = customers or sys.maxsize
    with duckdb.connect() as base:
        base.execute(_CHOSEN, {"customers": files["customers"], "most": most})
        found = {
            name: base.sql(query, params={"file": files[name]}).to_arrow_table()
            for name, query in _QUERIES.items()
        }
    return Tables(**found)


def write(tables: Tables, root: Path = HERE) -> None:
    """Put each file where its domain alone reads it."""
    for name, domain in FILES.items():
        folder = root / "domains" / domain / "data"
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(getattr(tables, name), folder / f"raw_{name}.parquet")


def main() -> None:
    """Write the files that the words of the command line ask for."""
    words = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    words.add_argument("--customers", type=int, default=CUSTOMERS)
    words.add_argument("--articles", type=int, default=ARTICLES, help="made-up ones")
    words.add_argument("--seed", type=int, default=SEED)
    words.add_argument("--from", dest="folder", type=Path, help="H&M's files")
    told = words.parse_args()
    if told.folder is None:
        tables, kind = made_up(told.customers, told.articles, told.seed), "synthetic"
    else:
        try:
            tables, kind = real(told.folder, told.customers), "H&M's"
        except duckdb.Error as error:
            why = str(error).partition("\n")[0]
            words.exit(2, f"{why}\nName the folder of the files by its whole path.\n")
    write(tables)
    sys.stdout.write(f"{kind}: {tables.transactions.num_rows:,} purchases\n")


if __name__ == "__main__":
    main()
