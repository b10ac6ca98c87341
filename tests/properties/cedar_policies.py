"""What docs/governance.md says of every product, as conditions of Cedar policies.

The numbers are its steps. Cedar counts a policy that fails, since something that it
looks at is missing, as not there; these are all conditions of permits, so what is
missing is denied.
"""

# Of the product, the caller and the run.
OFFERED = """
// 1. Public, contract enforced, active, not past its date; built as promised.
(
  resource.access == "public" && resource.enforced && resource.status == "active"
  && (!(resource has ends) || context.today < resource.ends)
  && context.table == resource.promised
  && context.product == resource.name && context.domain == resource.domain
  && (!(context has version)
      || (resource has version && context.version == resource.version))
  && (!context.must_sign.contains("contracts") || context.contract_signed)
)
// 2. Known to the domain, and asking in its own name.
// 3. is the contract's own rules; here what holds beside them.
&& (
  principal in Domain::"consumer_banking" && context.caller == context.consumer
)
// 5. Purpose and use inside the contract, and something asked for.
&& (
  resource.purposes.contains(context.purpose)
  && resource.uses.containsAll(context.uses)
  && !context.uses.isEmpty() && !context.columns.isEmpty()
)
// Sums and matched rows are never asked for in one request.
&& (
  if context.match == ""
  then !context.uses.containsAny(["train_vertical", "match_by_hash", "match_many",
                                  "release_bins", "release_gradients"])
  else !context.uses.containsAny(["train_horizontal", "aggregate"])
)
&& (context.match != "keyed_hash" || context.uses.contains("match_by_hash"))
// 6. is the node's list of algorithms; here how its sums are protected.
&& (
  context.odd_parameters.isEmpty()
)
&& (
  if context.match != "" then context.secure && context.parties >= 2
  else if context.secure then context.parties >= 3 else context.masks_optional
)
// 7. Freshness and quality floors; a floor without a measurement is not met.
&& (
  (!(resource has completeness) || context has completeness)
  && (!(resource has validity) || context has validity)
  && (!(resource has uniqueness) || context has uniqueness)
  && (!(resource has drift) || !context.has_baseline || context has drift)
  && (!(resource has fresh_for) || context has built_at)
  && (!(resource has completeness || resource has validity
        || resource has uniqueness || resource has fresh_for)
      || context has tests_failed)
)
&& (
  resource.only_warns
  || ((!(resource has completeness) || resource.completeness <= context.completeness)
      && (!(resource has validity) || resource.validity <= context.validity)
      && (!(resource has uniqueness) || resource.uniqueness <= context.uniqueness)
      && (!(resource has drift) || !(context has drift)
          || context.drift <= resource.drift))
)
&& (
  !(context has tests_failed) || context.tests_failed == 0
)
&& (
  !(context has built_at)
  || (context.built_at <= context.now + 300000
      && (!(resource has fresh_for)
          || context.now - context.built_at <= resource.fresh_for))
)
// 8. The filter reads the product's own columns and leaves enough rows.
&& (
  resource.columns.containsAll(context.filter_columns)
)
&& (
  context.rows >= 1 && context.rows >= context.mesh_min_cohort
  && (!(resource has min_cohort) || context.rows >= resource.min_cohort)
)
// 9. Budget left, and no cohort that differs by a few rows from an earlier one.
&& (
  !(context has distance) || context.distance == 0
  || (context.distance >= 1 && context.distance >= context.mesh_min_cohort
      && (!(resource has min_cohort) || context.distance >= resource.min_cohort))
)
&& (
  context has epsilon
  || !(resource.dp_for.contains(context.purpose)
       || resource.dp_for.containsAny(context.uses))
)
&& (
  !(context has epsilon)
  || (context.epsilon > 0 && context.spent >= 0
      && context has delta && context.delta > 0 && context.delta <= resource.dp_delta
      && context.spent + context.epsilon <= resource.dp_epsilon)
)
"""

# Of a grant.
RELIED_ON = """
// 4. An unexpired approved grant whose fingerprint is current, by stewards who did not
// ask themselves, two of them where a column is restricted; 5. that covers it all.
  context.grant.status == "approved" && !context.grant.revoked
  && context.grant.domain == resource.domain
  && context.grant.products.contains(resource.name)
  && context.grant.study == context.study
  && context.grant.consumer == context.consumer
  && context.today < context.grant.expires
  && context.grant.decided <= context.today
  && context.grant.expires <= context.grant.decided + resource.max_days
  && context.grant.policy == context.policy
  && resource.stewards.containsAll(context.grant.approvers)
  && !context.grant.approvers.contains(context.grant.requester)
  && context.grant.approver_count >= (
    if resource.restricted.containsAny(context.grant.columns)
      || !resource.columns.containsAll(context.grant.columns)
    then resource.restricted_approvers else resource.approvers)
  && context.grant.purpose == context.purpose
  && context.grant.uses.containsAll(context.uses)
  && context.grant.columns.containsAll(context.columns)
  && (if context has epsilon
      then context.epsilon <= context.grant.epsilon
      else !(context.grant has epsilon))
  && (!context.must_sign.contains("grants")
      || context.grant.signed.containsAll(context.grant.approvers))
  && (!(context has clock_floor) || context.clock_floor <= context.now)
"""

# Of a column in a role.
TAKEN = """
// 5. Each column's role and uses fit; a protected label is shared with nobody.
  (if context.role == "shared_label"
   then resource.roles.contains("label") && resource.label_sharing == "shared"
   else resource.roles.contains(context.role))
  && (!(resource has uses) || resource.uses.containsAll(context.uses))
  && !(resource has mask)
"""


def permit(action: str, condition: str) -> str:
    """Return a Cedar policy that permits an action under a condition."""
    return (
        f'permit(principal, action == Action::"{action}", resource)'
        f" when {{ {condition} }};\n"
    )
