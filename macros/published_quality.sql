{#- One row per product and version, from what the domains have published of their quality
    (`fl quality profile` writes target/quality.json): words and ranges, never a count. -#}
{% macro published_quality() -%}
    select
        profiles.value ->> '$.product' as product,
        cast(profiles.value ->> '$.version' as integer) as version,
        cast(profiles.value ->> '$.built_at' as timestamptz) at time zone 'UTC' as built_at,
        cast(profiles.value ->> '$.measured_at' as timestamptz) at time zone 'UTC'
            as measured_at,
        list_sort(json_keys(profiles.value, '$.broken')) as broken,
        case
            when (profiles.value ->> '$.approved_at') is null then 'no profile approved'
            when len(moved.drifted) > 0 then 'drifted: ' || array_to_string(moved.drifted, ', ')
            when len(moved.moving) > 0 then 'moving: ' || array_to_string(moved.moving, ', ')
            when json_array_length(profiles.value, '$.drift') > 0 then 'stable'
            else 'not measured'
        end as drift,
        moved.uneven
    from ({{ json_documents("domains/*/target/quality.json") }}) as documents,
        json_each(documents.content, '$.products') as profiles,
        lateral (
            select
                list_transform(
                    list_filter(
                        cast(profiles.value -> '$.drift' as json[]),
                        lambda d: (d ->> '$.verdict') = 'drifted'
                    ),
                    lambda d: d ->> '$.column'
                ) as drifted,
                list_transform(
                    list_filter(
                        cast(profiles.value -> '$.drift' as json[]),
                        lambda d: (d ->> '$.verdict') = 'moving'
                    ),
                    lambda d: d ->> '$.column'
                ) as moving,
                list_transform(
                    list_filter(
                        cast(profiles.value -> '$.bias' as json[]),
                        lambda b: (b ->> '$.verdict') = 'uneven'
                    ),
                    lambda b: concat(b ->> '$.label', ' by ', b ->> '$.protected')
                ) as uneven
        ) as moved
    where
        -- A domain speaks of its own products only.
        split_part(profiles.value ->> '$.product', '.', 1)
        = split_part(documents.filename, '/', -3)
{%- endmacro %}
