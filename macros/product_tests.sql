{#- How many tests of this run passed and failed, among those that look at the product;
    null where none ran. A warning is a pass: the owner has said that it may happen. -#}
{% macro product_tests(unique_id, results) -%}
    {%- set counts = namespace(passed=0, failed=0) -%}
    {%- for result in results
        if result.node.resource_type in ("test", "unit_test")
        and unique_id in result.node.depends_on.nodes -%}
        {%- if result.status in ("pass", "warn") -%}
            {%- set counts.passed = counts.passed + 1 -%}
        {%- elif result.status in ("fail", "error") -%}
            {%- set counts.failed = counts.failed + 1 -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if counts.passed + counts.failed == 0 -%}
        {{ return({"passed": "null", "failed": "null"}) }}
    {%- endif -%}
    {{ return({"passed": counts.passed, "failed": counts.failed}) }}
{%- endmacro %}
