-- One row per transaction, each value of its type; what cannot be read stops the build.
with

source as (
    select * from {{ source("transactions_file", "raw_transactions") }}
),

final as (
    select
        cast(transaction_id as varchar) as transaction_id,
        cast(v21 as double) as v21,
        cast(v22 as double) as v22,
        cast(v23 as double) as v23,
        cast(v24 as double) as v24,
        cast(v25 as double) as v25,
        cast(v26 as double) as v26,
        cast(v27 as double) as v27,
        cast(v28 as double) as v28,
        cast(seconds as double) as seconds,
        cast(amount as double) as amount,
        cast(is_fraud as boolean) as is_fraud
    from source
)

select * from final
