"""Studies: a consumer's wish, which every domain decides by its own files.

A study that asks for more gets nothing more, so none of this opens.
"""

from collections.abc import Iterator

from fl_plugin.contracts.change import Family, Found, listed
from fl_plugin.contracts.pairs import Comparison
from fl_plugin.manifest.types import Study


class StudyChanges(Family):
    """What a study asks for is looked at where it asks for more."""

    name = "studies"

    def of_mesh(self, both: Comparison) -> Iterator[Found]:
        """Compare study by study; a domain's own manifest has none."""
        if not (both.base.manifest.studies and both.head.manifest.studies):
            return
        before, after = (
            {n: s for n, s in side.manifest.studies.items() if _asks(s, both)}
            for side in (both.base, both.head)
        )
        for name in sorted(before.keys() | after.keys()):
            was, now = before.get(name), after.get(name)
            if was is None and now is not None:
                told = f"The study {name} is new: it asks for {_features(now)}."
                yield _said(now, "added", told, review=True)
            elif now is None and was is not None:
                told = f"The study {name} is gone."
                yield _said(was, "removed", told, review=False)
            elif was is not None and now is not None and was != now:
                yield _edited(was, now)


def _asks(study: Study, both: Comparison) -> bool:
    return any(both.covers(p.partition(".")[0]) for p in study.products)


def _features(study: Study) -> str:
    return f"{len(study.contract.features)} features"


def _said(study: Study, word: str, sentence: str, *, review: bool) -> Found:
    return Found(
        kind=f"study.{word}",
        verdict="review" if review else "safe",
        sentence=sentence,
        product=listed(study.products),
    )


def _edited(was: Study, now: Study) -> Found:
    changed = [
        word
        for word in type(now.contract).model_fields
        if getattr(was.contract, word) != getattr(now.contract, word)
    ]
    changed += ["products"] * (was.products != now.products)
    if not changed:
        told = f"The study {now.name} is described otherwise."
        return _said(now, "described", told, review=False)
    fewer = changed == ["features"] and set(now.contract.features) < set(
        was.contract.features
    )
    told = f"The study {now.name} has another {', another '.join(sorted(changed))}."
    if fewer:
        told = f"The study {now.name} asks for fewer features."
    return _said(now, "narrowed" if fewer else "edited", told, review=not fewer)
