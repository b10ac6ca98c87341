-- One row per article. The casts are the contract's types: what is
-- promised outside does not follow when something inside changes.
with

source as (
    select * from {{ ref("stg_articles") }}
),

final as (
    select
        cast(article_id as varchar) as article_id,
        cast(product_group_name as varchar) as product_group_name,
        cast(colour_group_name as varchar) as colour_group_name,
        cast(index_name as varchar) as index_name
    from source
)

select * from final
