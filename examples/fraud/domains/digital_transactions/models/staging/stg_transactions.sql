-- One row per transaction, each value of its type; what cannot be read stops the build.
with

source as (
    select * from {{ source("transactions_file", "raw_transactions") }}
),

final as (
    select
        cast(transaction_id as varchar) as transaction_id,
        cast(v1 as double) as v1,
        cast(v2 as double) as v2,
        cast(v3 as double) as v3,
        cast(v4 as double) as v4,
        cast(v5 as double) as v5,
        cast(v6 as double) as v6,
        cast(v7 as double) as v7,
        cast(v8 as double) as v8,
        cast(v9 as double) as v9,
        cast(v10 as double) as v10
    from source
)

select * from final
