-- One row per client, each value of its type; what cannot be read stops the build.
with

source as (
    select * from {{ source("clients_file", "raw_clients") }}
),

final as (
    select
        cast(client_id as varchar) as client_id,
        cast(pay_0 as integer) as pay_0,
        cast(pay_2 as integer) as pay_2,
        cast(pay_3 as integer) as pay_3,
        cast(pay_4 as integer) as pay_4,
        cast(pay_5 as integer) as pay_5,
        cast(pay_6 as integer) as pay_6
    from source
)

select * from final
