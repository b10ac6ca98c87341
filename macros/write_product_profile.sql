{#- For `on-run-end`: write down what this run measured of each product it has built, in
    the domain's own file, where policy and catalog read it. A run that builds no product
    (`dbt test`, `dbt docs generate`, the root project's) changes nothing.
    `domain` names the package, since at the root every package's hook sees all results. -#}
{% macro write_product_profile(domain, results) -%}
    {%- if not execute or flags.WHICH not in ("build", "run", "retry") -%}
        {{ return("") }}
    {%- endif -%}
    {%- for result in results
        if result.node.resource_type == "model"
        and result.node.package_name == domain
        and result.status == "success"
        and result.node.config.meta.get("mesh", {}).get("product") -%}
        {%- do run_query(create_product_profile(result.node.database)) -%}
        {%- do run_query(replace_product_profile(result.node, results)) -%}
    {%- endfor -%}
{%- endmacro %}
