#!/bin/sh
# Make the passwords and keys of a deployment as files: sh deploy/secrets.sh FOLDER. What is there already stays as it is.
#
# The files can be read by all, because containers run under their own users; the folder can be entered by its owner alone.
set -eu
umask 077
folder=${1:?name the folder, for example: sh deploy/secrets.sh secrets}
mkdir -p "$folder/plazo"
chmod 700 "$folder"
chmod 755 "$folder/plazo"

keep() {
  [ -s "$folder/$1" ] || printf '%s' "$2" >"$folder/$1"
  chmod 444 "$folder/$1"
}

keep temporal_database_password "$(openssl rand -hex 24)"
keep records_password "$(openssl rand -hex 24)"
keep grafana_password "$(openssl rand -hex 24)"
keep plazo/plazo_records_url "postgresql+psycopg://plazo:$(cat "$folder/records_password")@records/plazo"
keep plazo/plazo_keys "k1:$(openssl rand -base64 32)"
keep plazo/plazo_reply_secret "$(openssl rand -hex 32)"
