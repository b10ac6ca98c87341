"""A model node with a `mesh` block, read as a product."""

from collections.abc import Mapping
from datetime import UTC, date, datetime

from fl_plugin.errors import BuildError, ContractError
from fl_plugin.manifest.contract import ColumnContract, ProductContract
from fl_plugin.manifest.fields import Fields
from fl_plugin.manifest.types import Column, Owner, Product, Relation
from fl_plugin.manifest.validation import closest, shown, validated

AcceptedValues = Mapping[tuple[str, str], tuple[str, ...]]
_NOT_NULL = {"not_null", "primary_key"}
_PLAIN = "abcdefghijklmnopqrstuvwxyz0123456789_"


def read_product(
    node: Fields, owners: Mapping[str, Owner], accepted: AcceptedValues
) -> Product:
    """Return the product that a model node describes.

    Args:
        node: The model's node; it has a `mesh` block.
        owners: By dbt's unique id of the group.
        accepted: Accepted values by (unique id of the model, column).

    Raises:
        ContractError: A word under `mesh` is unknown or contradictory.
        BuildError: A field of dbt's own has an unexpected kind.
    """
    domain, model = node.text("package_name"), node.text("name")
    contract = validated(ProductContract, node.mesh(), f"{domain}.{model}")
    if contract.product != f"{domain}.{model}":
        raise ContractError(
            f"{domain}.{model}: the mesh block is called {contract.product}.",
            remedy=f"Write `product: {domain}.{model}`: package and model.",
        )
    config, columns = node.block("config"), _columns(node, accepted)
    return Product(
        name=contract.product,
        domain=domain,
        unique_id=node.text("unique_id"),
        version=node.version("version"),
        latest_version=node.version("latest_version"),
        deprecation_date=_day(node),
        description=node.text("description"),
        access=node.text("access") or config.text("access"),
        contract_enforced=_enforced(node),
        materialized=config.text("materialized"),
        tags=node.texts("tags"),
        owner=_owner(node, domain, owners),
        relation=_relation(node),
        columns=columns,
        key=_key(node, columns),
        event_time=config.text("event_time") or None,
        contract=contract,
    )


def read_owner(group: Fields) -> Owner:
    """Return the team of a dbt group.

    Stewards and support stand beside the name, or under the group's `mesh` block.
    """
    owner = group.block("owner")
    mesh = group.mesh()
    extra = Fields(mesh if isinstance(mesh, Mapping) else {}, group.where)
    return Owner(
        name=owner.text("name"),
        email=owner.text("email"),
        stewards=owner.texts("stewards") or extra.texts("stewards"),
        support=owner.text("support") or extra.text("support"),
    )


def _owner(node: Fields, domain: str, owners: Mapping[str, Owner]) -> Owner:
    group = node.text("group") or node.block("config").text("group")
    owner = owners.get(f"group.{domain}.{group}")
    if owner is None:
        raise ContractError(
            f"{domain}.{node.text('name')} belongs to no group of its domain.",
            remedy="Set `group`; a product needs an owner and stewards.",
        )
    return owner


def _enforced(node: Fields) -> bool:
    return any(
        holder.block("contract").flag("enforced")
        for holder in (node, node.block("config"))
    )


def _relation(node: Fields) -> Relation:
    return Relation(
        database=node.text("database"),
        schema=node.text("schema"),
        identifier=node.text("alias") or node.text("name"),
    )


def _day(node: Fields) -> date | None:
    text = node.text("deprecation_date")
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BuildError(
            f"{node.where}: deprecation_date is not a date.",
            remedy="Build the domain again: dbt build",
        ) from None
    return (found.astimezone(UTC) if found.tzinfo else found).date()


def _columns(node: Fields, accepted: AcceptedValues) -> dict[str, Column]:
    required = _required_by_model(node)
    found = {}
    for name, column in node.blocks("columns"):
        where = f"{node.text('package_name')}.{node.text('name')}, column {shown(name)}"
        if not name or not set(name.lower()) <= set(_PLAIN) or name[0].isdigit():
            raise ContractError(
                f"{where}: the name is not a plain SQL name.",
                remedy="Use letters, digits and underscores in a product's columns.",
            )
        block = column.mesh()
        found[name] = Column(
            name=name,
            description=column.text("description"),
            data_type=column.text("data_type"),
            nullable=name not in required and not _required(column),
            accepted_values=accepted.get((node.text("unique_id"), name)),
            contract=validated(ColumnContract, {} if block is None else block, where),
        )
    return found


def _required(column: Fields) -> bool:
    return any(c.text("type") in _NOT_NULL for c in column.listed("constraints"))


def _required_by_model(node: Fields) -> set[str]:
    return {
        name
        for constraint in node.listed("constraints")
        if constraint.text("type") in _NOT_NULL
        for name in constraint.texts("columns")
    }


def _key(node: Fields, columns: Mapping[str, Column]) -> tuple[str, ...]:
    for constraint in node.listed("constraints"):
        if constraint.text("type") == "primary_key" and constraint.texts("columns"):
            return constraint.texts("columns")
    primary = tuple(
        name
        for name, column in node.blocks("columns")
        if any(c.text("type") == "primary_key" for c in column.listed("constraints"))
    )
    joined = tuple(c.name for c in columns.values() if "join_key" in c.contract.roles)
    return primary or joined


def accepted_values(tests: Mapping[str, Fields]) -> AcceptedValues:
    """Return what each column may hold, by (unique id of the model, column).

    Only a test that covers every row and fails the build counts: one with `where`,
    `limit` or severity `warn` promises nothing. Of two tests the common values hold.
    """
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for unique_id in sorted(tests):
        test = tests[unique_id]
        about = test.block("test_metadata")
        if about.text("name") != "accepted_values" or not _covers_all_rows(test):
            continue
        key = (test.text("attached_node"), test.text("column_name"))
        values = _values(about.block("kwargs"))
        if values is None:
            continue
        before = found.get(key, values)
        found[key] = tuple(value for value in before if value in values)
    return found


def _covers_all_rows(test: Fields) -> bool:
    config = test.block("config")
    softened = config.value.get("where") or config.value.get("limit")
    return not softened and config.text("severity").lower() != "warn"


def _values(arguments: Fields) -> tuple[str, ...] | None:
    found = arguments.value.get("values")
    if not isinstance(found, list):
        return None  # Jinja, or something newer: no promise can be read from it
    return tuple(_as_text(value) for value in found)


def _as_text(value: object) -> str:
    """DuckDB prints true and false in lower case; so must a boolean's text."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def unknown_block(node: Fields) -> ContractError | None:
    """Return what is wrong with a model's `mesh` block that is no product's."""
    block = node.mesh()
    name = f"{node.text('package_name')}.{node.text('name')}"
    if isinstance(block, Mapping) and "product" in block:
        return None
    words = [str(word) for word in block] if isinstance(block, Mapping) else []
    near = [word for word in words if closest("product", [word]).startswith("Did")]
    hint = f"Did you mean product, where it says {shown(near[0])}?" if near else ""
    return ContractError(
        f"{name}: its mesh block does not say which product it is.",
        remedy=hint or f"Add `product: {name}`, or remove the block.",
    )
