{#- `decode("attribute_1", "status")`: the label of a Statlog code, null for a code that
    statlog_labels() does not know. -#}
{% macro decode(column, attribute) -%}
    case {{ column }}
        {%- for code, label in statlog_labels()[attribute].items() %}
        when '{{ code }}' then {% if label is string %}'{{ label }}'{% else %}{{ label | lower }}{% endif %}
        {%- endfor %}
    end
{%- endmacro %}
