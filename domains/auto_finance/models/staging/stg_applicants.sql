-- One row per applicant, renamed and decoded.
with

source as (
    select * from {{ ref("raw_applicants") }}
),

final as (
    select
        customer_id,
        {{ decode("attribute_1", "status") }} as status,
        {{ decode("attribute_3", "credit_history") }} as credit_history,
        {{ decode("attribute_7", "employment_duration") }} as employment_duration,
        {{ decode("attribute_17", "job") }} as job,
        {{ decode("attribute_9", "personal_status_sex") }} as personal_status_sex,
        attribute_13 as age,
        attribute_16 as number_credits,
        {{ decode("attribute_20", "foreign_worker") }} as foreign_worker
    from source
)

select * from final
