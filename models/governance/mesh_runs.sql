-- One row per model in the registry: what was learnt, from which products, at what cost.
with

records as (
    {{ json_documents("registry/*/v*/run.json") }}
),

final as (
    select
        cast(content ->> '$.study' as varchar) as study,
        cast(content ->> '$.version' as integer) as version,
        cast(content ->> '$.run' as varchar) as run,
        cast(content ->> '$.created_at' as timestamp) as created_at,
        cast(content ->> '$.consumer' as varchar) as consumer,
        cast(content ->> '$.algorithm.name' as varchar) as algorithm,
        cast(list_transform(
            cast(content -> '$.products' as json[]),
            lambda p: concat(p ->> '$.product', '.v' || (p ->> '$.version'))
        ) as varchar[]) as products,
        cast(content ->> '$.metrics.roc_auc.value' as double) as roc_auc,
        cast(content ->> '$.bytes.up' as bigint) as bytes_up,
        cast(content ->> '$.bytes.down' as bigint) as bytes_down,
        cast(content ->> '$.model_digest' as varchar) as model_digest,
        cast(content ->> '$.manifest_fingerprint' as varchar) as manifest_fingerprint
    from records
)

select * from final
