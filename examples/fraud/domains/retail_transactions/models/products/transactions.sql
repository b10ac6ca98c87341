-- One row per transaction. The casts are the contract's types: what is promised outside
-- does not follow when something inside changes.
with

transactions as (
    select * from {{ ref("stg_transactions") }}
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
    from transactions
)

select * from final
