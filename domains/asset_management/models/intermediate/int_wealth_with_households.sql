-- One row per customer. A customer without a household stays, with nothing known of it,
-- so that the product's contract stops the build instead of hiding it.
with

wealth as (
    select * from {{ ref("stg_wealth") }}
),

households as (
    select * from {{ ref("stg_households") }}
),

final as (
    select
        wealth.customer_id,
        wealth.savings,
        wealth.property,
        households.housing,
        wealth.other_installment_plans,
        households.present_residence,
        households.people_liable,
        households.telephone
    from wealth
    left join households
        on wealth.customer_id = households.customer_id
)

select * from final
