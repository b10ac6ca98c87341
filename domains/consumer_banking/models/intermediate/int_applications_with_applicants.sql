-- One row per application. An application without an applicant stays, with nothing known
-- of the applicant, so that the product's contract stops the build instead of hiding it.
with

applications as (
    select * from {{ ref("stg_applications") }}
),

applicants as (
    select * from {{ ref("stg_applicants") }}
),

final as (
    select
        applications.customer_id,
        applicants.status,
        applicants.credit_history,
        applications.purpose,
        applicants.employment_duration,
        applications.other_debtors,
        applicants.job,
        applicants.personal_status_sex,
        applications.duration,
        applications.amount,
        applications.installment_rate,
        applicants.age,
        applicants.number_credits,
        applicants.foreign_worker,
        applications.is_bad
    from applications
    left join applicants
        on applications.customer_id = applicants.customer_id
)

select * from final
