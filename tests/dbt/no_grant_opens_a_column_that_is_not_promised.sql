-- Wrong rows: columns in a grant that its product does not have.
-- Remedy: correct the grant; a removed column ends it.
with

granted as (
    select
        grant_name,
        product,
        unnest(columns) as column_name
    from {{ ref("mesh_grants") }}
),

promised as (
    select
        product,
        column_name
    from {{ ref("mesh_columns") }}
),

final as (
    select granted.*
    from granted
    left join promised
        on
            granted.product = promised.product
            and granted.column_name = promised.column_name
    where promised.column_name is null
)

select * from final
