"""Exposures with a `mesh` block, read as grants (a request) and studies (a model)."""

from collections.abc import Mapping

from fl_plugin.errors import ContractError
from fl_plugin.manifest.fields import Fields
from fl_plugin.manifest.grant_contract import GrantContract
from fl_plugin.manifest.study_contract import StudyContract
from fl_plugin.manifest.types import Grant, Owner, Study
from fl_plugin.manifest.validation import closest, shown, validated
from fl_plugin.manifest.words import check_name

Models = Mapping[str, str]  # dbt unique id of a model to `<domain>.<model>`
_GRANT_WORDS = ("request", "decision")
_STUDY_WORDS = ("algorithm", "consumer", "features", "mode", "purpose", "target")


def exposure_kind(exposure: Fields) -> str:
    """Return "grant", "study", or "" for an exposure that is not the mesh's.

    Raises:
        ContractError: There is a `mesh` block, and it is neither.
    """
    block = exposure.mesh()
    if block is None:
        return ""
    words = set(block) if isinstance(block, Mapping) else set()
    if "request" in words:
        return "grant"
    if "algorithm" in words:
        return "study"
    for word in sorted(shown(w) for w in words):
        near = closest(word, _GRANT_WORDS + _STUDY_WORDS)
        if near.startswith("Did"):
            raise ContractError(
                f"{exposure.where}: its mesh block has neither request nor algorithm, "
                f"but {word}.",
                remedy=near,
            )
    raise ContractError(
        f"{exposure.where}: its mesh block has neither request nor algorithm.",
        remedy="A grant has a request, a study an algorithm.",
    )


def read_grant(exposure: Fields, models: Models) -> Grant:
    """Return the grant that an exposure of a domain describes.

    Raises:
        ContractError: A word is wrong, or it is about another domain's product.
    """
    name, domain = exposure.text("name"), exposure.text("package_name")
    where = f"{domain}, grant {shown(name)}"
    check_name(name, where)
    contract = validated(GrantContract, exposure.mesh(), where)
    ids, products = _products(exposure, models, where)
    if any(not product.startswith(f"{domain}.") for product in products):
        raise ContractError(
            f"{where}: it names a product of another domain.",
            remedy="Each domain grants its own products, in its own project.",
        )
    request, decision = contract.request, contract.decision
    return Grant(
        name=name,
        domain=domain,
        products=products,
        product_ids=ids,
        study=request.study,
        consumer=request.consumer,
        requested_by=request.by,
        requested_at=request.at,
        days=request.days,
        purpose=request.purpose,
        uses=request.uses,
        columns=request.columns,
        epsilon=request.epsilon,
        status=decision.status,
        approved_by=decision.by,
        decided_at=decision.at,
        expires=decision.expires,
        policy=decision.policy,
        signatures=decision.signatures,
    )


def read_study(exposure: Fields, models: Models) -> Study:
    """Return the study that an exposure describes.

    Raises:
        ContractError: A word is wrong, or it depends on no product.
    """
    name = exposure.text("name")
    where = f"study {shown(name)}"
    check_name(name, where)
    contract = validated(StudyContract, exposure.mesh(), where)
    ids, products = _products(exposure, models, where)
    owner = exposure.block("owner")
    return Study(
        name=name,
        label=exposure.text("label") or name,
        description=exposure.text("description"),
        owner=Owner(name=owner.text("name"), email=owner.text("email")),
        products=products,
        product_ids=ids,
        contract=contract,
    )


def _products(
    exposure: Fields, models: Models, where: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    nodes = exposure.block("depends_on").texts("nodes")
    ids = tuple(node for node in nodes if node.startswith("model."))
    if not ids:
        raise ContractError(
            f"{where}: depends_on names no product.",
            remedy="Add `depends_on: [\"ref('<domain>', '<product>')\"]`.",
        )
    return ids, tuple(models.get(i) or name_in(i) for i in ids)


def name_in(unique_id: str) -> str:
    """Return `<domain>.<model>` of an id such as model.<domain>.<model>.v1."""
    return ".".join(unique_id.split(".")[1:3])
