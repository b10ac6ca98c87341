"""Step 1: the product's tags are the domain's to use."""

from collections.abc import Iterator
from datetime import UTC

from fl_plugin.manifest.types import Product
from fl_plugin.policy.permissions.holding import Identity, Question, Target
from fl_plugin.policy.rule import Refusal, Rule, no_product
from fl_plugin.policy.types import Facts


class TagsRule(Rule):
    """The domain may associate each tag that its product carries.

    Tags decide who gets in, so who may put them on is the mesh owner's to say, in
    `tag_permissions` of `principals.yml`. Where that list is missing every domain may
    use every tag of the vocabulary. Remedy: take the tag off, or ask the mesh owner.
    """

    step = 1
    name = "tags"

    def refusals(self, facts: Facts) -> Iterator[Refusal]:
        """Ask for each tag whether a chain leads up to the mesh owner."""
        product = facts.product
        if product is None:
            yield no_product(facts)
            return
        if facts.node.principals.tag_permissions is None:
            return
        for key, value in sorted(product.contract.tags.items()):
            if not _may_associate(facts, product, (key, value)):
                yield Refusal(
                    "tag.not_associated",
                    f"{product.domain} may not put the tag {key}: {value} on "
                    f"{product.name}.",
                    "Take it off, or ask the mesh owner for a tag permission in "
                    "principals.yml.",
                )

    def says(self, facts: Facts) -> str:
        """Say whose tags they are."""
        return f"The tags of {facts.request.product} are its domain's to use."


def _may_associate(facts: Facts, product: Product, tag: tuple[str, str]) -> bool:
    principals = facts.node.principals
    question = Question(
        verb="associate",
        target=Target(tag=tag),
        today=facts.now.astimezone(UTC).date(),
        permissions=principals.tag_permissions or (),
        who=principals.identity,
    )
    asker = Identity(names=frozenset({("domain", product.domain)}))
    return question.answer(asker).held
