-- One row per customer. The casts are the contract's types: what is promised outside does
-- not follow when something inside changes.
with

customers as (
    select * from {{ ref("int_wealth_with_households") }}
),

final as (
    select
        cast(customer_id as varchar) as customer_id,
        cast(savings as varchar) as savings,
        cast(property as varchar) as property,
        cast(housing as varchar) as housing,
        cast(other_installment_plans as varchar) as other_installment_plans,
        cast(present_residence as integer) as present_residence,
        cast(people_liable as integer) as people_liable,
        cast(telephone as boolean) as telephone
    from customers
)

select * from final
