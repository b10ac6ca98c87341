-- One row per client, each value of its type; what cannot be read stops the build.
with

source as (
    select * from {{ source("clients_file", "raw_clients") }}
),

final as (
    select
        cast(client_id as varchar) as client_id,
        cast(bill_amt1 as double) as bill_amt1,
        cast(bill_amt2 as double) as bill_amt2,
        cast(bill_amt3 as double) as bill_amt3,
        cast(bill_amt4 as double) as bill_amt4,
        cast(bill_amt5 as double) as bill_amt5,
        cast(bill_amt6 as double) as bill_amt6
    from source
)

select * from final
