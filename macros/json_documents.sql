{#- The JSON files that match a pattern, one row each (filename, content): read when the
    model runs, so an empty mesh gives an empty, typed result and no error.
    Paths are taken from the folder that dbt was started in: the root of the mesh. -#}
{% macro json_documents(pattern) -%}
    {%- set found = 0 -%}
    {%- if execute -%}
        {%- set found = run_query(
            "select count(*) from glob('" ~ pattern ~ "')"
        ).columns[0].values()[0] -%}
    {%- endif -%}
    {%- if found %}
    select
        filename,
        cast(content as json) as content
    from read_text('{{ pattern }}')
    {%- else %}
    select
        cast(null as varchar) as filename,
        cast(null as json) as content
    where false
    {%- endif %}
{%- endmacro %}
