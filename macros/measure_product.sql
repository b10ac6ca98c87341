{#- One row: row_count, size_bytes (as CSV text, so that it depends on no engine) and three
    shares. completeness: cells that are filled, in columns that must be. validity: rows
    that pass every value test (accepted_values, in_range). uniqueness: distinct keys by
    rows; null without a primary key. -#}
{% macro measure_product(node) -%}
    {%- set required = [] -%}
    {%- set key = [] -%}
    {%- for column in node.columns.values() -%}
        {%- set types = column.constraints | map(attribute="type") | map("string") | list -%}
        {%- if "primary_key" in types -%}{%- do key.append(column.name) -%}{%- endif -%}
        {%- if "primary_key" in types or "not_null" in types -%}
            {%- do required.append(column.name) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set rules = value_rules(node.unique_id) -%}
    select
        count(*) as row_count,
        coalesce(sum(strlen(concat_ws(',', {{ node.columns.keys() | join(", ") }})) + 1), 0)
            as size_bytes,
        {% if required -%}
        ({% for name in required %}count({{ name }}){{ " + " if not loop.last }}{% endfor %})
            / nullif(count(*) * {{ required | length }}, 0)
        {%- else -%} cast(null as double) {%- endif %} as completeness,
        {% if rules -%}
        avg(case when {{ rules | join(" and ") }} then 1 else 0 end)
        {%- else -%} cast(null as double) {%- endif %} as validity,
        {% if key -%}
        count(distinct ({{ key | join(", ") }})) / nullif(count(*), 0)
        {%- else -%} cast(null as double) {%- endif %} as uniqueness
    from {{ node.relation_name }}
{%- endmacro %}
