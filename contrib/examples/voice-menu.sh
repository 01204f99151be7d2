#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# voice-menu.sh PROMPT.wav DIRECTIONS.wav OPERATOR: answers every call, plays PROMPT, and takes a digit: 1 plays DIRECTIONS and hangs up, 2 sends the
# caller on to OPERATOR, anything else plays PROMPT again. Whoever presses nothing hears the prompt three times and is let go. Needs jq. Ends
# with SIGTERM or Ctrl-C.
set -eu
prompt=$(realpath -- "$1") directions=$(realpath -- "$2") operator=$3

menu () {
  phonectl answer --keep-others "$1"
  for _ in 1 2 3; do
    key=$(phonectl collect "$1" --max=1 --prompt "$prompt" --first-timeout=5) || [ $? = 4 ] || return 0
    case $key in
      1) phonectl collect "$1" --no-barge-in --prompt "$directions" --first-timeout=0 --min=0 > /dev/null; break ;;
      2) phonectl transfer "$1" "$operator"; return 0 ;;
    esac
  done
  phonectl hangup "$1"
}

# The number of every call that comes in.
phonectl --json monitor | jq --unbuffered -r '
  select(.signal == "InterfacesAdded" and (.interfaces["org.phoned.Phone1.Call"].State | IN("incoming", "waiting")))
  | .object | sub(".*/"; "")' |
  while read -r call; do
    (set +e; menu "$call") < /dev/null &
  done
