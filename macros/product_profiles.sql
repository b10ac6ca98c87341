{#- Every product_profile of the databases that are attached now, under one another, as the
    mesh may know it; a database without one, or whose last build is of an earlier release,
    adds nothing, and without any the result is empty but typed. -#}
{% macro product_profiles() -%}
    {%- set found = [] -%}
    {%- if execute -%}
        {%- set found = run_query(
            "select database_name from duckdb_columns() where schema_name = 'mesh_meta' "
            "and table_name = 'product_profile' and column_name = 'uniqueness_at_least' "
            "order by database_name"
        ).columns[0].values() -%}
    {%- endif -%}
    {%- for database in found %}
    select
        '{{ database }}' as domain,
        product,
        version,
        built_at,
        row_count_bucket,
        size_bytes,
        completeness_at_least as completeness,
        validity_at_least as validity,
        uniqueness_at_least as uniqueness,
        tests_passed,
        tests_failed,
        dbt_invocation_id
    from {{ database }}.mesh_meta.product_profile
    {{ "union all" if not loop.last }}
    {%- endfor %}
    {%- if not found %}
    select
        cast(null as varchar) as domain,
        cast(null as varchar) as product,
        cast(null as integer) as version,
        cast(null as timestamp) as built_at,
        cast(null as bigint) as row_count_bucket,
        cast(null as bigint) as size_bytes,
        cast(null as double) as completeness,
        cast(null as double) as validity,
        cast(null as double) as uniqueness,
        cast(null as integer) as tests_passed,
        cast(null as integer) as tests_failed,
        cast(null as varchar) as dbt_invocation_id
    where false
    {%- endif %}
{%- endmacro %}
