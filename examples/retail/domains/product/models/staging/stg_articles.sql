-- One row per line of the file, each value of the type that its column is meant to have.
with

source as (
    select * from {{ source("articles_file", "raw_articles") }}
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
