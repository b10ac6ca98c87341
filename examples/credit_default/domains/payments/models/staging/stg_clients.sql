-- One row per client, each value of its type; what cannot be read stops the build.
with

source as (
    select * from {{ source("clients_file", "raw_clients") }}
),

final as (
    select
        cast(client_id as varchar) as client_id,
        cast(pay_amt1 as double) as pay_amt1,
        cast(pay_amt2 as double) as pay_amt2,
        cast(pay_amt3 as double) as pay_amt3,
        cast(pay_amt4 as double) as pay_amt4,
        cast(pay_amt5 as double) as pay_amt5,
        cast(pay_amt6 as double) as pay_amt6
    from source
)

select * from final
