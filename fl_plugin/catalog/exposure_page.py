"""The pages of studies and grants: what is wanted, what is allowed, until when."""

from collections.abc import Iterator

from fl_plugin.catalog.grant_state import GrantState
from fl_plugin.catalog.markdown import (
    address,
    code,
    codes,
    link,
    plain,
    prose,
    table,
)
from fl_plugin.catalog.view import View, grant_id, version_words
from fl_plugin.catalog.words import counted, listed, percent, spaced, use_words
from fl_plugin.manifest.types import Grant, Product, Study


def study_description(view: View, study: Study, said: str) -> str:
    """Return a study's whole description; `said` is its owner's part of it."""
    return "\n\n".join([prose(said), "---", *_study(view, study)])


def _study(view: View, study: Study) -> Iterator[str]:
    yield "**What each domain allows**"
    yield _answers(view, study)
    yield "**What is learned, and how**"
    yield "\n".join(f"- {line}" for line in _how(study))
    yield "**Models**"
    yield _model(view, study)
    yield "**Run it**"
    name = study.name
    yield (
        f"{code(f'fl plan {name}')} asks every domain and reads no row; "
        f"{code(f'fl access explain {name}')} says why one refuses; "
        f"{code(f'fl train {name}')} trains."
    )


def _answers(view: View, study: Study) -> str:
    by_id = {p.unique_id: p for p in view.products}
    rows = []
    for name, unique_id in zip(study.products, study.product_ids, strict=True):
        product = by_id.get(unique_id)
        if product is None:
            rows.append([plain(name), "the contract is not valid", "\N{EN DASH}"])
            continue
        page = link(f"{product.domain}: {version_words(product)}", "model", unique_id)
        states = view.grants_for(study, product)
        said = [_state(s) for s in states]
        rows.append([page, ", ".join(said) or "no grant yet", _steward(product)])
    return table(["Product", "Grant", "Who decides"], rows)


def _state(state: GrantState) -> str:
    words = state.words.replace("-", "\N{NON-BREAKING HYPHEN}")
    return link(words, "exposure", grant_id(state.grant))


def _steward(product: Product) -> str:
    owner = product.owner
    return ", ".join(address(p) for p in owner.stewards) or plain(owner.name)


def _how(study: Study) -> Iterator[str]:
    contract = study.contract
    across = {
        "horizontal": "each domain has other customers and the same columns",
        "vertical": "each domain has other columns of the same customers",
    }
    yield f"For {plain(spaced(contract.purpose))}, by {plain(study.owner.name)}."
    yield f"{contract.mode.capitalize()}: {across[contract.mode]}."
    settings = contract.algorithm.parameters.items()
    with_ = ", ".join(f"{spaced(k)} {v}" for k, v in settings)
    name = plain(spaced(contract.algorithm.name).capitalize())
    yield f"{name}{f' ({plain(with_)})' if with_ else ''}."
    count = counted(len(contract.features), "feature")
    names = codes(contract.features)
    if contract.target is None:
        yield f"Looks for structure in {count}: {names}."
    else:
        yield f"Predicts {code(contract.target)} from {count}: {names}."
    if contract.privacy.secure_aggregation:
        yield "Domains add up behind masks: nobody sees one domain's part of a sum."
    else:
        yield "**Without masks**: the coordinator sees each domain's own sums."
    plan = contract.evaluation
    yield (
        f"Judged on {percent(plan.holdout)} of the rows, never trained on, and by "
        f"{plan.folds}-fold cross-validation, {counted(plan.repeats, 'time')}."
    )


def _model(view: View, study: Study) -> str:
    found = view.models.get(study.name)
    if found is None:
        return "None trained yet."
    score = "" if found.score is None else f", hold-out ROC\\-AUC {found.score:.3f}"
    where = f"registry/{found.study}/v{found.version}/report.html"
    return (
        f"v{found.version} of {plain(found.created_at[:10])}{score}; "
        f"its report is {code(where)}."
    )


def grant_description(view: View, grant: Grant, said: str) -> str:
    """Return a grant's whole description; `said` is its domain's part of it."""
    return "\n\n".join([prose(said), "---", *_grant(view, grant)])


def _grant(view: View, grant: Grant) -> Iterator[str]:
    yield table(["", ""], _facts(view, grant))
    yield f"**{counted(len(grant.columns), 'column')}**"
    yield codes(grant.columns)
    yield "**If it should end, or change**"
    people = listed([address(p) for p in _stewards(view, grant)], "or")
    ask = f"Ask {people}. " if people else ""
    yield (
        f"{ask}A domain ends its own grants at any time; a change of the product's "
        "policy stops them until a steward has confirmed them."
    )


def _facts(view: View, grant: Grant) -> Iterator[list[str]]:
    by_id = {p.unique_id: p for p in view.products}
    products = [by_id[i] for i in grant.product_ids if i in by_id]
    for state in (s for p in products for s in view.grants_on(p) if s.grant is grant):
        page = link(version_words(state.product), "model", state.product.unique_id)
        yield [page, f"**{plain(state.words)}**"]
        if not state.live and state.remedy:
            yield ["To do", plain(state.remedy)]
    found = view.manifest.studies.get(grant.study)
    name = plain(spaced(grant.study))
    study = (
        link(found.label or found.name, "exposure", view.study_id(found))
        if (found)
        else f"{name} (not in this mesh)"
    )
    yield ["For the study", study]
    yield ["Consumer", plain(view.consumer_name(grant))]
    yield ["Purpose", plain(spaced(grant.purpose))]
    yield ["Uses", plain(", ".join(use_words(u) for u in grant.uses))]
    on = f", on {grant.requested_at}" if grant.requested_at else ""
    yield ["Asked for by", f"{address(grant.requested_by)}{on}"]
    if grant.approved_by:
        on = f", on {grant.decided_at}" if grant.decided_at else ""
        people = listed([address(p) for p in grant.approved_by])
        yield ["Decided by", f"{people}{on}"]
    if grant.epsilon is not None:
        yield ["Privacy budget", f"epsilon {grant.epsilon:g}"]


def _stewards(view: View, grant: Grant) -> tuple[str, ...]:
    owned = (p for p in view.products if p.unique_id in grant.product_ids)
    found: dict[str, None] = {}
    for product in owned:
        found |= dict.fromkeys(product.owner.stewards)
    return tuple(found)
