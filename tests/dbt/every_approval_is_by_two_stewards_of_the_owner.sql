-- Wrong rows: approved grants with fewer than two approvals, with the approval of somebody
-- who is no steward of the product, or of the one who asked. Every grant here opens the
-- label, which is restricted. Remedy: ask the stewards that mesh_products names.
with

grants as (
    select * from {{ ref("mesh_grants") }}
),

products as (
    select * from {{ ref("mesh_products") }}
),

final as (
    select
        grants.domain,
        grants.grant_name
    from grants
    left join products
        on grants.product = products.product and products.is_latest
    where
        grants.status = 'approved'
        and (
            products.product is null
            or coalesce(len(list_distinct(grants.approved_by)), 0) < 2
            or not list_has_all(products.stewards, grants.approved_by)
            or list_contains(grants.approved_by, grants.requested_by)
        )
)

select * from final
