{#- One product's row, replaced. A run that is killed in between leaves none, and what is
    not known is refused. Shares are rounded down, so that no
    floor is met by rounding. `built_at` is when the run started (UTC): never too young.
    Without a min_cohort of its own a product has the mesh's floor (mesh_policy.yml): 10.
    Tests of a run without tests (`dbt run`) are null: not known, which is not passed. -#}
{% macro replace_product_profile(node, results) -%}
    {%- set mesh = node.config.meta["mesh"] -%}
    {%- set profile = node.database ~ ".mesh_meta.product_profile" -%}
    {%- set version = node.version if node.version is not none else "null" -%}
    {%- set tests = product_tests(node.unique_id, results) -%}
    {%- set min_cohort = [mesh.get("min_cohort", 10), 10] | max -%}
    {%- set small = "row_count < " ~ min_cohort -%}
    delete from {{ profile }}
    where product = '{{ mesh["product"] }}' and version is not distinct from {{ version }};
    insert into {{ profile }} by name
    select
        '{{ mesh["product"] }}' as product,
        {{ version }} as version,
        timestamp '{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S") }}' as built_at,
        {{ two_significant_digits("row_count", min_cohort) }} as row_count_bucket,
        case when not {{ small }}
            then {{ two_significant_digits("size_bytes", 1) }} end as size_bytes,
        {%- for share in ("completeness", "validity", "uniqueness") %}
        case when not {{ small }} then floor({{ share }} * 1000) / 1000 end as {{ share }},
        {{ share_at_least(share, min_cohort, mesh.get("quality", {}).get(share)) }}
            as {{ share }}_at_least,
        {%- endfor %}
        {{ tests["passed"] }} as tests_passed,
        {{ tests["failed"] }} as tests_failed,
        '{{ invocation_id }}' as dbt_invocation_id
    from ({{ measure_product(node) }}) as measured;
{%- endmacro %}
