#!/usr/bin/env bash
# What this branch would change in the mesh's contracts, compared with another one:
#   contract-diff.sh [BASE_REF] [more words for `fl contract diff`]
# It needs git, dbt and fl, and neither data nor a database. Exit codes: those of
# `fl contract diff`, 0, 1 (breaking) or 2 (loosened).
set -euo pipefail
cd "$(git rev-parse --show-toplevel)"
ref=${1:-origin/main}
shift || true

base=$(mktemp -d)
trap 'rm -rf "$base"' EXIT
fork=$(git merge-base "$ref" HEAD)
git archive "$fork" | tar -x -C "$base"
(cd "$base" && dbt deps --quiet && dbt parse --quiet)
dbt deps --quiet
dbt parse --quiet

# Nobody approves their own change. Whoever only records an approval wrote none of it.
authors=()
while read -r address; do
  authors+=(--author "$address")
done < <(git log --format=%ae "$fork..HEAD" -- . ':(exclude)domains/*/approvals.yml' | sort -u)

code=0
fl contract diff --base "$base/target/manifest.json" ${authors[@]+"${authors[@]}"} "$@" || code=$?
exit "$code"
