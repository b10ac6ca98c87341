-- One row per client. The casts are the contract's types: what is promised outside does
-- not follow when something inside changes.
with

clients as (
    select * from {{ ref("stg_clients") }}
),

final as (
    select
        cast(client_id as varchar) as client_id,
        cast(round(ln(1 + pay_amt1), 6) as double) as log_pay_amt1,
        cast(round(ln(1 + pay_amt2), 6) as double) as log_pay_amt2,
        cast(round(ln(1 + pay_amt3), 6) as double) as log_pay_amt3,
        cast(round(ln(1 + pay_amt4), 6) as double) as log_pay_amt4,
        cast(round(ln(1 + pay_amt5), 6) as double) as log_pay_amt5,
        cast(round(ln(1 + pay_amt6), 6) as double) as log_pay_amt6
    from clients
)

select * from final
