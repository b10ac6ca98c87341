-- Wrong rows: products that would answer about fewer people than mesh_policy.yml allows.
-- Remedy: raise min_cohort in the product's contract.
select
    product,
    version
from {{ ref("mesh_products") }}
where min_cohort < 10
