#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# voice-menu.sh PROMPT.wav DIRECTIONS.wav OPERATOR: answers every call, plays PROMPT, and takes a digit: 1 plays DIRECTIONS and hangs up, 2 calls
# OPERATOR, 0 plays PROMPT again. Whoever presses nothing hears the prompt and is let go. Needs jq. Ends with SIGTERM or Ctrl-C.
set -eu
prompt=$(realpath -- "$1") directions=$(realpath -- "$2") operator=$3

# One line for everything that happens: N answered, N digit D, N played FILE.
events () {
  phonectl --json monitor | jq --unbuffered -r '
    (.object // "" | capture("/call/(?<n>[0-9]+)$").n // empty) as $n |
    if .signal == "InterfacesAdded" and (.interfaces["org.phoned.Phone1.Call"].State | IN("incoming", "waiting")) then "\($n) incoming -"
    elif .signal == "DtmfReceived" then "\($n) digit \(.args[0])"
    elif .signal == "Played" then "\($n) played \(.args[0])"
    else empty end'
}

events | while read -r n what value; do
  case "$what $value" in
    'incoming '*) phonectl answer --keep-others "$n" && phonectl play "$n" "$prompt" ;;
    'digit 0') phonectl play "$n" "$prompt" ;;
    'digit 1') phonectl play "$n" "$directions" ;;
    'digit 2') phonectl stop-playing "$n"; phonectl dial --keep-others "$operator" > /dev/null ;;
    "played $directions") phonectl hangup "$n" ;;
  esac || true
done
