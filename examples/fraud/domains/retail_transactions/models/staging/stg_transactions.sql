-- One row per transaction, each value of its type; what cannot be read stops the build.
with

source as (
    select * from {{ source("transactions_file", "raw_transactions") }}
),

final as (
    select
        cast(transaction_id as varchar) as transaction_id,
        cast(v11 as double) as v11,
        cast(v12 as double) as v12,
        cast(v13 as double) as v13,
        cast(v14 as double) as v14,
        cast(v15 as double) as v15,
        cast(v16 as double) as v16,
        cast(v17 as double) as v17,
        cast(v18 as double) as v18,
        cast(v19 as double) as v19,
        cast(v20 as double) as v20
    from source
)

select * from final
