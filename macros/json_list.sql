{#- A JSON list of words as varchar[]; null stays null. -#}
{% macro json_list(column, path) -%}
    cast({{ column }} -> '{{ path }}' as varchar[])
{%- endmacro %}
