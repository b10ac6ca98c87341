-- One row per grant and product: who asked for what, and what the domain decided.
with

exposures as (
    {{ mesh_grant_exposures() }}
),

models as (
    {{ mesh_models() }}
),

products as (
    select
        mesh ->> '$.product' as product,
        node ->> '$.unique_id' as unique_id
    from models
),

grants as (
    select
        exposures.*,
        unnest(cast(exposures.exposure -> '$.depends_on.nodes' as varchar[])) as unique_id
    from exposures
),

final as (
    select
        cast(grants.exposure ->> '$.name' as varchar) as grant_name,
        cast(grants.domain as varchar) as domain,
        cast(products.product as varchar) as product,
        cast(grants.request ->> '$.study' as varchar) as study,
        cast(grants.request ->> '$.consumer' as varchar) as consumer,
        cast(grants.request ->> '$.purpose' as varchar) as purpose,
        cast(grants.request -> '$.uses' as varchar[]) as uses,
        cast(grants.request -> '$.columns' as varchar[]) as columns,
        cast(grants.request ->> '$.epsilon' as double) as epsilon,
        cast(grants.request ->> '$.by' as varchar) as requested_by,
        cast(grants.request ->> '$.at' as date) as requested_on,
        cast(coalesce(grants.decision ->> '$.status', 'requested') as varchar) as status,
        cast(grants.decision -> '$.by' as varchar[]) as approved_by,
        cast(grants.decision ->> '$.at' as date) as decided_on,
        cast(grants.decision ->> '$.expires' as date) as expires,
        cast(grants.decision ->> '$.policy' as varchar) as policy
    from grants
    left join products on grants.unique_id = products.unique_id
)

select * from final
