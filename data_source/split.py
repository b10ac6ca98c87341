"""Deal the Statlog German credit file out to the four domains' seeds.

Run `python data_source/split.py` from anywhere; the seeds are part of the repository
and this file says where every one of their values comes from. Values stay Statlog's
codes, and columns get the only names the original gives them, `attribute_<n>`:
renaming and decoding is what each domain's staging models are for.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCE = HERE / "german_credit.csv"
DOMAINS = HERE.parent / "domains"

# A lender is whoever lends for these purposes (Statlog's attribute 4).
LENDERS: Mapping[str, tuple[str, ...]] = {
    "auto_finance": ("A40", "A41"),
    "commercial_banking": ("A46", "A48", "A49", "A410"),
    "consumer_banking": ("A42", "A43", "A44", "A45"),
}
# Seed -> Statlog attribute numbers; attribute 21 is the outcome, which Statlog
# leaves without a number and calls the class.
LENDING: Mapping[str, tuple[int, ...]] = {
    "raw_applications": (2, 4, 5, 8, 10, 21),
    "raw_applicants": (1, 3, 7, 9, 13, 16, 17, 20),
}
WEALTH: Mapping[str, tuple[int, ...]] = {
    "raw_wealth": (6, 12, 14),
    "raw_households": (11, 15, 18, 19),
}
OUTCOME = 21

Row = Sequence[str]


def customer_id(row: Row) -> str:
    """Return the synthetic key: the original has none, so its row number serves."""
    return f"C{int(row[0]):04d}"


def seed_text(rows: Iterable[Row], attributes: Sequence[int]) -> str:
    """Return one seed as CSV: the key, then the attributes in the given order."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = ["class" if n == OUTCOME else f"attribute_{n}" for n in attributes]
    writer.writerow(["customer_id", *names])
    writer.writerows([customer_id(r), *(r[n] for n in attributes)] for r in rows)
    return out.getvalue()


def seeds() -> dict[Path, str]:
    """Return every seed's path below `domains/` and its text."""
    with SOURCE.open(encoding="utf-8", newline="") as source:
        rows = list(csv.reader(source))[1:]
    parts = {d: [r for r in rows if r[4] in codes] for d, codes in LENDERS.items()}
    texts = {
        Path(domain, "seeds", f"{seed}.csv"): seed_text(part, attributes)
        for domain, part in parts.items()
        for seed, attributes in LENDING.items()
    }
    for seed, attributes in WEALTH.items():
        path = Path("asset_management", "seeds", f"{seed}.csv")
        texts[path] = seed_text(rows, attributes)
    return texts


def main() -> None:
    """Write the seeds; each is written aside and renamed."""
    for path, text in seeds().items():
        target = DOMAINS / path
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = target.with_suffix(".csv.new")
        aside.write_text(text, encoding="utf-8", newline="\n")
        aside.replace(target)


if __name__ == "__main__":
    main()
