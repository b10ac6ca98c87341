-- One row per transaction. The casts are the contract's types: what is promised outside
-- does not follow when something inside changes.
with

transactions as (
    select * from {{ ref("stg_transactions") }}
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
    from transactions
)

select * from final
