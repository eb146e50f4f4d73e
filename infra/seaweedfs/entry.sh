#!/bin/sh
# Writes SeaweedFS's identities from S3_ACCESS_KEY and S3_SECRET_KEY, then starts the image's own entry script.
set -eu

: "${S3_ACCESS_KEY:?}" "${S3_SECRET_KEY:?}"
case "$S3_ACCESS_KEY$S3_SECRET_KEY" in
*[!A-Za-z0-9/+=_.-]*)
  echo 'S3_ACCESS_KEY and S3_SECRET_KEY may hold letters, digits and /+=_.- only' >&2
  exit 2
  ;;
esac

cat >"${S3_IDENTITIES:=/tmp/s3.json}" <<JSON
{
  "identities": [
    {
      "name": "filterscope",
      "credentials": [{ "accessKey": "$S3_ACCESS_KEY", "secretKey": "$S3_SECRET_KEY" }],
      "actions": ["Admin", "Read", "Write", "List", "Tagging"]
    }
  ]
}
JSON
unset S3_ACCESS_KEY S3_SECRET_KEY
exec "${SEAWEEDFS_ENTRY:-/entrypoint.sh}" "$@" -s3.config="$S3_IDENTITIES"
