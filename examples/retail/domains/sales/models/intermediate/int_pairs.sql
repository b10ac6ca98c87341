-- Purchases and negatives with what sales knows of both sides. Counts and prices come from
-- the purchases before each customer's last day, the same for every pair of an article:
-- were a pair's own purchase left out of its price, the price would tell that it was one.
with

purchases as (
    select * from {{ ref("int_purchases") }}
),

negatives as (
    select * from {{ ref("int_negatives") }}
),

known as (
    select * from purchases
    where not is_last
),

articles as (
    select
        article_id,
        count(*) as buyers,
        avg(price) as price
    from known
    group by article_id
),

customers as (
    select
        customer_id,
        count(*) as orders,
        avg(price) as usual_price,
        avg(online_share) as online_share
    from known
    group by customer_id
),

pairs as (
    select
        customer_id,
        article_id,
        bought_on,
        is_last,
        true as is_bought
    from purchases
    union all
    select
        customer_id,
        article_id,
        bought_on,
        is_last,
        false as is_bought
    from negatives
),

final as (
    select
        md5(concat_ws('|', pairs.customer_id, pairs.article_id, pairs.is_last)) as pair_id,
        pairs.customer_id,
        pairs.article_id,
        pairs.bought_on as decided_on,
        ln(1 + coalesce(articles.buyers, 0)) as popularity,
        articles.price,
        customers.usual_price,
        customers.orders,
        customers.online_share,
        pairs.is_bought
    from pairs
    left join articles on pairs.article_id = articles.article_id
    left join customers on pairs.customer_id = customers.customer_id
)

select * from final
