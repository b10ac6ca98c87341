-- The same rows as `transactions`: what differs is the contract, which shares the label.
with

transactions as (
    select * from {{ ref("transactions") }}
),

final as (
    select
        transaction_id,
        v21,
        v22,
        v23,
        v24,
        v25,
        v26,
        v27,
        v28,
        seconds,
        amount,
        is_fraud
    from transactions
)

select * from final
