"""The catalog: dbt's own documentation page, with each contract in plain words."""
