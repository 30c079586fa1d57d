#!/bin/sh
# Make Plazo's namespace in a Temporal of your own; safe to run at every start. Temporal Cloud makes it in its console.
#
# TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE name it.
set -eu
RETENTION=90d # how long a closed case is kept: as long as the appeal window that follows an answer

tries=30
until temporal operator cluster health >/dev/null 2>&1; do
  tries=$((tries - 1))
  [ "$tries" -gt 0 ] || { echo "Temporal does not answer at $TEMPORAL_ADDRESS" >&2; exit 1; }
  sleep 2
done

temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1 ||
  temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$RETENTION"

# A new namespace is known everywhere only after a few seconds.
tries=30
until temporal operator namespace update --namespace "$TEMPORAL_NAMESPACE" --retention "$RETENTION" >/dev/null 2>&1 &&
  temporal operator search-attribute create --namespace "$TEMPORAL_NAMESPACE" \
    --name InquiryStatus --type Keyword \
    --name InquiryKind --type Keyword \
    --name InquiryChannel --type Keyword \
    --name InquiryArea --type Keyword \
    --name NextObligation --type Keyword \
    --name NextDueAt --type Datetime \
    --name ResolutionDueAt --type Datetime \
    --name InquiryFlags --type KeywordList; do
  tries=$((tries - 1))
  [ "$tries" -gt 0 ] || { echo "the namespace $TEMPORAL_NAMESPACE could not be prepared" >&2; exit 1; }
  sleep 2
done
echo "the namespace $TEMPORAL_NAMESPACE is ready"
