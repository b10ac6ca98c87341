{#- The table of measurements. Counts in it are blurred and small cohorts leave no number.
    The shares are what the domain decides by; `<share>_at_least` is what the mesh is told,
    because it is read by people who may not read the product. -#}
{% macro create_product_profile(database) -%}
    create schema if not exists {{ database }}.mesh_meta;
    create table if not exists {{ database }}.mesh_meta.product_profile (
        product varchar not null,
        version integer,
        built_at timestamp not null,
        row_count_bucket bigint,
        size_bytes bigint,
        completeness double,
        validity double,
        uniqueness double,
        tests_passed integer,
        tests_failed integer,
        dbt_invocation_id varchar not null
    );
    {%- for share in ("completeness", "validity", "uniqueness") %}
    alter table {{ database }}.mesh_meta.product_profile
    add column if not exists {{ share }}_at_least double;
    {%- endfor %}
{%- endmacro %}
