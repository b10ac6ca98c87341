-- One row per client, each value of its type; what cannot be read stops the build.
with

source as (
    select * from {{ source("clients_file", "raw_clients") }}
),

final as (
    select
        cast(client_id as varchar) as client_id,
        cast(limit_bal as double) as limit_bal,
        case education
            when '1' then 'graduate_school'
            when '2' then 'university'
            when '3' then 'high_school'
            else 'other'
        end as education,
        case marriage when '1' then 'married' when '2' then 'single' else 'other' end as marriage,
        cast(age as integer) as age,
        case sex when '1' then 'male' when '2' then 'female' end as sex,
        cast(is_default as boolean) as is_default
    from source
)

select * from final
