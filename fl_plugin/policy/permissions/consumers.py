"""What a consumer holds on a product, by its domain's own files."""

from datetime import date

from fl_plugin.manifest.types import Product
from fl_plugin.policy.permissions.holding import Holding, Identity, Question, Target
from fl_plugin.policy.permissions.permission import Verb
from fl_plugin.policy.types import Node


def product_holding(
    node: Node, consumer: str, product: Product, verb: Verb, today: date
) -> Holding:
    """Return whether a consumer holds a verb on a product of the node's domain.

    Args:
        node: The domain's settings: its permissions and the principals it has pinned.
        consumer: Its name.
        product: Of this domain; its tags stand in its contract.
        verb: Which.
        today: UTC; a permission ends when its last day begins.
    """
    question = Question(
        verb=verb,
        target=Target(
            domain=product.domain, product=product.name, tags=product.contract.tags
        ),
        today=today,
        permissions=node.permissions or (),
        who=node.principals.identity,
    )
    return question.answer(_identity(node, consumer))


def _identity(node: Node, name: str) -> Identity:
    """Return who it is by the pinned list, or by the node's own where it has one."""
    consumer = node.principals.consumers.get(name)
    names = {("consumer", name)}
    attributes = node.consumers.get(name, {})
    if consumer is None:
        return Identity(names=frozenset(names), attributes=attributes)
    names |= {("role", role) for role in consumer.roles}
    roles = node.principals.roles
    may = frozenset(verb for role in consumer.roles for verb in roles.get(role, ()))
    return Identity(names=frozenset(names), attributes=attributes, may=may)
