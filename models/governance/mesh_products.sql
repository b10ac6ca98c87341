-- One row per product and version: what it is, whose it is, who may do what with it.
with

models as (
    {{ mesh_models() }}
),

final as (
    select
        cast(mesh ->> '$.product' as varchar) as product,
        cast(node ->> '$.version' as integer) as version,
        cast(domain as varchar) as domain,
        cast(coalesce(
            (node ->> '$.version') = (node ->> '$.latest_version'), true
        ) as boolean) as is_latest,
        cast(node ->> '$.unique_id' as varchar) as unique_id,
        cast(node ->> '$.relation_name' as varchar) as relation,
        cast(node ->> '$.description' as varchar) as description,
        cast(mesh ->> '$.status' as varchar) as status,
        cast(node ->> '$.deprecation_date' as timestamp) as deprecated_at,
        cast(node ->> '$.access' as varchar) as access,
        cast(node ->> '$.contract.enforced' as boolean) as is_contract_enforced,
        cast(mesh ->> '$.classification' as varchar) as classification,
        cast(mesh ->> '$.tags.lob' as varchar) as lob,
        cast(mesh ->> '$.tags.region' as varchar) as region,
        cast(mesh ->> '$.tags.subject' as varchar) as subject,
        cast(owner ->> '$.name' as varchar) as owner,
        cast(owner ->> '$.email' as varchar) as owner_email,
        cast(owner -> '$.stewards' as varchar[]) as stewards,
        cast(owner ->> '$.support' as varchar) as support,
        cast(mesh -> '$.purposes' as varchar[]) as purposes,
        cast(mesh -> '$.uses' as varchar[]) as uses,
        cast(mesh ->> '$.row_filter' as varchar) as row_filter,
        cast(mesh ->> '$.min_cohort' as integer) as min_cohort,
        cast(mesh ->> '$.freshness_hours' as double) as freshness_hours,
        cast(mesh ->> '$.retention_days' as integer) as retention_days
    from models
)

select * from final
