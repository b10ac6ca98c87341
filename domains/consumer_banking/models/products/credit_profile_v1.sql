-- One row per credit application. The casts are the contract's types: what is promised
-- outside does not follow when something inside changes.
with

applications as (
    select * from {{ ref("int_applications_with_applicants") }}
),

final as (
    select
        cast(customer_id as varchar) as customer_id,
        cast(status as varchar) as status,
        cast(credit_history as varchar) as credit_history,
        cast(purpose as varchar) as purpose,
        cast(employment_duration as varchar) as employment_duration,
        cast(other_debtors as varchar) as other_debtors,
        cast(job as varchar) as job,
        cast(personal_status_sex as varchar) as personal_status_sex,
        cast(duration as integer) as duration,
        cast(amount as integer) as amount,
        cast(installment_rate as integer) as installment_rate,
        cast(age as integer) as age,
        cast(number_credits as integer) as number_credits,
        cast(foreign_worker as boolean) as foreign_worker,
        cast(is_bad as boolean) as is_bad
    from applications
)

select * from final
