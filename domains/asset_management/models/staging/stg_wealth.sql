-- One row per customer, renamed and decoded.
with

source as (
    select * from {{ ref("raw_wealth") }}
),

final as (
    select
        customer_id,
        {{ decode("attribute_6", "savings") }} as savings,
        {{ decode("attribute_12", "property") }} as property,
        {{ decode("attribute_14", "other_installment_plans") }} as other_installment_plans
    from source
)

select * from final
