-- One row per client. The casts are the contract's types: what is promised outside does
-- not follow when something inside changes.
with

clients as (
    select * from {{ ref("stg_clients") }}
),

final as (
    select
        cast(client_id as varchar) as client_id,
        cast(round(sign(bill_amt1) * ln(1 + abs(bill_amt1)), 6) as double) as log_bill_amt1,
        cast(round(sign(bill_amt2) * ln(1 + abs(bill_amt2)), 6) as double) as log_bill_amt2,
        cast(round(sign(bill_amt3) * ln(1 + abs(bill_amt3)), 6) as double) as log_bill_amt3,
        cast(round(sign(bill_amt4) * ln(1 + abs(bill_amt4)), 6) as double) as log_bill_amt4,
        cast(round(sign(bill_amt5) * ln(1 + abs(bill_amt5)), 6) as double) as log_bill_amt5,
        cast(round(sign(bill_amt6) * ln(1 + abs(bill_amt6)), 6) as double) as log_bill_amt6
    from clients
)

select * from final
