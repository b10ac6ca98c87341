"""Studies that came, asked for something else or went."""

from collections.abc import Iterator

from fl_plugin.changes.event import Change, Kind
from fl_plugin.changes.published import Published, PublishedStudy
from fl_plugin.changes.touched import stewards_of


def study_changes(before: Published, now: Published) -> Iterator[Change]:
    """Yield what is different about the studies that learn from a domain."""
    for name, study in now.studies.items():
        old = before.studies.get(name)
        products = ", ".join(study.products)
        if old is None:
            sentence = f"The study {name} wants to learn from {products}."
            yield _change("study.added", study, now, sentence)
        elif old.words != study.words:
            names = sorted(set(old.words) | set(study.words))
            changed = [w for w in names if old.words.get(w) != study.words.get(w)]
            sentence = f"The study {name} is another one: {', '.join(changed)}."
            yield _change("study.changed", study, now, sentence)
    for name, study in before.studies.items():
        if name not in now.studies:
            products = ", ".join(study.products)
            sentence = f"The study {name} no longer learns from {products}."
            yield _change("study.changed", study, before, sentence)


def _change(
    kind: Kind, study: PublishedStudy, published: Published, sentence: str
) -> Change:
    stewards = stewards_of(study, published)
    return Change(
        kind=kind,
        product=study.products[0],
        node=study.nodes[0],
        subject=study.name,
        sentence=sentence,
        remedy=f"See what each domain decides: fl plan {study.name}",
        concerns=tuple(sorted({*stewards, *([study.owner] if study.owner else [])})),
        consumers=(study.consumer,),
    )
