{#- One row per product and version, from the domains' own manifests: what its team has
    put into the contract. `node` is dbt's description of the model, `mesh` the block that
    dbt has no words for, `owner` its group's. -#}
{% macro mesh_models() -%}
    select
        manifests.content ->> '$.metadata.project_name' as domain,
        nodes.value as node,
        nodes.value -> '$.config.meta.mesh' as mesh,
        manifests.content -> '$.groups' -> concat_ws(
            '.',
            'group',
            manifests.content ->> '$.metadata.project_name',
            nodes.value ->> '$.group'
        ) -> '$.owner' as owner
    from ({{ json_documents("domains/*/target/manifest.json") }}) as manifests,
        json_each(manifests.content, '$.nodes') as nodes
    where
        (nodes.value ->> '$.resource_type') = 'model'
        and (nodes.value ->> '$.config.meta.mesh.product') is not null
{%- endmacro %}
