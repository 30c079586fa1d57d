#!/bin/sh
# Start Temporal's server: it takes its password from the environment alone, so it is read from the secret here.
set -eu
POSTGRES_PWD=$(cat /run/secrets/temporal_database_password)
export POSTGRES_PWD
exec temporal-server start
