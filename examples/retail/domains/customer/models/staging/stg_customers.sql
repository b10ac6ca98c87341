-- One row per line of the file, each value of the type that its column is meant to have.
with

source as (
    select * from {{ source("customers_file", "raw_customers") }}
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
