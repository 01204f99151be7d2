#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# reminder.sh MESSAGE.wav [PAUSE] < LIST: calls every number or address of LIST, one a line and one after the other, plays MESSAGE to whoever
# answers, hangs up, and waits PAUSE seconds (2) before the next. Prints a line for each: the address and played, busy, no-answer ..., refused if it
# cannot be called, or unknown if phoned went away meanwhile. Needs jq.
set -eu
message=$(realpath -- "$1") pause=${2:-2}

while read -r target; do
  [ -n "$target" ] || continue
  pipe=$(mktemp -u)
  mkfifo -m 600 "$pipe"
  phonectl --json monitor > "$pipe" &
  monitor=$!
  played=no outcome=refused
  exec 3< "$pipe"
  rm -f "$pipe"
  call=$(phonectl --json dial "$target" < /dev/null | jq .call)
  [ -z "$call" ] || outcome=unknown
  while [ -n "$call" ] && read -r line <&3; do
    event=$(printf '%s' "$line" | jq -r --arg path "/org/phoned/Phone1/call/$call" '
      if .object != $path then empty
      elif .signal == "Played" then "played"
      elif .properties.State == "active" then "answered"
      elif .properties.State == "disconnected" then "over"
      else empty end')
    case $event in
      answered) phonectl play "$call" "$message" || phonectl hangup "$call" || true ;;
      played) played=yes; phonectl hangup "$call" || true ;;
      over) outcome=$(phonectl --json call show "$call" | jq -r .Reason.reason); break ;;
    esac
  done
  exec 3<&-
  kill "$monitor" 2> /dev/null || true
  if [ "$played" = yes ]; then outcome=played; fi
  echo "$target $outcome"
  sleep "$pause"
done
