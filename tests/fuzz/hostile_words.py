"""Strings that no filter, name, file or argument may let through."""

from pathlib import Path
from typing import Any

import yaml

SQL = [
    *("true; drop table t", "1=1; attach '/etc/passwd' as x", "age = 1 --", "/**/"),
    "true union all select * from secrets",
    "age in (select age from secrets)",
    "exists (from secrets)",
    "(select count(*) from duckdb_tables()) > 0",
    "read_csv('/etc/passwd') is not null",
    "read_text('/proc/self/environ') = 'x'",
    "read_blob('x') = 'x'",
    "glob('/*') is not null",
    "getenv('HOME') = 'x'",
    "query('select 1') = 1",
    "query_table('secrets') is not null",
    "parquet_scan('x.parquet') = 1",
    "sniff_csv('/etc/passwd') = 1",
    "pragma_table_info('t') = 1",
    "current_setting('home_directory') = ''",
    "set_bit('1'::bit, 0, 1) = '1'",
    "age = 1) or (1 = 1",
    "age = 1) union select (1",
    "1 = 1) limit (0",
    "true) group by all having (true",
    "true) qualify (true",
    "(with recursive r as (select 1 union all select 1 from r) select 1 from r) = 1",
    "age = any (select age from t)",
    "repeat('x', 1000000000) = 'x'",
    "range(1000000000) = 1",
    "generate_series(1, 1000000000) = 1",
    "list_transform([1], lambda x: x) = [1]",
    "regexp_matches(name, '(a+)+$')",
    "'a' similar to '(a|a)*'",
    "sleep(1000) = 1",
    "pg_sleep(10) = 1",
    "random() < 0.5",
    "now() > '2020-01-01'",
    "nextval('s') = 1",
    "columns(*) = 1",
    "columns('.*') > 0",
    "t.* = 1",
    "rowid = 0",
    "#1 = 1",
    "$1 = 1",
    "? = 1",
    "age = $$x$$ || (select 1)::varchar",
    "age::enum('a') = 'a'",
    "age::json->>'x' = 'y'",
    "cast(age as struct(a integer)).a = 1",
    "x'00' = 'x'",
    "case when true then (select 1) end = 1",
    "try(error('x')) is null",
    "error('stop') = 1",
    "getvariable('x') = 1",
    "age at time zone (select 'utc') = 1",
    "select 1",
    "drop table t",
    "install httpfs",
    "load '/tmp/x.so'",
    "copy t to '/tmp/x'",
    "export database '/tmp/x'",
    "pragma database_list",
    "call duckdb_secrets()",
    "{{ env_var('HOME') }}",
    "{% do run_query('drop table t') %}",
    "{{ ''.__class__.__mro__ }}",
    " or ".join(["age = 1"] * 600),
    "(" * 2000 + "1" + ")" * 2000,
    "not " * 3000 + "true",
    "-" * 5000 + "1 = 1",
    "[" * 3000,
    "age = '" + "x" * 100_000 + "'",
]
PATHS = [
    *(
        "..",
        ".",
        "/",
        "../",
        "../x",
        "..\\x",
        "a/b",
        "a\\b",
        "/etc/passwd",
        "~",
        "~root",
    ),
    *("./x", "x/..", "x/../../y", "....//x", "..%2fx", "%2e%2e%2fx", "..;/x", "C:\\x"),
    *("\\\\host\\share", "//host/share", "file:///etc/passwd", "http://x.example/"),
    *(
        "CON",
        "NUL",
        "PRN.txt",
        "AUX",
        "COM1",
        "LPT1:",
        "x.",
        "x ",
        " x",
        "$HOME",
        "`id`",
    ),
    *("$(id)", "x;id", "x|id", "x&id", "x>y", "x<y", "*", "?", "[a-z]", "x'y", 'x"y'),
    *(
        "--help",
        "-rf",
        "--project=/",
        "-",
        "--",
        "@file",
        "!x",
        "=1+1",
        "+1",
        "%s%n",
        "%",
    ),
    *("x" * 65, "x" * 300, "x" * 100_000, "", "\0", "x\0y", "x\ny", "x\r\ny", "x\ty"),
    *(
        "\x1b[2Jx",
        "\x1b]0;x\x07",
        "\x7f",
        "\x08x",
        "\x9b2J",
        "x\x0by",
        "\u2028",
        "\x85",
    ),
    *("credit_risk/", "credit_risk.", "credit_risk ", "Credit_risk", "credit risk"),
    *(
        "credit_risk@v0",
        "credit_risk@",
        "@v1",
        "a@b@c",
        "consumer_banking.",
        ".x",
        "a.b.c",
    ),
    *("consumer_banking..x", "../consumer_banking.x", "consumer_banking.../x"),
]
UNICODE = [
    "\u0441redit_risk",  # a Cyrillic letter
    "credit\u200b_risk",  # no width
    "credit\u00ad_risk",
    "\u202ekcab",  # right to left
    "\u2066x\u2069",
    "\ufeffcredit_risk",
    "\uff43redit_risk",  # full width
    "credit\uff0frisk",
    "credit\u2215risk",
    "credit\u2024risk",
    "\u1e9e",
    "\u0130",
    "cafe\u0301",
    "caf\u00e9",
    "e" + "\u0301" * 5000,
    "\U0001f4a9",
    "\U000e0041",
    "\udcff",  # a byte that was not UTF-8
    "x\ud800y",
    "\uffff",
    "\ufffe",
    "\u0000",
    "\ue000",
    "\u3164",
    "\u00a0",
    "\u0661",  # a digit, and none of ours
    "\u2160",
    "\ufdfa" * 100,
    "\u0668" * 70,
]
YAML = [
    "a: &a [x]\nb: *a",
    "a: &a {<<: *a}",
    "&a [*a]",
    "a: &a\n"
    + "\n".join(f"{c}: &{c} [*a,*a,*a,*a,*a,*a,*a,*a,*a]" for c in "bcdefghi"),
    "<<: {a: 1}",
    "a: 1\na: 2",
    "{a: 1, a: 2}",
    "{a: {b: 1, b: 2}}",
    '"a": 1\n"a": 2',
    "1: x",
    "true: x",
    "null: x",
    "2026-01-01: x",
    "? [a]\n: b",
    "? {a: b}\n: c",
    "!!python/object/apply:os.system ['id']",
    "!!python/name:os.system ''",
    "!!binary aGk=",
    "!!set {a}",
    "!!omap [a: 1]",
    "!!float 1",
    "!x y",
    "!<tag:yaml.org,2002:str> x",
    "a: !!timestamp 2026-01-01",
    "[" * 300 + "]" * 300,
    "[" * 30_000,
    "{a: " * 300 + "1" + "}" * 300,
    "{" * 30_000,
    "- " * 5000 + "x",
    "? " * 5000,
    "a:\n" + "".join(f"{' ' * n}a:\n" for n in range(1, 400)),
    "%YAML 9.9\n---\na: 1",
    "%TAG ! tag:x,2026:\n---\na: !y z",
    "a: 1\n---\nb: 2",
    "a: [1, 2",
    "a: 'x",
    'a: "\\ud800"',
    'a: "\\x',
    "\ta: 1",
    "a: b: c",
    "- a\n- b",
    "just text",
    "null",
    "3",
    "a: |\n" + " x" * 200_000,
    "# " + "x" * 300_000,
    "a: " + "9" * 100_000,
    "a: " + "1" * 5000 + "e" + "9" * 5000,
    "a: 0x" + "f" * 100_000,
    "a: 1:" + "59:" * 20_000 + "59",
    "a: .nan\nb: .inf",
    "\x00a: 1",
    "a: \x07",
    "\ufeff\ufeffa: 1",
    "a: \u2028b: 1",
    "---\n...\n---\n...",
    "*a",
    "&a",
    "@a",
    "`a`",
]
# Odd, and still a plain mapping: what its text or number may be is for the words that
# are read to say. By how they begin.
PLAIN_YAML = (
    *("2026-01-01: x", 'a: "\\ud800"', "a: 1111", "a: 0x", "a: 1:59:", "a: .nan"),
    *("\ufeff\ufeffa: 1", "a: \u2028b: 1"),
)
ALL = list(dict.fromkeys([*SQL, *PATHS, *UNICODE, *YAML]))


def node_with(field: str, word: str) -> dict[str, Any]:
    """Return the words of a node.yml with a hostile one somewhere in them."""
    node: dict[str, Any] = {
        "domain": "consumer_banking",
        "database": "data/consumer_banking.duckdb",
        "consumers": {"ml_coe": {"org_unit": ["ml_coe"]}},
        "algorithms": {"logistic_regression": {"l2": [1, 2]}},
    }
    changed: dict[str, Any] = {
        "domain": word,
        "database": word,
        "consumers": {word: {"org_unit": ["ml_coe"]}},
        "attributes": {"ml_coe": {word: ["ml_coe"]}},
        "values": {"ml_coe": {"org_unit": [word]}},
        "algorithms": {word: {"l2": [1, 2]}},
        "parameters": {"logistic_regression": {word: [1, 2]}},
        "principals": word,
        "secure_aggregation": word,
    }
    place = {
        "attributes": "consumers",
        "values": "consumers",
        "parameters": "algorithms",
    }
    if field == "principals":
        del node["consumers"]
    return node | {place.get(field, field): changed[field]}


NODE_FIELDS = (
    *("domain", "database", "consumers", "attributes", "values"),
    *("algorithms", "parameters", "principals", "secure_aggregation"),
)


def write_text(file: Path, text: str) -> Path:
    """Write a text of any characters, as an opponent's editor would."""
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    return file


def dumped(value: Any) -> str:
    """Return YAML that an honest program would write of a hostile value."""
    return yaml.safe_dump(value, allow_unicode=True)
