#!/bin/sh
# Bring Temporal's two databases to the form that this version of its server needs; safe to run at every start.
set -eu
SQL_PASSWORD=$(cat /run/secrets/temporal_database_password)
export SQL_PASSWORD

bring() {
  # Neither tells an existing one from a failure; the last line fails if something is wrong.
  temporal-sql-tool --db "$1" create || echo "$1: is there already"
  temporal-sql-tool --db "$1" setup-schema -v 0.0 || echo "$1: has a schema already"
  temporal-sql-tool --db "$1" update-schema -d "/etc/temporal/schema/postgresql/v12/$2/versioned"
}

bring temporal temporal
bring temporal_visibility visibility
