-- One row per pair of a customer and an article. The casts are the contract's types: what is
-- promised outside does not follow when something inside changes.
with

source as (
    select * from {{ ref("int_pairs") }}
),

final as (
    select
        cast(pair_id as varchar) as pair_id,
        cast(customer_id as varchar) as customer_id,
        cast(article_id as varchar) as article_id,
        cast(decided_on as date) as decided_on,
        cast(popularity as double) as popularity,
        cast(price as double) as price,
        cast(usual_price as double) as usual_price,
        cast(orders as integer) as orders,
        cast(online_share as double) as online_share,
        cast(is_bought as boolean) as is_bought
    from source
)

select * from final
