-- One row per customer. The casts are the contract's types: what is
-- promised outside does not follow when something inside changes.
with

source as (
    select * from {{ ref("stg_customers") }}
),

final as (
    select
        cast(customer_id as varchar) as customer_id,
        cast(club_member_status as varchar) as club_member_status,
        cast(fashion_news_frequency as varchar) as fashion_news_frequency,
        cast(age as integer) as age
    from source
)

select * from final
