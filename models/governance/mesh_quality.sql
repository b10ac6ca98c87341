-- One row per product and version: what its last build measured, beside what it promises.
with

models as (
    {{ mesh_models() }}
),

profiles as (
    {{ product_profiles() }}
),

published as (
    {{ published_quality() }}
),

promised as (
    select
        mesh ->> '$.product' as product,
        cast(node ->> '$.version' as integer) as version,
        mesh -> '$.quality' as quality
    from models
),

final as (
    select
        cast(promised.product as varchar) as product,
        cast(promised.version as integer) as version,
        cast(profiles.built_at as timestamp) as built_at,
        cast(profiles.row_count_bucket as bigint) as row_count_bucket,
        cast(profiles.size_bytes as bigint) as size_bytes,
        cast(profiles.completeness as double) as completeness,
        cast(promised.quality ->> '$.completeness' as double) as completeness_floor,
        cast(profiles.validity as double) as validity,
        cast(promised.quality ->> '$.validity' as double) as validity_floor,
        cast(profiles.uniqueness as double) as uniqueness,
        cast(promised.quality ->> '$.uniqueness' as double) as uniqueness_floor,
        cast(promised.quality ->> '$.drift_psi' as double) as drift_limit,
        cast(published.drift as varchar) as drift,
        cast(published.broken as varchar[]) as broken_floors,
        cast(published.uneven as varchar[]) as uneven_labels,
        cast(published.measured_at as timestamp) as profiled_at,
        cast(profiles.tests_passed as integer) as tests_passed,
        cast(profiles.tests_failed as integer) as tests_failed,
        cast(profiles.dbt_invocation_id as varchar) as dbt_invocation_id
    from promised
    left join profiles
        on
            promised.product = profiles.product
            and promised.version is not distinct from profiles.version
    left join published
        on
            promised.product = published.product
            and promised.version is not distinct from published.version
)

select * from final
