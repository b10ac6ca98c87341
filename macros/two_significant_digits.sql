{#- A count, blurred: 495 becomes 500, 1,234 becomes 1,200. Null below `floor`. -#}
{% macro two_significant_digits(count, floor) -%}
    case
        when {{ count }} >= {{ [floor, 1] | max }}
            then cast(
                round({{ count }} / pow(10, floor(log10({{ count }})) - 1))
                * pow(10, floor(log10({{ count }})) - 1) as bigint
            )
    end
{%- endmacro %}
