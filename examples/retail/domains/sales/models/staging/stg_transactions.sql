-- One row per line of the file, each value of the type that its column is meant to have.
with

source as (
    select * from {{ source("transactions_file", "raw_transactions") }}
),

final as (
    select
        cast(t_dat as date) as t_dat,
        cast(customer_id as varchar) as customer_id,
        cast(article_id as varchar) as article_id,
        cast(price as double) as price,
        cast(sales_channel_id as integer) as sales_channel_id
    from source
)

select * from final
