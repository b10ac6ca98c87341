{#- A share as it may be known outside: what it surely reaches. One bad row and a whole
    cohort of them give the same figure; that a promised floor is met is said whatever it
    tells. The same steps as fl_plugin/quality/buckets.py. -#}
{% macro share_at_least(share, min_cohort, promised) -%}
    case
        when row_count < {{ min_cohort }} or {{ share }} is null then null
        when {{ share }} >= 1 then 1.0
        else greatest(
            coalesce(
                list_max(
                    list_filter(
                        [0.999, 0.995, 0.99, 0.98, 0.95, 0.9, 0.8, 0.5],
                        lambda step: step <= {{ share }}
                        and row_count * (1 - step) >= {{ min_cohort }}
                    )
                ),
                0
            ),
            {% if promised is number -%}
            case when {{ share }} >= {{ promised }} then {{ promised }} else 0 end
            {%- else -%} 0 {%- endif %}
        )
    end
{%- endmacro %}
