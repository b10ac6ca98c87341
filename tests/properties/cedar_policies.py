"""What docs/governance.md says of every product, as Cedar policies.

The numbers are its steps. Cedar counts a policy that fails, since something that it
looks at is missing, as not there; so permits say what must hold, and a forbid says
"unless", never "when".
"""

POLICIES = """
// 1. Public, contract enforced, active, not past its date; built as promised.
permit(principal, action == Action::"offer", resource) when {
  resource.access == "public" && resource.enforced && resource.status == "active"
  && (!(resource has ends) || context.today < resource.ends)
  && context.table == resource.promised
  && context.product == resource.name && context.domain == resource.domain
  && (!(context has version)
      || (resource has version && context.version == resource.version))
  && (!context.must_sign.contains("contracts") || context.contract_signed)
};

// 2. Known to the domain, and asking in its own name.
// 3. is the contract's own rules; here what holds beside them.
@id("known")
forbid(principal, action == Action::"ask", resource) unless {
  principal in Domain::"consumer_banking" && context.caller == context.consumer
};
// 5. Purpose and use inside the contract, and something asked for.
@id("inside")
forbid(principal, action == Action::"ask", resource) unless {
  resource.purposes.contains(context.purpose)
  && resource.uses.containsAll(context.uses)
  && !context.uses.isEmpty() && !context.columns.isEmpty()
};

// 4. An unexpired approved grant whose fingerprint is current, by stewards who did not
// ask themselves, two of them where a column is restricted; 5. that covers it all.
permit(principal, action == Action::"rely", resource) when {
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
};

// 5. Each column's role and uses fit; a protected label is shared with nobody.
permit(principal, action == Action::"take", resource) when {
  (if context.role == "shared_label"
   then resource.roles.contains("label") && resource.label_sharing == "shared"
   else resource.roles.contains(context.role))
  && (!(resource has uses) || resource.uses.containsAll(context.uses))
  && !(resource has mask)
};

// 6. is the node's list of algorithms; here how its sums are protected.
@id("parameters")
forbid(principal, action == Action::"run", resource) unless {
  context.odd_parameters.isEmpty()
};
@id("masks")
forbid(principal, action == Action::"run", resource) unless {
  if context.secure then context.parties >= 3 else context.masks_optional
};
// 7. Freshness and quality floors; a floor without a measurement is not met.
@id("measured")
forbid(principal, action == Action::"run", resource) unless {
  (!(resource has completeness) || context has completeness)
  && (!(resource has validity) || context has validity)
  && (!(resource has uniqueness) || context has uniqueness)
  && (!(resource has drift) || !context.has_baseline || context has drift)
  && (!(resource has fresh_for) || context has built_at)
  && (!(resource has completeness || resource has validity
        || resource has uniqueness || resource has fresh_for)
      || context has tests_failed)
};
@id("floors")
forbid(principal, action == Action::"run", resource) unless {
  resource.only_warns
  || ((!(resource has completeness) || resource.completeness <= context.completeness)
      && (!(resource has validity) || resource.validity <= context.validity)
      && (!(resource has uniqueness) || resource.uniqueness <= context.uniqueness)
      && (!(resource has drift) || !(context has drift)
          || context.drift <= resource.drift))
};
@id("tests")
forbid(principal, action == Action::"run", resource) unless {
  !(context has tests_failed) || context.tests_failed == 0
};
@id("age")
forbid(principal, action == Action::"run", resource) unless {
  !(context has built_at)
  || (context.built_at <= context.now + 300000
      && (!(resource has fresh_for)
          || context.now - context.built_at <= resource.fresh_for))
};
// 8. The filter reads the product's own columns and leaves enough rows.
@id("filter")
forbid(principal, action == Action::"run", resource) unless {
  resource.columns.containsAll(context.filter_columns)
};
@id("cohort")
forbid(principal, action == Action::"run", resource) unless {
  context.rows >= 1 && context.rows >= context.mesh_min_cohort
  && (!(resource has min_cohort) || context.rows >= resource.min_cohort)
};
// 9. Budget left, and no cohort that differs by a few rows from an earlier one.
@id("distance")
forbid(principal, action == Action::"run", resource) unless {
  !(context has distance) || context.distance == 0
  || (context.distance >= 1 && context.distance >= context.mesh_min_cohort
      && (!(resource has min_cohort) || context.distance >= resource.min_cohort))
};
@id("noise")
forbid(principal, action == Action::"run", resource) unless {
  context has epsilon
  || !(resource.dp_for.contains(context.purpose)
       || resource.dp_for.containsAny(context.uses))
};
@id("budget")
forbid(principal, action == Action::"run", resource) unless {
  !(context has epsilon)
  || (context.epsilon > 0 && context.spent >= 0
      && context.spent + context.epsilon <= resource.dp_epsilon)
};
"""
