{#- The value tests of a model as conditions that a good row fulfils. dbt counts an
    accepted_values failure by value; a share of rows needs the rows. -#}
{% macro value_rules(unique_id) -%}
    {%- set rules = [] -%}
    {%- for test in graph.nodes.values()
        if test.resource_type == "test"
        and test.attached_node == unique_id
        and test.test_metadata -%}
        {%- set arguments = test.test_metadata.kwargs -%}
        {%- if test.test_metadata.name == "accepted_values" -%}
            {%- set values = [] -%}
            {%- for value in arguments["values"] -%}
                {%- do values.append("'" ~ (value | string | replace("'", "''")) ~ "'") -%}
            {%- endfor -%}
            {%- do rules.append(
                "coalesce(cast(" ~ test.column_name ~ " as varchar) in ("
                ~ values | join(", ") ~ "), true)"
            ) -%}
        {%- elif test.test_metadata.name == "in_range" -%}
            {%- do rules.append(
                "coalesce(" ~ test.column_name ~ " between " ~ arguments["low"]
                ~ " and " ~ arguments["high"] ~ ", true)"
            ) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(rules) }}
{%- endmacro %}
