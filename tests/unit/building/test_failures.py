"""What is told of a failed build: dbt's names, and never a value of a row."""

import json

from fl_plugin.building.failures import failed_nodes, first_words, run_number

SECRET = "canary-4711"  # noqa: S105 - a value that must not come out


def results(target, number="run-1", **statuses):
    target.mkdir(exist_ok=True)
    found = [
        {"unique_id": name, "status": status, "message": f"Conversion Error: {SECRET}"}
        for name, status in statuses.items()
    ]
    text = json.dumps({"metadata": {"invocation_id": number}, "results": found})
    (target / "run_results.json").write_text(text)


def test_what_failed_is_named_and_what_passed_or_was_skipped_is_not(tmp_path):
    results(tmp_path, a="success", b="error", c="fail", d="skipped", e="pass", f="warn")
    found = failed_nodes(tmp_path, before="run-0")
    assert [(n.name, n.why) for n in found] == [("b", "error"), ("c", "test failed")]
    assert SECRET not in repr(found)


def test_the_results_of_an_earlier_run_say_nothing_of_this_one(tmp_path):
    results(tmp_path, number="run-7", b="error")
    assert failed_nodes(tmp_path, before=run_number(tmp_path)) == ()
    assert failed_nodes(tmp_path / "missing", before="") == ()


def test_damaged_results_are_no_results(tmp_path):
    for text in ("", "[]", "{", "[" * 100_000, '{"results": 1, "metadata": 5}'):
        (tmp_path / "run_results.json").write_text(text)
        assert failed_nodes(tmp_path, before="x") == ()
    (tmp_path / "run_results.json").write_text(
        '{"metadata": {"invocation_id": "y"}, "results": [1, {"status": []}, {}]}'
    )
    assert failed_nodes(tmp_path, before="x") == ()


def test_what_dbt_cannot_read_is_repeated_on_one_line_without_control_characters():
    said = first_words(
        "12:00:00  Running with dbt=1.12.0\n12:00:01  Encountered an error:\n"
        "Parsing Error\n  Invalid models config in\x1b[31m credits.yml\n  line 7\n"
    )
    assert said.startswith("Parsing Error Invalid models config in")
    assert "\x1b" not in said
    own = "Parsing Error\n  Syntax error near line 7\n  Raw Error:\n  ---\n  block"
    assert first_words(own) == "Parsing Error Syntax error near line 7 Raw Error: ---"
    assert len(first_words("Compilation Error " + "x " * 5000)) < 300


def test_what_a_database_says_is_not_repeated():
    for said in (
        f"Database Error in model credits\n  Conversion Error: {SECRET}",
        f"Traceback\nValueError: {SECRET}",
        f"Compilation Error\n  Invalid Input Error: {SECRET}",
        f"Runtime Error\n  ValueError: {SECRET}",
        f"Runtime Error\n  Database Error\n    Constraint Error: {SECRET}",
        "",
    ):
        assert SECRET not in first_words(said)
    locked = f"Runtime Error\n IO Error: Could not set lock on file {SECRET}"
    assert first_words(locked) == "its database file is locked by another process"
