{#- Replaces the adapter's macro of this name: what `dbt docs generate` writes down of a
    relation, plus what the last build has measured of a product. dbt docs shows the
    `stats:` columns on the relation's page. A product's relation is found by dbt's own
    naming, <model> or <model>_v<version>. -#}
{% macro duckdb__get_catalog_results_sql() -%}
    , measured as (
        select
            domain as table_database,
            split_part(product, '.', 2) || coalesce('_v' || version, '') as table_name,
            row_count_bucket,
            size_bytes,
            strftime(built_at, '%Y-%m-%d %H:%M UTC') as last_built,
            round(100 * completeness, 1) as completeness,
            round(100 * validity, 1) as validity,
            round(100 * uniqueness, 1) as uniqueness
        from ({{ product_profiles() }}) as profiles
    ),

    published as (
        select
            split_part(product, '.', 1) as table_database,
            split_part(product, '.', 2) || coalesce('_v' || version, '') as table_name,
            case
                when len(broken) > 0 then 'broken: ' || array_to_string(broken, ', ')
                else 'all kept'
            end as floors,
            drift,
            case
                when len(uneven) > 0 then 'uneven: ' || array_to_string(uneven, ', ')
            end as fairness
        from ({{ published_quality() }}) as profiles
    )
    {%- set stats = [
        ("row_count", "row_count_bucket", "Rows", "Rounded to two digits; blank for a small cohort"),
        ("bytes", "size_bytes", "Size", "Written as CSV, rounded to two digits"),
        ("last_built", "last_built", "Last built", "When the domain last built it"),
        ("completeness", "completeness", "Completeness, %", "At least so many of the cells that must be filled are"),
        ("validity", "validity", "Validity, %", "At least so many rows pass every value test"),
        ("uniqueness", "uniqueness", "Uniqueness, %", "At least so many rows have a key of their own"),
        ("floors", "floors", "Quality floors", "Whether the last profile keeps what the contract promises"),
        ("drift", "drift", "Drift", "Since the profile that a steward has approved"),
        ("fairness", "fairness", "Labels over groups", "Where label rates of protected groups differ"),
    ] %}
    select
        tables.table_database,
        tables.table_schema,
        tables.table_name,
        tables.table_type,
        tables.table_comment,
        columns.column_name,
        columns.column_index,
        columns.column_type,
        columns.column_comment,
        null as table_owner
        {%- for id, value, label, description in stats %},
        '{{ label }}' as "stats:{{ id }}:label",
        {{ value }} as "stats:{{ id }}:value",
        '{{ description }}' as "stats:{{ id }}:description",
        {{ value }} is not null as "stats:{{ id }}:include"
        {%- endfor %}
    from tables
    inner join columns using (table_database, table_schema, table_name)
    left join measured using (table_database, table_name)
    left join published using (table_database, table_name)
    order by table_schema, table_name, column_index
{%- endmacro %}
