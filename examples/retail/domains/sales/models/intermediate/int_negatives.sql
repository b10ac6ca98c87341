-- Articles that a customer never bought, drawn with the seed `negative_seed` from all that
-- sales knows: four for each purchase, and 99 for each customer's last day. A draw is a
-- hash, so the same purchases give the same negatives on every machine.
with

purchases as (
    select * from {{ ref("int_purchases") }}
),

articles as (
    select
        article_id,
        row_number() over (order by article_id) - 1 as place
    from (select distinct article_id from purchases)
),

size as (
    select count(*) as articles from articles
),

-- More than are wanted: some draws meet what the customer has bought, or each other.
occasions as (
    select
        customer_id,
        bought_on,
        is_last,
        case when is_last then '' else article_id end as bought,
        case when is_last then 99 else 4 end as wanted,
        case when is_last then 200 else 8 end as draws
    from purchases
    group by all
),

numbered as (
    select
        *,
        unnest(range(draws)) as draw
    from occasions
),

drawn as (
    select
        numbered.*,
        md5_number_lower(
            concat_ws(
                '|',
                '{{ var("negative_seed") }}',
                numbered.customer_id,
                numbered.bought_on,
                numbered.bought,
                numbered.draw
            )
        ) % size.articles as place
    from numbered
    cross join size
),

once as (
    select
        drawn.*,
        articles.article_id
    from drawn
    inner join articles on drawn.place = articles.place
    anti join purchases
        on
            drawn.customer_id = purchases.customer_id
            and articles.article_id = purchases.article_id
    qualify
        row_number() over (
            partition by drawn.customer_id, drawn.is_last, articles.article_id
            order by drawn.bought_on, drawn.bought, drawn.draw
        ) = 1
),

final as (
    select
        customer_id,
        article_id,
        bought_on,
        is_last
    from once
    qualify
        row_number() over (
            partition by customer_id, bought_on, bought
            order by draw
        ) <= wanted
)

select * from final
