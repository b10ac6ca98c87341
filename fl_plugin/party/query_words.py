"""The functions, operators and types that a query may use; nothing else is known.

None of them reads a file, a setting, the catalog or the clock's machine, and none makes
a long value from a short one, but for what the sandbox's bound on memory catches.
"""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FUNCTIONS = _words(
    # how many, how much, how spread
    "any_value approx_count_distinct arg_max arg_min avg bool_and bool_or corr count "
    "count_star covar_pop covar_samp entropy first kurtosis last mad max "
    "max_by mean median min min_by mode product quantile quantile_cont quantile_disc "
    "regr_count regr_intercept regr_r2 regr_slope skewness stddev stddev_pop "
    "stddev_samp string_agg sum var_pop var_samp variance "
    # windows
    "cume_dist dense_rank first_value lag last_value lead nth_value ntile "
    "percent_rank rank row_number "
    # numbers
    "abs ceil ceiling exp floor greatest least ln log log10 log2 mod pow power random "
    "round sign sqrt trunc isfinite isinf isnan "
    # texts
    "concat concat_ws contains ends_with left length position like_escape ilike_escape "
    "not_like_escape not_ilike_escape lower ltrim prefix regexp_extract "
    "regexp_full_match regexp_matches regexp_replace replace right rtrim split_part "
    "starts_with strlen substr substring suffix trim upper "
    # times
    "age date_diff date_part date_sub date_trunc datediff datepart datetrunc day "
    "dayname dayofmonth dayofweek dayofyear epoch hour last_day make_date minute month "
    "monthname quarter second strftime strptime to_days to_hours to_minutes to_months "
    "to_seconds to_weeks to_years week weekday year "
    # nothing
    "if ifnull nullif row"
)
OPERATORS = _words("+ - * / // % ** ^ || ~~ !~~ ~~* !~~* ~ !~")
LOGIC = _words(
    "OPERATOR_NOT OPERATOR_COALESCE OPERATOR_NULLIF OPERATOR_IS_NULL "
    "OPERATOR_IS_NOT_NULL OPERATOR_TRY COMPARE_IN COMPARE_NOT_IN "
    "GROUPING_FUNCTION"
)
TYPES = _words(
    "BOOLEAN BOOL TINYINT SMALLINT INTEGER INT BIGINT HUGEINT FLOAT REAL DOUBLE "
    "DECIMAL NUMERIC VARCHAR TEXT STRING DATE TIME TIMESTAMP INTERVAL "
    "UTINYINT USMALLINT UINTEGER UBIGINT"
)
EXPRESSIONS = _words(
    "BETWEEN CASE CAST COLUMN_REF COMPARISON CONJUNCTION CONSTANT FUNCTION OPERATOR "
    "STAR SUBQUERY TYPE WINDOW"
)
NODES = _words(
    "SELECT_NODE SET_OPERATION_NODE BASE_TABLE EMPTY JOIN SUBQUERY ORDER_MODIFIER "
    "LIMIT_MODIFIER LIMIT_PERCENT_MODIFIER DISTINCT_MODIFIER ORDER_DEFAULT ASCENDING "
    "DESCENDING"
)
LITERALS = _words("BOOLEAN INTEGER NUMERIC STRING NULL_LITERAL")
JOINS = _words("INNER LEFT RIGHT OUTER SEMI ANTI")
WAYS = _words("REGULAR CROSS NATURAL")
# What a tree may say under its keys; a key that a later DuckDB adds is refused as
# soon as it says anything.
KEYS = _words(
    "aggregate_handling alias aliases arguments case_checks child children "
    "class column column_name_alias column_names columns comparison_type "
    "condition cte_map distinct distinct_on_targets else_expr end error exclude_clause "
    "exclude_list qualified_exclude_list expr expression filter filter_expr "
    "from_table function_name group_expressions group_sets has_ignore_nulls "
    "having id ignore_nulls input is_implicit is_operator is_null "
    "is_percentage join_type key kind left limit limit_type literal lower map "
    "materialized method modifiers nearest_count nearest_order_type node "
    "null_order offset order_bys orders partitions path qualified_name "
    "qualify query_location query_location_length query_node ref_type "
    "schema_name relation_name rename_list repeatable replace_list right sample "
    "sample_rate sample_size seed select_list setop_all setop_type start "
    "start_expr end_expr statements subquery subquery_type table table_name "
    "then_expr text try_cast type type_expr type_name type_info upper "
    "using_columns value when_expr where_clause"
)
# Words that DuckDB takes for functions where no column has their name.
CONSTANTS = _words("current_date current_timestamp")
