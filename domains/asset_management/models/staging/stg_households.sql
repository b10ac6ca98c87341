-- One row per customer, renamed and decoded.
with

source as (
    select * from {{ ref("raw_households") }}
),

final as (
    select
        customer_id,
        {{ decode("attribute_15", "housing") }} as housing,
        attribute_11 as present_residence,
        attribute_18 as people_liable,
        {{ decode("attribute_19", "telephone") }} as telephone
    from source
)

select * from final
