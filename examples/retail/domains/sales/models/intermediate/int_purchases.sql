-- One row per customer and article: when it was first bought, and whether that was on the
-- customer's last day. Who bought on one day only has nothing to learn from.
with

transactions as (
    select * from {{ ref("stg_transactions") }}
),

firsts as (
    select
        customer_id,
        article_id,
        min(t_dat) as bought_on,
        avg(price) as price,
        avg(cast(sales_channel_id = 2 as integer)) as online_share
    from transactions
    group by customer_id, article_id
),

days as (
    select
        *,
        max(bought_on) over (partition by customer_id) as last_on,
        min(bought_on) over (partition by customer_id) as first_on
    from firsts
),

final as (
    select
        customer_id,
        article_id,
        bought_on,
        price,
        online_share,
        bought_on = last_on as is_last
    from days
    where first_on < last_on
)

select * from final
