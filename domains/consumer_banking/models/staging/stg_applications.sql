-- One row per application, renamed and decoded.
with

source as (
    select * from {{ ref("raw_applications") }}
),

final as (
    select
        customer_id,
        {{ decode("attribute_4", "purpose") }} as purpose,
        {{ decode("attribute_10", "other_debtors") }} as other_debtors,
        attribute_2 as duration,
        attribute_5 as amount,
        attribute_8 as installment_rate,
        {{ decode("class", "is_bad") }} as is_bad
    from source
)

select * from final
