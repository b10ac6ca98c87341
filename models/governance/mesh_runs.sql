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
        cast(coalesce(
                content ->> '$.algorithm.name', content ->> '$.algorithm'
            ) as varchar) as algorithm,
        cast(list_transform(
                cast(content -> '$.products' as json[]),
                lambda p: concat(p ->> '$.product', '.v' || (p ->> '$.version'))
            ) as varchar[]) as products,
        cast(coalesce(
                content ->> '$.metrics.roc_auc.value', content ->> '$.metrics.roc_auc'
            ) as double) as roc_auc,
        cast(list_sum(cast(content -> '$.bytes.*.up' as bigint[])) as bigint) as bytes_up,
        cast(list_sum(cast(content -> '$.bytes.*.down' as bigint[])) as bigint) as bytes_down,
        cast(content ->> '$.model_digest' as varchar) as model_digest,
        cast(content ->> '$.manifest_fingerprint' as varchar) as manifest_fingerprint
    from records
)

select * from final
