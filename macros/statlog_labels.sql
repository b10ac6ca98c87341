{#- What Statlog's codes stand for (data_source/german_credit_codes.csv), as short words.
    Left out: A47 and A95, which the code table lists and no row has. A code that is not
    here decodes to null, and a contract that says not null then fails the build.
    docs/data.md says which of these labels are known to be wrong. -#}
{% macro statlog_labels() -%}
    {{ return({
        "status": {
            "A11": "under_0_dm",
            "A12": "0_to_200_dm",
            "A13": "200_dm_or_more",
            "A14": "no_checking_account",
        },
        "credit_history": {
            "A30": "none_or_all_repaid",
            "A31": "all_here_repaid",
            "A32": "existing_repaid_so_far",
            "A33": "past_delays",
            "A34": "critical_or_elsewhere",
        },
        "purpose": {
            "A40": "new_car",
            "A41": "used_car",
            "A42": "furniture",
            "A43": "radio_television",
            "A44": "appliances",
            "A45": "repairs",
            "A46": "education",
            "A48": "retraining",
            "A49": "business",
            "A410": "other",
        },
        "savings": {
            "A61": "under_100_dm",
            "A62": "100_to_500_dm",
            "A63": "500_to_1000_dm",
            "A64": "1000_dm_or_more",
            "A65": "unknown_or_none",
        },
        "employment_duration": {
            "A71": "unemployed",
            "A72": "under_1_year",
            "A73": "1_to_4_years",
            "A74": "4_to_7_years",
            "A75": "7_years_or_more",
        },
        "personal_status_sex": {
            "A91": "male_divorced_separated",
            "A92": "female_divorced_separated_married",
            "A93": "male_single",
            "A94": "male_married_widowed",
        },
        "other_debtors": {
            "A101": "none",
            "A102": "co_applicant",
            "A103": "guarantor",
        },
        "property": {
            "A121": "real_estate",
            "A122": "building_savings_or_life_insurance",
            "A123": "car_or_other",
            "A124": "unknown_or_none",
        },
        "other_installment_plans": {
            "A141": "bank",
            "A142": "stores",
            "A143": "none",
        },
        "housing": {
            "A151": "rent",
            "A152": "own",
            "A153": "for_free",
        },
        "job": {
            "A171": "unemployed_or_unskilled_non_resident",
            "A172": "unskilled_resident",
            "A173": "skilled",
            "A174": "management_or_self_employed",
        },
        "telephone": {"A191": false, "A192": true},
        "foreign_worker": {"A201": true, "A202": false},
        "is_bad": {"1": false, "2": true},
    }) }}
{%- endmacro %}
