-- Wrong rows: grants for training that open a column which is there only to see whether
-- a model is fair. Remedy: take it out of the grant.
with

granted as (
    select
        grant_name,
        product,
        unnest(columns) as column_name
    from {{ ref("mesh_grants") }}
    where list_has_any(uses, ['train_horizontal', 'train_vertical'])
),

protected as (
    select
        product,
        column_name
    from {{ ref("mesh_columns") }}
    where list_contains(roles, 'protected')
),

final as (
    select granted.*
    from granted
    inner join protected
        on
            granted.product = protected.product
            and granted.column_name = protected.column_name
)

select * from final
