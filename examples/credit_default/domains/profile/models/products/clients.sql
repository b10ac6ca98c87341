-- One row per client. The casts are the contract's types: what is promised outside does
-- not follow when something inside changes.
with

clients as (
    select * from {{ ref("stg_clients") }}
),

final as (
    select
        cast(client_id as varchar) as client_id,
        cast(round(ln(1 + limit_bal), 6) as double) as log_limit_bal,
        cast(education as varchar) as education,
        cast(marriage as varchar) as marriage,
        cast(age as integer) as age,
        cast(sex as varchar) as sex,
        cast(is_default as boolean) as is_default
    from clients
)

select * from final
