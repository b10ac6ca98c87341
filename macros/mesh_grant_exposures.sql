{#- One row per grant, from the domains' own manifests. -#}
{% macro mesh_grant_exposures() -%}
    select
        manifests.content ->> '$.metadata.project_name' as domain,
        exposures.value as exposure,
        exposures.value -> '$.config.meta.mesh.request' as request,
        exposures.value -> '$.config.meta.mesh.decision' as decision
    from ({{ json_documents("domains/*/target/manifest.json") }}) as manifests,
        json_each(manifests.content, '$.exposures') as exposures
    where (exposures.value -> '$.config.meta.mesh.request') is not null
{%- endmacro %}
