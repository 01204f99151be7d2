# SPDX-License-Identifier: LGPL-2.1-or-later
# bash completion for phonectl(1). phonectl itself knows what may follow, accounts and calls included.

_phonectl ()
{
  local line i word="${COMP_WORDS[COMP_CWORD]}"
  local -a words=()

  # bash splits at "=" and ":", phonectl does not: pieces without white space between them belong together.
  for ((i = 1; i <= COMP_CWORD; i++)); do
    if ((i == 1)) || _phonectl_gap "$i"; then
      words+=("${COMP_WORDS[i]}")
    else
      words[-1]+=${COMP_WORDS[i]}
    fi
  done
  local whole="${words[-1]}" cut
  [[ $word == [=:] ]] && word=
  cut=$((${#whole} - ${#word}))

  COMPREPLY=()
  while IFS=$'\t' read -r line _; do
    COMPREPLY+=("${line:cut}")
  done < <(command phonectl --complete "${words[@]}" 2> /dev/null)
  # What ends with "=" goes on.
  [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2> /dev/null
  return 0
}

# Is there white space in front of word $1? Follows the words through the line.
_phonectl_gap ()
{
  local rest=$COMP_LINE i

  for ((i = 0; i < $1; i++)); do
    rest=${rest#*"${COMP_WORDS[i]}"}
  done
  [[ $rest == [[:space:]]* ]]
}

complete -F _phonectl phonectl
