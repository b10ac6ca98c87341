"""Study + catalog + decisions -> a frozen plan, complete before a row is opened."""
