-- One row per column of a product.
with

models as (
    {{ mesh_models() }}
),

columns as (
    select
        models.mesh,
        models.node,
        columns.value as contract,
        columns.value -> '$.config.meta.mesh' as column_mesh,
        row_number() over (
            partition by models.node ->> '$.unique_id' order by columns.id
        ) as ordinal
    from models, json_each(models.node, '$.columns') as columns
),

final as (
    select
        cast(mesh ->> '$.product' as varchar) as product,
        cast(node ->> '$.version' as integer) as version,
        cast(contract ->> '$.name' as varchar) as column_name,
        cast(ordinal as integer) as ordinal,
        cast(contract ->> '$.data_type' as varchar) as data_type,
        cast(not list_has_any(
            coalesce(contract ->> '$.constraints[*].type', []),
            ['not_null', 'primary_key']
        ) as boolean) as is_nullable,
        cast(contract ->> '$.description' as varchar) as description,
        cast(column_mesh -> '$.roles' as varchar[]) as roles,
        cast(coalesce(
            column_mesh ->> '$.classification', mesh ->> '$.classification'
        ) as varchar) as classification,
        cast(column_mesh ->> '$.pii' as varchar) as pii,
        cast(coalesce(column_mesh -> '$.uses', mesh -> '$.uses') as varchar[]) as uses,
        cast(column_mesh ->> '$.bounds[0]' as double) as lowest,
        cast(column_mesh ->> '$.bounds[1]' as double) as highest,
        cast(column_mesh ->> '$.label_sharing' as varchar) as label_sharing
    from columns
)

select * from final
